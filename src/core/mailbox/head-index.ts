// What the heads of many task files said when they were read last: a file in an agent's folder, so that the most urgent of
// ten thousand is found without opening each. Whoever may write there may write this too, so that nothing in it is believed
// of a task that is taken: its own file is read first.

import type { HeadFacts } from './urgency.ts';

/** The file's name in an agent's folder. */
export const INDEX_FILE = '.index';

const SCHEMA = 'dispatcher.index/2';

/** A head that was read, and the stamp that its file had then. */
export interface IndexedHead {
  readonly stamp: string;
  readonly facts: HeadFacts;
}

/** What the index says of the task files in one folder. */
export interface IndexedFolder {
  /** Their names, the most urgent ones first. */
  readonly names: readonly string[];
  /** Of the one at that place among the names; undefined: nothing that could be read. */
  readonly at: (position: number) => IndexedHead | undefined;
}

/** What the index says, by folders: `''` for the agent's own, `acme/app/` for one below it. */
export type HeadIndex = ReadonlyMap<string, IndexedFolder>;

/** So many rows are read together. */
const BLOCK = 128;

/**
 * Reads the file; what is none, or spoilt, says nothing. No JSON, and the names apart from the rows that tell of them: for
 * every `next` ten thousand names are compared with those that are there, and a few rows are read.
 */
export function parseIndex(text: string): HeadIndex {
  const [schema, ...parts] = text.endsWith('\n\n') ? text.slice(0, -2).split('\n\n') : [];
  const folders = new Map<string, IndexedFolder>();
  let part = schema === SCHEMA ? 0 : parts.length;
  while (part < parts.length) {
    const folder = parts[part] ?? '';
    const names = parts[part + 1]?.split('\n') ?? [];
    const end = part + 2 + Math.ceil(names.length / BLOCK);
    // The last ones of a file that was cut off are not there.
    if (!folder.startsWith('./') || names.length === 0 || end > parts.length) return new Map();
    folders.set(folder.slice(2), { names, at: rowsOf(parts.slice(part + 2, end), names.length) });
    part = end;
  }
  return folders;
}

function rowsOf(blocks: readonly string[], count: number): IndexedFolder['at'] {
  const read = new Map<number, readonly string[]>();
  return (position) => {
    const number = Math.floor(position / BLOCK);
    const rows = read.get(number) ?? blocks[number]?.split('\n') ?? [];
    read.set(number, rows);
    // With other rows than names, nobody knows which is whose.
    const isWhole = rows.length === Math.min(BLOCK, count - number * BLOCK);
    return isWhole ? headIn(rows[position % BLOCK] ?? '') : undefined;
  };
}

/** The index as the text of its file. What no line can hold is not in it, and is read each time. */
export function indexText(
  folders: ReadonlyMap<string, readonly (readonly [name: string, head: IndexedHead])[]>,
): string {
  const parts: string[] = [SCHEMA];
  for (const [folder, heads] of folders) {
    const rows = heads
      .filter(([name, { facts }]) => name !== '' && !`${name}${facts.ref}`.includes('\n'))
      .toSorted(([one, a], [other, b]) => byKey(a.facts, b.facts) || (one < other ? -1 : 1));
    if (rows.length === 0 || folder.includes('\n')) continue;
    parts.push(`./${folder}`, rows.map(([name]) => name).join('\n'));
    for (let from = 0; from < rows.length; from += BLOCK) {
      const block = rows.slice(from, from + BLOCK).map(([, head]) => rowOf(head));
      parts.push(block.join('\n'));
    }
  }
  return parts.map((part) => `${part}\n\n`).join('');
}

/** Most urgent first, then oldest. */
export function byKey(a: Pick<HeadFacts, 'rank' | 'createdAt'>, b: Pick<HeadFacts, 'rank' | 'createdAt'>): number {
  return a.rank - b.rank || a.createdAt - b.createdAt;
}

function rowOf({ stamp, facts }: IndexedHead): string {
  return [stamp, facts.isTask ? 1 : 0, facts.rank, facts.createdAt, facts.ref].join('\t');
}

function headIn(row: string): IndexedHead | undefined {
  const [stamp = '', isTask, rankText, createdText, ...ref] = row.split('\t');
  const [rank, createdAt] = [Number(rankText), Number(createdText)];
  if (ref.length === 0 || !Number.isSafeInteger(rank) || !Number.isSafeInteger(createdAt)) return undefined;
  return { stamp, facts: { isTask: isTask === '1', ref: ref.join('\t'), rank, createdAt } };
}
