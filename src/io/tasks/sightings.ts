// The tasks of a mailbox, as their files tell it. Where there are many, what was read is kept in an index beside them: the
// names are always those that are there, and of what the index says the most urgent is read again before it is answered.

import { systemCode } from '../../core/errors.ts';
import { type HeadIndex, INDEX_FILE, type IndexedHead, indexText, parseIndex } from '../../core/mailbox/head-index.ts';
import { ARCHIVE, isTaskFileName, type Stage, STAGE_FOLDERS, type TaskNames } from '../../core/mailbox/place.ts';
import { HEAD_BYTES, headFacts, mostUrgent, type Sighting, sightingOf } from '../../core/mailbox/urgency.ts';
import { holdsNoTasks } from '../../core/task/file-name.ts';
import type { Folder } from './ground.ts';

/** No mailbox has more, and no folder of a mailbox lies deeper. */
export const MOST_FILES = 100_000;
export const DEEPEST = 8;

/** With fewer files in a folder each is opened, and no index is kept. */
const MANY = 500;
/** So many of the most urgent ones are read again, however fresh the index is. */
const READ_AGAIN = 4;
/** After so many times the index is not worth asking. */
const MOST_ROUNDS = 4;
/** In each look one of so many parts of the others is compared with its files, so that what was edited shows after a while. */
const PARTS = 128;
/** The index is written anew when so many files had to be read. */
const WORTH_WRITING = 64;
const INDEX_BYTES = 32 * 1024 * 1024;

/** What a look finds. */
export interface Seen {
  readonly tasks: readonly Sighting[];
  /** Files that this user may not read. */
  readonly unreadable: readonly string[];
  /** What else lies in the folders of tasks, by their paths. */
  readonly others: ReadonlyMap<string, readonly string[]>;
}

/** The tasks in these stages. */
export function lookThrough(home: Folder, stages: readonly Stage[], names: TaskNames): Seen {
  const skipped = STAGE_FOLDERS.filter((name) => !stages.includes(name));
  const tasksIn = ({ heads }: Walked): Sighting[] => {
    const tasks: Sighting[] = [];
    for (const [path, { facts }] of heads) {
      const task = sightingOf(path, facts, names);
      if (task && stages.includes(task.stage)) tasks.push(task);
    }
    return tasks;
  };
  let found = walked(home, skipped, true);
  let tasks = tasksIn(found);
  // What is answered first is what its file says now.
  for (let round = 1; found.index !== null; round += 1) {
    const edited = mostUrgent(tasks, READ_AGAIN).filter(({ path }) => isEdited(home, path, found.heads));
    if (edited.length === 0) break;
    if (round === MOST_ROUNDS) found = walked(home, skipped, false);
    tasks = tasksIn(found);
  }
  const { heads, unreadable, others, index, read } = found;
  if (read >= WORTH_WRITING && heads.size >= MANY) keep(home, heads, { index: index ?? indexIn(home), skipped });
  return { tasks, unreadable, others };
}

/** Takes away an index that tells of a path: another file is there now. */
export function forgetIndexed(home: Folder, path: string): void {
  if (home.look(INDEX_FILE) !== null && indexIn(home).at(path) !== undefined) home.remove(INDEX_FILE);
}

/** Whether tasks are looked for in a folder of that name. */
export function isWalked(folder: string): boolean {
  return !folder.startsWith('.') && !holdsNoTasks(folder);
}

/** What the beginning of a task file says. Null: it is gone, or no file any more. Undefined: it is not for us to read. */
export function headOf(folder: Folder, name: string): IndexedHead | null | undefined {
  try {
    const head = folder.read(name, HEAD_BYTES);
    return head && { stamp: head.stamp, facts: headFacts(head.text) };
  } catch (error) {
    if (systemCode(error) === 'EACCES') return undefined;
    throw error;
  }
}

interface Walked {
  /** What the files say, by their paths. */
  readonly heads: Map<string, IndexedHead>;
  readonly unreadable: readonly string[];
  readonly others: ReadonlyMap<string, readonly string[]>;
  /** Null: it was not asked. */
  readonly index: HeadIndex | null;
  /** How many files had to be read. */
  readonly read: number;
}

/** Which part of the files is looked at: another one in each look. */
let looks = process.pid;

function walked(home: Folder, skipped: readonly string[], mayAsk: boolean): Walked {
  const heads = new Map<string, IndexedHead>();
  const unreadable: string[] = [];
  const others = new Map<string, readonly string[]>();
  const part = (looks += 1) % PARTS;
  let index: HeadIndex | null = null;
  let read = 0;
  const headAt = (folder: Folder, name: string, path: string): IndexedHead | null | undefined => {
    const known = index?.at(path);
    const isTrusted = known && (heads.size % PARTS !== part || folder.look(name)?.stamp === known.stamp);
    if (isTrusted) return known;
    read += 1;
    return headOf(folder, name);
  };
  const walk = (folder: Folder, prefix: string, depth: number): void => {
    const { entries } = folder.list(MOST_FILES);
    if (mayAsk && entries.length >= MANY) index ??= indexIn(home);
    const beside: string[] = [];
    others.set(prefix, beside);
    for (const { name, kind } of entries) {
      const path = prefix + name;
      const isTask = kind === 'file' && isTaskFileName(name);
      if (!isTask) beside.push(name);
      if (kind === 'folder' && depth < DEEPEST && isWalked(name)) {
        if (prefix !== '' || (name !== ARCHIVE && !skipped.includes(name)))
          folder.inside([name], (below) => walk(below, `${path}/`, depth + 1));
      } else if (isTask) {
        const head = headAt(folder, name, path);
        if (head === undefined) unreadable.push(path);
        if (head) heads.set(path, head);
      }
    }
  };
  walk(home, '', 0);
  return { heads, unreadable, others, index, read };
}

// Whether a file says something else by now; then that is what is known. One that has just gone is for others to find gone.
function isEdited(home: Folder, path: string, heads: Map<string, IndexedHead>): boolean {
  const folders = path.split('/');
  const name = folders.pop() ?? '';
  return (
    home.inside(folders, (folder) => {
      const stamp = folder.look(name)?.stamp;
      if (stamp === undefined || stamp === heads.get(path)?.stamp) return false;
      const head = headOf(folder, name);
      if (!head) return false;
      heads.set(path, head);
      return true;
    }) ?? false
  );
}

function indexIn(home: Folder): HeadIndex {
  return parseIndex(home.read(INDEX_FILE, INDEX_BYTES)?.text ?? '');
}

// With what it says of folders that were not walked. Whoever may not write here, or finds the disk full, looks more slowly.
function keep(
  home: Folder,
  heads: ReadonlyMap<string, IndexedHead>,
  { index, skipped }: { readonly index: HeadIndex; readonly skipped: readonly string[] },
): void {
  const others = index.paths().flatMap((path): [string, IndexedHead][] => {
    const head = skipped.some((folder) => path.startsWith(`${folder}/`)) ? index.at(path) : undefined;
    return head ? [[path, head]] : [];
  });
  try {
    home.replaceCache(INDEX_FILE, indexText(new Map([...others.slice(0, MOST_FILES), ...heads])));
  } catch {
    // The next one tries again.
  }
}
