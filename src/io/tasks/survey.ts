// What is known of the task files in a mailbox: their names are always those that are there; what they say comes from the files,
// or, where there are many, from an index beside them that was written when they were read last.

import { systemCode } from '../../core/errors.ts';
import {
  type HeadIndex,
  INDEX_FILE,
  type IndexedFolder,
  type IndexedHead,
  indexText,
  parseIndex,
} from '../../core/mailbox/head-index.ts';
import type { IndexedRows, KnownHeads } from '../../core/mailbox/most-urgent.ts';
import { ARCHIVE, isTaskFileName } from '../../core/mailbox/place.ts';
import { HEAD_BYTES, headFacts } from '../../core/mailbox/urgency.ts';
import { holdsNoTasks } from '../../core/task/file-name.ts';
import type { Folder } from './ground.ts';
import type { Listed } from './ground-calls.ts';

/** No mailbox has more files. */
export const MOST_FILES = 100_000;
/** No folder of a mailbox lies deeper. */
export const DEEPEST = 8;

/** With fewer files each is opened, and no index is kept. */
const MANY = 500;
/**
 * In each look one of so many parts of the rows, with about as many rows as that, is compared with its files: what was edited
 * shows after as many looks at most. Primes: numbers of processes go up in steps, which would keep to some of the parts.
 */
const PARTS = [17, 61, 127, 251];
const MOST_PARTS = 509;
const ROWS_OF_A_PART = 170;
/** The index is written anew when so many files had to be read. */
const WORTH_WRITING = 64;
/** The kinds of more names than these are asked for all at once. */
const FEW = 1000;
const INDEX_BYTES = 32 * 1024 * 1024;

interface Rows extends IndexedRows {
  readonly passed: Set<string>;
}

/** What a look finds. Paths are below the mailbox. */
export interface Survey extends KnownHeads {
  readonly indexed: readonly Rows[];
  readonly read: Map<string, IndexedHead>;
  /** Files that this user may not read. */
  readonly unreadable: string[];
  /** What else lies in the folders of tasks, by their paths. */
  readonly others: ReadonlyMap<string, readonly string[]>;
  /** Whether the index said something else of a file than the file does. */
  readonly isWrong: boolean;
}

/** Looks at all but these folders of stages, and keeps what it read where that is worth it. */
export function surveyed(home: Folder, skipped: readonly string[]): Survey {
  const index = indexIn(home);
  const survey = walked(home, skipped, index);
  keep(
    home,
    survey,
    [...index].filter(([prefix]) => skipped.some((name) => prefix.startsWith(`${name}/`))),
    index,
  );
  return survey;
}

/** Takes away an index that tells of a path: another file is there now. */
export function forgetIndexed(home: Folder, path: string): void {
  if (home.look(INDEX_FILE) === null) return;
  const [prefix, name] = parted(path);
  if (indexIn(home).get(prefix)?.names.includes(name)) forgetIndex(home);
}

