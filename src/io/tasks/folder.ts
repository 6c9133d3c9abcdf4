// The task folder: <workspace>/.agent-tasks/<agent>/issue-5.md, with done/ and archive/ beside it. Files appear here
// complete or not at all, and nothing here is ever overwritten or deleted.

import { extname, join, relative, sep } from 'node:path';
import type { Candidate } from '../../core/issue/candidate.ts';
import type { Config } from '../../core/config/config.ts';
import { presentName, serverWith } from '../../core/issue/identity.ts';
import { refOf } from '../../core/issue/issue.ts';
import { isSafeFolderName, taskFileName } from '../../core/task/file-name.ts';
import { parseFrontMatter } from '../../core/task/front-matter.ts';
import type { Stage } from '../../core/mailbox/place.ts';
import type { Progress } from '../../core/mailbox/progress.ts';
import type { TrackedTask } from '../../core/task/tracked.ts';
import { archiveTask, writeUpdate } from './archive.ts';
import { type Draft, draftTask } from './draft.ts';
import { type Folder, inTaskFolder, unsafe } from './ground.ts';
import { BEGINNING, type Found, type Inventory, type Sought, takeInventory, troubleText } from './inventory.ts';
import { progressNow } from './progress.ts';
import { eachAgent, walk } from './walk.ts';

type Place = Pick<Config, 'tasksDirectory' | 'taskFile' | 'servers'>;
type Named = Pick<Candidate, 'agent' | 'issue'>;

/** The task folder as one command sees it. Each agent's folder is walked when it is first asked about, and after a change of ours. */
export interface TaskFolder {
  /** Absolute path at which a candidate's task file is to appear. */
  readonly path: (candidate: Named) => string;
  /** Throws exit 1 when something on the way to a candidate's task file is a link, or is no folder. Writes nothing. */
  readonly checkWay: (candidate: Named) => void;
  /** Why nothing can be said of an agent's tasks, and none be written, and how to mend it; null: it can. */
  readonly trouble: (agent: string) => string | null;
  /** Whether the agent has the candidate's task, or has moved it to `done/`. */
  readonly existing: (candidate: Named) => 'dispatched' | 'done' | null;
  /** The same of a task that was dispatched. Null: it is gone; where nothing can be said, it is not. */
  readonly whereIs: (task: TrackedTask) => 'dispatched' | 'done' | null;
  /** Absolute path of a task's file where it is now; where it was dispatched when it is gone. */
  readonly placeOf: (task: TrackedTask) => string;
  /** How far its agent is with a task that was dispatched. Null: it is gone, or nothing can be said. */
  readonly stageOf: (task: TrackedTask) => Stage | null;
  /** The same with what its agent wrote beside it. */
  readonly progressOf: (task: TrackedTask) => Progress | null;
  /** Moves a task, wherever it is, and what lies beside it to `archive/`; null: it is gone. */
  readonly archive: (task: TrackedTask) => { readonly from: string; readonly to: string } | null;
  /** Writes news beside the task, never over a file; answers the path. */
  readonly writeUpdate: (task: TrackedTask, text: string) => string;
  /** How many tasks an agent has that are neither done, blocked nor archived. */
  readonly openTasks: (agent: string) => number;
  /** The agents whose folders have been looked into. */
  readonly lookedAt: () => readonly string[];
  /** A text that is another one when something else was seen in the folders of these agents, at the first look. */
  readonly fingerprint: (agents: readonly string[]) => string;
  /** When the newest task file of all agents appeared (epoch milliseconds), or null when there is none. */
  readonly newestTime: () => number | null;
  /** What a task file says of its dispatch, and when it appeared; null when it is not there. */
  readonly published: (file: string) => { readonly dispatchedAt: unknown; readonly appearedAt: number } | null;
  /** Writes the text beside its final place. Throws exit 1 when a folder on the way is a link or not a folder. */
  readonly draft: (candidate: Named, text: string) => Draft;
}

