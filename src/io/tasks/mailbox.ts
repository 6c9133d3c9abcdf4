// An agent's folder as its mailbox: tasks are seen, taken and handed back here, by the agent's own user. One rename moves
// a task, so that killed anywhere it is in one place, and of many who want it one gets it. What belongs to it follows.

import { basename, dirname, join } from 'node:path';
import { type Claim, claimText, type Taken } from '../../core/mailbox/claim.ts';
import {
  ARCHIVE,
  claimName,
  homeOf,
  pathIn,
  type Stage,
  type TaskNames,
  WAKE_FILE,
  STAGE_FOLDERS,
} from '../../core/mailbox/place.ts';
import { type Sighting, sightingOf } from '../../core/mailbox/urgency.ts';
import { NO_WORK, type WorkRecord } from '../../core/mailbox/work-record.ts';
import { isSafeFolderName } from '../../core/task/file-name.ts';
import { type Folder, inTaskFolder } from './ground.ts';
import { companionsIn, foldersOf, handedBack, type Moved, taken, takenOver, takersIn, workIn } from './moves.ts';
import { lookThrough, type Seen } from './sightings.ts';
import { DEEPEST, headOf, isWalked, MOST_FILES, type Survey } from './survey.ts';

/** The mailbox of one agent. Paths are below its folder. */
export interface Mailbox {
  readonly agent: string;
  readonly path: string;
  /** The tasks in these stages, and how many files could not be read. */
  readonly look: (stages: readonly Stage[]) => {
    readonly tasks: readonly Sighting[];
    readonly unreadable: readonly string[];
  };
  /**
   * Offers the tasks in these stages, most urgent first and each as its file says now, until one is answered with something
   * else than null.
   */
  readonly offer: <T extends object>(
    stages: readonly Stage[],
    answer: (task: Sighting) => T | null,
  ) => {
    readonly answered: T | null;
    readonly unreadable: readonly string[];
  };
  /** The folders in which new tasks can appear, as absolute paths. */
  readonly folders: () => readonly string[];
  /** Who has a task that is in `doing`. Null: it is not there any more. */
  readonly takersOf: (task: Sighting) => Taken | null;
  readonly workOf: (task: Sighting) => WorkRecord;
  /** Takes a new task, under a claim with that word in its name. Of all who try, one moves it. */
  readonly take: (task: Sighting, claim: Claim, word: string) => Moved;
  /** Takes over a task in `doing` whose takers are, asked again under the new claim, still such that it may be taken. */
  readonly takeOver: (task: Sighting, claim: Claim, word: string, mayBeTaken: (taken: Taken) => boolean) => Moved;
  /** Writes a claim of our own anew; false when somebody has taken it over. */
  readonly renew: (task: Sighting, claim: Claim, word: string) => boolean;
  /** Whether the claim of that word holds the task. */
  readonly isClaimed: (task: Sighting, word: string) => boolean;
  /** Moves a task to a stage with its record; null: with the one that is there. With a word only as long as the claim is ours. */
  readonly handBack: (task: Sighting, to: Stage, record: WorkRecord | null, word: string | null) => Moved;
  /** The task of a file, also when it was moved since it had that path; null: there is none. */
  readonly at: (path: string) => Sighting | null;
  /** Where a task is now that was dispatched at a path; null: in no stage. */
  readonly whereIs: (home: string) => Sighting | null;
  /** Its news and its folder of attachments, wherever they are, as absolute paths. */
  readonly companions: (task: Sighting) => { readonly news: readonly string[]; readonly attachments: string | null };
  /** Takes away what wakes the worker: it is awake. */
  readonly answerWake: () => void;
  /** A new file beside a task in `doing`, in place of one of that name; answers its descriptor. */
  readonly createBeside: (task: Sighting, name: string) => { readonly handle: number; readonly path: string };
}

const NOT_LOOKED: Survey['others'] = new Map();
const NOT_NEW: ReadonlySet<string> = new Set([ARCHIVE, ...STAGE_FOLDERS]);

/** The agents that have a folder. */
export function mailboxesIn(tasksDirectory: string): readonly string[] {
  const entries = inTaskFolder(tasksDirectory, (root) => root.list(MOST_FILES).entries) ?? [];
  return entries.flatMap(({ name, kind }) => (kind === 'folder' && isSafeFolderName(name) ? [name] : [])).toSorted();
}

