// The way through a folder of the task folder: each name once, links followed nowhere, and an end to it whatever lies there.

import { join } from 'node:path';
import { EXIT, UserError } from '../../core/errors.ts';
import { isPlaceFolder } from '../../core/mailbox/place.ts';
import { holdsNoTasks, isSafeFolderName } from '../../core/task/file-name.ts';
import { type Folder, inTaskFolder, unsafe } from './ground.ts';
import type { Kind } from './ground-calls.ts';

/** Something that has the name of a task file. */
export interface Sight {
  readonly name: string;
  readonly kind: Kind;
  readonly folder: Folder;
  /** What else lies in that folder. */
  readonly beside: ReadonlySet<string>;
}

export interface Visitor {
  readonly sight: (sight: Sight) => void;
  /** What cannot be looked into, and a folder of tasks that is none. */
  readonly trouble: (error: unknown) => void;
  /** Each folder, before what is in it. */
  readonly folder?: (folder: Folder) => void;
}

/** The agents that have a folder, each with its own opened. What is thrown of one is told of that one, and the others come. */
export function eachAgent(
  tasksDirectory: string,
  work: (agent: string, home: Folder) => void,
  trouble: (agent: string, root: Folder) => void,
): void {
  inTaskFolder(tasksDirectory, (root) => {
    for (const { name: agent, kind } of root.list(MOST_AGENTS).entries) {
      if (kind !== 'folder' || !isSafeFolderName(agent)) continue;
      try {
        root.inside([agent], (home) => work(agent, home));
      } catch {
        trouble(agent, root);
      }
    }
  });
}

/** Looks at everything that may be a task file below a folder, news beside tasks not among them, but not in folders of the names to skip. */
export function walk(folder: Folder, skip: readonly string[], visitor: Visitor): void {
  walkBelow(folder, skip, visitor, { names: MOST_NAMES, levels: DEEPEST });
}

/** More names than this nobody's tasks have; looking at them all would keep everybody waiting. */
const MOST_NAMES = 10_000;
const DEEPEST = 12;
/** So many agents nobody has. */
const MOST_AGENTS = 10_000;

interface Allowance {
  names: number;
  levels: number;
}

function walkBelow(folder: Folder, skip: readonly string[], visitor: Visitor, left: Allowance): void {
  visitor.folder?.(folder);
  const { entries, isWhole } = folder.list(left.names);
  left.names -= entries.length;
  if (!isWhole) return visitor.trouble(crowded(folder.path));
  const beside = new Set(entries.map(({ name }) => name));
  for (const { name, kind } of entries) {
    if (isPlaceFolder(name) && kind !== 'folder') visitor.trouble(unsafe(join(folder.path, name), 'is not a folder'));
    else if (/^[^.].*\.md$/su.test(name)) {
      if (!/\.update-\d+\.md$/u.test(name)) visitor.sight({ name, kind, folder, beside });
    } else if (kind === 'folder' && left.levels > 0 && !skip.includes(name) && !holdsNoTasks(name)) {
      enter(folder, name, visitor, (below) => {
        left.levels -= 1;
        walkBelow(below, skip, visitor, left);
        left.levels += 1;
      });
    }
  }
}

function enter(folder: Folder, name: string, { trouble }: Visitor, work: (below: Folder) => void): void {
  try {
    folder.inside([name], work);
  } catch (error) {
    trouble(error);
  }
}

function crowded(path: string): UserError {
  return new UserError(`${path} and what lies beside it hold more than ${MOST_NAMES} names`, {
    exitCode: EXIT.failure,
    code: 'folder_crowded',
    hint: 'an agent keeps its checkouts and builds elsewhere: move them out of its task folder',
  });
}