/** Opens the task folder of a configuration. `randomWord`: a fresh word that nobody can guess. */
export function openTaskFolder(config: Place, randomWord: () => string): TaskFolder {
  const { tasksDirectory } = config;
  const { look, changed, lookedAt, fingerprint } = inventoriesOf(config);
  const present = presentName(config);
  const sought = (candidate: Named): Sought => soughtFor(config, candidate);
  const soughtTask = (task: TrackedTask): Sought | null =>
    soughtOf(tasksDirectory, { ...task, server: present(task.server) });
  const found = (task: TrackedTask): Found | null => foundNow(soughtTask(task), look(task.agent));
  const pathBelow = (candidate: Named): string => freeName(look(candidate.agent), sought(candidate));
  return {
    path: (candidate) => join(tasksDirectory, candidate.agent, pathBelow(candidate)),
    checkWay: (candidate) => checkWay(tasksDirectory, candidate.agent, pathBelow(candidate)),
    trouble: (agent) => (isSafeFolderName(agent) ? troubleText(look(agent).trouble) : null),
    existing: (candidate) => stateIn(look(candidate.agent), sought(candidate)),
    whereIs: ({ agent, ...task }) => {
      const wanted = soughtTask({ agent, ...task });
      if (wanted === null) return null;
      if (look(agent).trouble !== null) return 'dispatched';
      // Its agent may just have been moving it when the folder was walked: once more before it is called gone.
      return stateIn(look(agent), wanted) ?? stateIn(look(agent, true), wanted);
    },
    placeOf: (task) => pathNow(tasksDirectory, task, found(task)),
    stageOf: (task) => found(task)?.stage ?? null,
    progressOf: (task) => progressNow(tasksDirectory, task.agent, found(task)),
    archive: (task) => {
      const wanted = soughtTask(task);
      if (wanted === null) return null;
      const inventory = changed(task.agent, look(task.agent, true));
      if (inventory.trouble !== null) throw new Error(troubleText(inventory.trouble) ?? '');
      return archiveTask(tasksDirectory, task.agent, wanted, inventory.find(wanted));
    },
    writeUpdate: (task, text) => {
      const wanted = soughtTask(task);
      if (wanted === null) throw unsafe(task.file, 'is not below the folder of its agent');
      return writeUpdate(tasksDirectory, task, found(task)?.path ?? wanted.name, text, randomWord());
    },
    openTasks: (agent) => look(agent).open,
    lookedAt,
    fingerprint,
    newestTime: () => newestTime(tasksDirectory),
    published: (file) => published(tasksDirectory, file),
    draft: (candidate, text) => {
      const path = pathBelow(candidate);
      const draft = draftTask(tasksDirectory, candidate.agent, path, text, randomWord());
      return {
        ...draft,
        publish: (replace) => {
          if (replace)
            archiveOthers(tasksDirectory, candidate.agent, sought(candidate), look(candidate.agent, true), path);
          return changed(candidate.agent, draft.publish(replace));
        },
      };
    },
  };
}

// The agents' folders, each walked when it is first asked about, and after a change of ours.
function inventoriesOf(config: Place) {
  const inventories = new Map<string, { readonly inventory: Inventory; readonly isSecond: boolean }>();
  const firstSeen = new Map<string, string>();
  const look = (agent: string, again = false): Inventory => {
    const known = inventories.get(agent);
    if (known && (!again || known.isSecond)) return known.inventory;
    const inventory = takeInventory(config, agent);
    inventories.set(agent, { inventory, isSecond: again });
    if (!firstSeen.has(agent)) firstSeen.set(agent, inventory.stamp);
    return inventory;
  };
  return {
    look,
    changed: <T>(agent: string, result: T): T => {
      inventories.delete(agent);
      return result;
    },
    lookedAt: (): readonly string[] => [...firstSeen.keys()],
    fingerprint: (agents: readonly string[]): string => {
      const safe = agents.filter((agent) => isSafeFolderName(agent)).toSorted();
      safe.forEach((agent) => void look(agent));
      return JSON.stringify(safe.map((agent) => [agent, firstSeen.get(agent)]));
    },
  };
}