/** Opens the mailbox of an agent below a task folder. Nothing is made or looked at yet. */
export function openMailbox(tasksDirectory: string, agent: string, names: TaskNames): Mailbox {
  const inMailbox = <T>(work: (home: Folder) => T): T | null =>
    inTaskFolder(tasksDirectory, (root) => root.inside([agent], work));
  const inPlace = <T>(path: string, work: (folder: Folder, name: string, home: Folder) => T): T | null =>
    inMailbox((home) => home.inside(foldersOf(path), (folder) => work(folder, basename(path), home)));
  const path = join(tasksDirectory, agent);
  let others = NOT_LOOKED;
  return {
    agent,
    path,
    look: (stages) => inMailbox((home) => allOf(lookThrough(home, stages, names))) ?? { tasks: [], unreadable: [] },
    offer: (stages, answer) =>
      inMailbox((home) => {
        const seen = lookThrough(home, stages, names);
        others = seen.others;
        try {
          return { answered: firstAnswer(seen.inUrgency(), answer), unreadable: seen.unreadable };
        } finally {
          others = NOT_LOOKED; // what lies there now, nobody knows later
        }
      }) ?? { answered: null, unreadable: [] },
    folders: () => inMailbox((home) => foldersBelow(home, 0)) ?? [],
    takersOf: (task) => inPlace(task.path, takersIn),
    workOf: (task) => inPlace(task.path, workIn) ?? NO_WORK,
    take: (task, claim, word) => inMailbox((home) => taken(home, task, { claim, word, others })) ?? 'gone',
    takeOver: (task, claim, word, mayBeTaken) =>
      inPlace(task.path, (folder, name, home) =>
        takenOver({ folder, name, home }, task, { claim, word }, mayBeTaken),
      ) ?? 'gone',
    renew: (task, claim, word) =>
      inPlace(task.path, (folder, name) => {
        if (folder.look(claimName(name, word)) === null) return false;
        folder.replace(claimName(name, word), claimText(claim));
        return true;
      }) ?? false,
    isClaimed: (task, word) =>
      inPlace(task.path, (folder, name) => folder.look(claimName(name, word)) !== null) ?? false,
    handBack: (task, to, record, word) => inMailbox((home) => handedBack(home, task, { to, record, word })) ?? 'gone',
    at: (file) =>
      isPlain(file) ? inMailbox((home) => sightedAt(home, file, names) ?? foundNow(home, homeOf(file), names)) : null,
    whereIs: (home) => (isPlain(home) ? inMailbox((folder) => foundNow(folder, home, names)) : null),
    companions: (task) =>
      inMailbox((home) => {
        const found = companionsIn(home, task).map(({ at, name }) => join(path, ...at, name));
        const news = found.filter((file) => file.endsWith('.md')).toSorted(byNumber);
        return { news, attachments: found.find((file) => file.endsWith('.attachments')) ?? null };
      }) ?? { news: [], attachments: null },
    answerWake: () => void inMailbox((home) => home.remove(WAKE_FILE)),
    createBeside: (task, name) => {
      const made = inPlace(task.path, (folder) => {
        folder.remove(name);
        return folder.create(name);
      });
      if (made === null) throw new Error(`${join(path, task.path)} is not there any more`);
      return { handle: made, path: join(path, dirname(task.path), name) };
    },
  };
}

function allOf({ tasks, unreadable }: Seen): ReturnType<Mailbox['look']> {
  return { tasks: tasks(), unreadable };
}

function firstAnswer<T>(tasks: Iterable<Sighting>, answer: (task: Sighting) => T | null): T | null {
  for (const task of tasks) {
    const answered = answer(task);
    if (answered !== null) return answered;
  }
  return null;
}

function foldersBelow(folder: Folder, depth: number): readonly string[] {
  const names = folder
    .list(MOST_FILES)
    .entries.flatMap(({ name, kind }) => (kind === 'folder' && isWalked(name) ? [name] : []));
  const below = depth === DEEPEST ? [] : names.filter((name) => depth > 0 || !NOT_NEW.has(name));
  return [
    folder.path,
    ...below.flatMap((name) => folder.inside([name], (next) => foldersBelow(next, depth + 1)) ?? []),
  ];
}

// By its name in each place first; agents put files elsewhere by hand, so else by looking at all.
function foundNow(home: Folder, name: string, names: TaskNames): Sighting | null {
  for (const stage of ['new', ...STAGE_FOLDERS] as const) {
    const task = sightedAt(home, pathIn(stage, name), names);
    if (task?.home === name) return task;
  }
  return (
    lookThrough(home, ['new', ...STAGE_FOLDERS], names)
      .tasks()
      .find((task) => task.home === name) ?? null
  );
}

function sightedAt(home: Folder, path: string, names: TaskNames): Sighting | null {
  const head = home.inside(foldersOf(path), (folder) => headOf(folder, basename(path)));
  return head ? sightingOf(path, head.facts, names) : null;
}

// Whoever names a task by a path may have made it up.
function isPlain(path: string): boolean {
  return path.length < 2000 && path.split('/').every((name) => name !== '' && name !== '.' && name !== '..');
}

function byNumber(a: string, b: string): number {
  const number = (path: string): number => Number(/(\d+)\.md$/u.exec(path)?.[1]);
  return number(a) - number(b);
}
