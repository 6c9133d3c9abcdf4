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

/** No mailbox has more, and no folder of a mailbox lies deeper. */
export const MOST_FILES = 100_000;
export const DEEPEST = 8;

/** With fewer files each is opened, and no index is kept. */
const MANY = 500;
/**
 * In each look one of so many parts of the rows is compared with its files, so that what was edited shows after a while. A
 * prime: numbers of processes go up in steps, which would keep to some of the parts.
 */
const PARTS = 127;
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

/** Which part of the rows is looked at: another one in each look. */
let looks = process.pid;

function walked(home: Folder, skipped: readonly string[], index: HeadIndex): Survey {
  const indexed: Rows[] = [];
  const read = new Map<string, IndexedHead>();
  const unreadable: string[] = [];
  const others = new Map<string, readonly string[]>();
  const part = (looks += 1) % PARTS;
  const untold = (folder: Folder, prefix: string): Listed['entries'] => {
    const rows = index.get(prefix);
    const passed = new Set(rows?.names);
    if (rows === undefined || passed.size < rows.names.length) return folder.list(MOST_FILES).entries;
    indexed.push({ prefix, folder: rows, passed });
    return entriesOf(folder, untoldIn(folder, rows, { passed, part }));
  };
  const walk = (folder: Folder, prefix: string, depth: number): void => {
    const beside: string[] = [];
    others.set(prefix, beside);
    for (const { name, kind } of untold(folder, prefix)) {
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
  return { indexed, read, unreadable, others };
}

// The names in a folder of which its rows do not tell what their files say now. What is left of all names in `passed` is the rows
// that are not to be believed. Little is done for a name: there may be ten thousand.
function untoldIn(
  folder: Folder,
  { names, at }: IndexedFolder,
  { passed, part }: { readonly passed: Set<string>; readonly part: number },
): readonly string[] {
  const untold = folder.names(MOST_FILES).filter((name) => !passed.delete(name));
  const from = Math.floor((names.length * part) / PARTS);
  for (let position = from; position < Math.floor((names.length * (part + 1)) / PARTS); position += 1) {
    const name = names[position] ?? '';
    if (passed.has(name) || folder.look(name)?.stamp === at(position)?.stamp) continue;
    passed.add(name);
    untold.push(name);
  }
  return untold;
}

function entriesOf(folder: Folder, names: readonly string[]): Listed['entries'] {
  if (names.length <= FEW) return names.map((name) => ({ name, kind: folder.look(name)?.kind ?? 'other' }));
  const wanted = new Set(names);
  return folder.list(MOST_FILES).entries.filter(({ name }) => wanted.has(name));
}

function indexIn(home: Folder): HeadIndex {
  return parseIndex(home.read(INDEX_FILE, INDEX_BYTES)?.text ?? '');
}

// Writes the index where many files had to be read, or most of it tells of files that are gone. With what it says of folders
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
  if (all < MANY || (survey.read.size < WORTH_WRITING && gone <= all)) return;
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