// One that is taken, blocked or done gives way as one that is new does: in each place a task has one name.
function archiveOthers(tasksDirectory: string, agent: string, task: Sought, inventory: Inventory, path: string): void {
  const others = inventory.find(task).filter((found) => found.path !== path);
  if (others.length > 0) archiveTask(tasksDirectory, agent, task, others);
}

// The one that is not done first: an agent may have made a copy.
function sorted(found: readonly Found[]): readonly Found[] {
  return found.toSorted((a, b) => Number(a.stage === 'done') - Number(b.stage === 'done'));
}

function foundNow(task: Sought | null, inventory: Inventory): Found | null {
  const [found] = task === null ? [] : sorted(inventory.find(task));
  return found ?? null;
}

function pathNow(tasksDirectory: string, { agent, file }: TrackedTask, found: Found | null): string {
  return found === null ? file : join(tasksDirectory, agent, found.path);
}

function soughtFor(config: Place, { issue }: Named): Sought {
  return {
    server: serverWith(config, issue.repository),
    issueId: issue.id,
    get ref() {
      return refOf(issue);
    },
    // Seldom looked at: most files say of which issue they are.
    get name() {
      return taskFileName(config, issue);
    },
  };
}

// Null: the state names a file that is not below its agent's folder. It is not obeyed.
function soughtOf(tasksDirectory: string, task: TrackedTask): Sought | null {
  const name = nameBelow(tasksDirectory, task);
  if (name === null) return null;
  return { server: task.server, issueId: task.issueId, ref: refOf(task), name };
}

function nameBelow(tasksDirectory: string, { agent, file }: Pick<TrackedTask, 'agent' | 'file'>): string | null {
  const name = relative(join(tasksDirectory, agent), file);
  return isSafeFolderName(agent) && name !== '' && !name.split(sep).includes('..') ? name : null;
}

function stateIn(inventory: Inventory, task: Sought): 'dispatched' | 'done' | null {
  const found = inventory.find(task);
  if (found.some(({ stage }) => stage !== 'done')) return 'dispatched';
  return found.length > 0 ? 'done' : null;
}

// Another task may have the name: of another server, or of a repository that had this one's name before.
function freeName(inventory: Inventory, task: Sought): string {
  const ending = extname(task.name);
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? task.name : `${task.name.slice(0, -ending.length)}.${number}${ending}`;
    if (!inventory.isOthers(name, task)) return name;
  }
}

function checkWay(tasksDirectory: string, agent: string, name: string): void {
  if (!isSafeFolderName(agent)) throw unsafe(join(tasksDirectory, agent), 'leaves the task folder');
  inTaskFolder(tasksDirectory, (root) => root.inside([agent, ...name.split('/').slice(0, -1)], () => null));
}

// Of a folder that cannot be looked into its own time is taken: it changes with every name in it.
function newestTime(tasksDirectory: string): number | null {
  let newest = 0;
  const note = (folder: Folder, name: string): void => {
    newest = Math.max(newest, folder.look(name)?.changedAt ?? 0);
  };
  eachAgent(
    tasksDirectory,
    (_agent, home) =>
      walk(home, [], {
        sight: ({ folder, name }) => note(folder, name),
        trouble: (error) => {
          throw error;
        },
      }),
    (agent, root) => note(root, agent),
  );
  return newest || null;
}

function published(tasksDirectory: string, file: string): ReturnType<TaskFolder['published']> {
  const names = relative(tasksDirectory, file).split(sep);
  const name = names.pop();
  if (name === undefined || names.includes('..') || names.length === 0) return null;
  try {
    return inTaskFolder(tasksDirectory, (root) =>
      root.inside(names, (folder) => {
        const seen = folder.look(name);
        const fields = parseFrontMatter(folder.read(name, BEGINNING)?.text ?? '');
        return seen && { dispatchedAt: fields?.get('dispatchedAt'), appearedAt: seen.changedAt };
      }),
    );
  } catch {
    return null; // its folder cannot be used any more: as if it had not appeared
  }
}