/** Takes the index away. Whoever may not do so lives with it. */
export function forgetIndex(home: Folder): void {
  withoutFail(() => home.remove(INDEX_FILE));
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

/** All that is known, by paths. Undefined: a row that is spoilt. */
export function* headsOf({ indexed, read }: Survey): Generator<readonly [path: string, head: IndexedHead | undefined]> {
  for (const { prefix, folder, passed } of indexed) {
    for (const [position, name] of folder.names.entries())
      if (!passed.has(name)) yield [prefix + name, folder.at(position)];
  }
  yield* read;
}

/** `acme/app/` and `issue-5.md` of the path that they make. */
export function parted(path: string): readonly [prefix: string, name: string] {
  const end = path.lastIndexOf('/') + 1;
  return [path.slice(0, end), path.slice(end)];
}

/** Tells which part of the rows is looked at: another one in each look. */
let looks = process.pid;

function walked(home: Folder, skipped: readonly string[], index: HeadIndex): Survey {
  const indexed: Rows[] = [];
  const read = new Map<string, IndexedHead>();
  const unreadable: string[] = [];
  const others = new Map<string, readonly string[]>();
  looks += 1;
  let isWrong = false;
  const entriesToRead = (folder: Folder, prefix: string): Listed['entries'] => {
    const rows = index.get(prefix);
    const passed = new Set(rows?.names);
    if (rows === undefined || passed.size < rows.names.length) return folder.list(MOST_FILES).entries;
    indexed.push({ prefix, folder: rows, passed });
    const untold = untoldIn(folder, passed);
    const edited = editedIn(folder, rows, passed);
    for (const name of edited) passed.add(name);
    isWrong ||= edited.length > 0;
    return entriesOf(folder, [...untold, ...edited]);
  };
  const walk = (folder: Folder, prefix: string, depth: number): void => {
    const beside: string[] = [];
    others.set(prefix, beside);
    for (const { name, kind } of entriesToRead(folder, prefix)) {
      const path = prefix + name;
      const isTask = kind === 'file' && isTaskFileName(name);
      if (!isTask) beside.push(name);
      if (kind === 'folder' && depth < DEEPEST && isWalked(name)) {
        if (prefix !== '' || (name !== ARCHIVE && !skipped.includes(name)))
          folder.inside([name], (below) => walk(below, `${path}/`, depth + 1));
      } else if (isTask) {
        const head = headOf(folder, name);
        if (head === undefined) unreadable.push(path);
        if (head) read.set(path, head);
      }
    }
  };
  walk(home, '', 0);
  return { indexed, read, unreadable, others, isWrong };
}

// The names in a folder of which its rows do not tell. What is left in `passed` of all their names is gone. Little is done for
// a name: there may be ten thousand.
function untoldIn(folder: Folder, passed: Set<string>): readonly string[] {
  return folder.names(MOST_FILES).filter((name) => !passed.delete(name));
}

// Of a part of the rows, the names whose files are not what was read.
function editedIn(folder: Folder, { names, at }: IndexedFolder, passed: ReadonlySet<string>): readonly string[] {
  const parts = PARTS.find((count) => names.length <= count * ROWS_OF_A_PART) ?? MOST_PARTS;
  const startOf = (part: number): number => Math.floor((names.length * part) / parts);
  const start = startOf(looks % parts);
  return names
    .slice(start, startOf((looks % parts) + 1))
    .filter((name, place) => !passed.has(name) && folder.look(name)?.stamp !== at(start + place)?.stamp);
}

function entriesOf(folder: Folder, names: readonly string[]): Listed['entries'] {
  if (names.length <= FEW) return names.map((name) => ({ name, kind: folder.look(name)?.kind ?? 'other' }));
  const wanted = new Set(names);
  return folder.list(MOST_FILES).entries.filter(({ name }) => wanted.has(name));
}

function indexIn(home: Folder): HeadIndex {
  return parseIndex(home.read(INDEX_FILE, INDEX_BYTES)?.text ?? '');
}

// Writes the index where it was wrong, many files had to be read, or most of it tells of files that are gone. With what it says of folders
// that were not walked. Whoever may not write here, or finds the disk full, looks more slowly.
function keep(
  home: Folder,
  survey: Survey,
  unwalked: readonly (readonly [prefix: string, folder: IndexedFolder])[],
  index: HeadIndex,
): void {
  const rows = (folders: Iterable<readonly [string, IndexedFolder]>): number =>
    [...folders].reduce((sum, [, { names }]) => sum + names.length, 0);
  const believed = survey.indexed.reduce((sum, { folder, passed }) => sum + folder.names.length - passed.size, 0);
  const elsewhere = rows(unwalked);
  const all = believed + elsewhere + survey.read.size;
  const gone = rows(index) - believed - elsewhere;
  if (all < MANY / 2 && index.size > 0) forgetIndex(home);
  if (all < MANY || (!survey.isWrong && survey.read.size < WORTH_WRITING && gone <= all)) return;
  const heads = new Map<string, (readonly [string, IndexedHead])[]>();
  for (const [path, head] of headsOf(survey)) {
    const [prefix, name] = parted(path);
    const there = heads.get(prefix) ?? [];
    heads.set(prefix, there);
    if (head) there.push([name, head]);
  }
  if (elsewhere <= MOST_FILES) {
    for (const [prefix, { names, at }] of unwalked)
      heads.set(
        prefix,
        names.flatMap((name, position) => {
          const head = at(position);
          return head ? [[name, head] as const] : [];
        }),
      );
  }
  withoutFail(() => home.replaceCache(INDEX_FILE, indexText(heads)));
}

function withoutFail(work: () => void): void {
  try {
    work();
  } catch {
    // The next one tries again.
  }
}
