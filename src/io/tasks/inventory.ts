// What lies in an agent's folder, found in one walk: a task is where its front matter says so, wherever its agent has moved
// it, and only what says nothing of itself goes by its name.

import { basename, join, relative } from 'node:path';
import type { Config } from '../../core/config/config.ts';
import { hintOf, lacksRights, messageOf, systemCode, UserError } from '../../core/errors.ts';
import { presentName, serverOf } from '../../core/issue/identity.ts';
import { ARCHIVE, isPlaceFolder, placeOf, type Stage } from '../../core/mailbox/place.ts';
import { taskNames } from '../../core/mailbox/settings.ts';
import { parseFrontMatter, TASK_SCHEMA } from '../../core/task/front-matter.ts';
import { shellWord } from '../../core/shell-word.ts';
import { userName } from '../user-name.ts';
import { type Folder, inTaskFolder } from './ground.ts';
import { eachAgent, type Sight, walk } from './walk.ts';

/** How much of a task file is read for its front matter. Bytes. */
export const BEGINNING = 16_384;

/** A task that is looked for: an issue's, and the name that its file would have. */
export interface Sought {
  readonly server: string;
  readonly issueId: number;
  readonly ref: string;
  /** Below the agent's folder. */
  readonly name: string;
}

export interface Found {
  /** Below the agent's folder. */
  readonly path: string;
  readonly stage: Stage;
}

/** What is wrong with an agent's folder, and what mends it: a command where there is one. */
export interface Trouble {
  readonly what: string;
  readonly mend: string;
}

/** What an agent's folder holds. */
export interface Inventory {
  /** Why it cannot be used, and how to mend that; null: it can, and everything in it was seen. */
  readonly trouble: Trouble | null;
  /** Where the files of a task are: one, unless its agent made copies or it was forced. */
  readonly find: (task: Sought) => readonly Found[];
  /** Whether a path is taken by what is known to be another task, or will be once that is moved to where it belongs. */
  readonly isOthers: (path: string, task: Sought) => boolean;
  /** How many tasks are neither done, blocked nor archived. */
  readonly open: number;
  /** A text that is another one when any of this is. */
  readonly stamp: string;
}

type Place = Pick<Config, 'tasksDirectory' | 'taskFile' | 'servers'>;

/** What is wrong with the folders of agents: with all that are there, or with those of the names. */
export function folderTroubles(
  config: Place,
  names: readonly string[] | null,
): readonly (Trouble & { readonly agent: string })[] {
  const found: string[] = [...(names ?? [])];
  const add = (agent: string): void => void found.push(agent);
  if (names === null) eachAgent(config.tasksDirectory, add, add);
  return found.flatMap((agent) => {
    const { trouble } = takeInventory(config, agent);
    return trouble ? [{ agent, ...trouble }] : [];
  });
}

/** Walks an agent's folder. Whatever is wrong with it is said as its trouble, and thrown at nobody. */
export function takeInventory(config: Place, agent: string): Inventory {
  const present = presentName(config);
  const home = join(config.tasksDirectory, agent);
  const names = taskNames(config);
  const known = new Map<string, Found[]>();
  const owners = new Map<string, Set<string>>();
  const open = new Set<string>();
  // Whether a file does not say of which issue it is.
  let hasNameless = false;
  let trouble: Trouble | null = null;
  const note = (error: unknown): void => void (trouble ??= troubleOf(error, home));
  const mustWrite = (folder: Folder): void => {
    if (!folder.mayWrite()) note(new Error(`${folder.path} may not be written by this user`));
  };
  const sight = (seen: Sight): void => {
    const path = relative(home, join(seen.folder.path, seen.name));
    const { id, ref, isTask } = labelOf(seen, present);
    const place = placeOf(path, ref, names);
    if (place === null) return;
    const found = { path, stage: place.stage };
    for (const key of id === null ? [`name ${place.home}`, ...(ref === '' ? [] : [`ref ${ref}`])] : [id]) {
      const alike = known.get(key);
      if (alike) alike.push(found);
      else known.set(key, [found]);
    }
    if (id === null) hasNameless = true;
    else for (const name of [path, place.home]) owners.set(name, (owners.get(name) ?? new Set()).add(id));
    const isTheirs = place.stage === 'new' || place.stage === 'doing';
    if (isTheirs && (isTask || names.isOne(place.home))) open.add(id ?? path);
  };
  try {
    inTaskFolder(config.tasksDirectory, (root) =>
      root.inside([agent], (folder) => {
        mustWrite(folder);
        walk(folder, [ARCHIVE], {
          sight,
          trouble: note,
          // Tasks are moved out of these. What else its agent keeps there may be the agent's alone.
          folder: (below) => isPlaceFolder(basename(below.path)) && mustWrite(below),
        });
        folder.inside([ARCHIVE], mustWrite);
      }),
    );
  } catch (error) {
    note(error);
  }
  return {
    trouble,
    find: (task) => {
      const byId = known.get(idOf(task.server, task.issueId)) ?? [];
      if (!hasNameless) return byId;
      return [
        ...new Set([...byId, ...(known.get(`name ${task.name}`) ?? []), ...(known.get(`ref ${task.ref}`) ?? [])]),
      ];
    },
    isOthers: (path, task) => [...(owners.get(path) ?? [])].some((id) => id !== idOf(task.server, task.issueId)),
    open: open.size,
    stamp: JSON.stringify([trouble, [...known], [...owners].map(([path, ids]) => [path, ...ids]), [...open]]),
  };
}

interface Label {
  /** Of which issue it is, when it says so. */
  readonly id: string | null;
  readonly ref: string;
  readonly isTask: boolean;
}

function labelOf({ folder, name, kind }: Sight, present: (server: string) => string): Label {
  const fields = kind === 'file' ? parseFrontMatter(beginningOf(folder, name) ?? '') : undefined;
  const [url, issueId, ref] = [fields?.get('url'), fields?.get('issueId'), fields?.get('ref')];
  const server = typeof url === 'string' ? serverIn(url) : null;
  const isKnown = server !== null && typeof issueId === 'number' && fields?.get('schema') === TASK_SCHEMA;
  return {
    id: isKnown ? idOf(present(server), issueId) : null,
    ref: typeof ref === 'string' ? ref : '',
    isTask: fields?.get('schema') === TASK_SCHEMA,
  };
}

// A file that may not be read, or went away, says nothing of itself.
function beginningOf(folder: Sight['folder'], name: string): string | null {
  try {
    return folder.read(name, BEGINNING)?.text ?? null;
  } catch {
    return null;
  }
}

// The address of an issue is the server's with `/owner/repository/issues/5` behind it.
function serverIn(url: string): string | null {
  const server = url.slice(0, 1000).split('/').slice(0, -4).join('/');
  return /^https?:\/\//u.test(server) && URL.canParse(server) ? serverOf(server) : null;
}

function idOf(server: string, issueId: number): string {
  return `id ${server} ${issueId}`;
}

/** A trouble in a sentence; null: there is none. */
export function troubleText(trouble: Trouble | null): string | null {
  return trouble && `${trouble.what}: ${trouble.mend}`;
}

// What is a matter of rights is mended for the whole folder at once. The group, its agent's, stays.
function troubleOf(error: unknown, home: string): Trouble {
  const isRights = !(error instanceof UserError) && (systemCode(error) === '' || lacksRights(error));
  const hint = isRights ? null : hintOf(error);
  const [user, path] = [userName(), home].map(shellWord);
  return {
    what: messageOf(error),
    mend: hint ?? `sudo chown -R ${user} ${path} && sudo chmod -R ug+rwX ${path}`,
  };
}
