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

/**
 * Reads the file; what is none, or spoilt, says nothing. No JSON, and the names apart from what is said of them: for every
 * `next` ten thousand names are compared with those that are there, and of the rest a few lines are read.
 */
export function parseIndex(text: string): HeadIndex {
  const [schema, ...parts] = text.endsWith('\n\n') ? text.slice(0, -2).split('\n\n') : [];
  const folders = new Map<string, IndexedFolder>();
  if (schema !== SCHEMA) return folders;
  for (let part = 0; part + 2 < parts.length; part += 3) {
    const [folder = '', names = [], rows = []] = [
      parts[part],
      parts[part + 1]?.split('\n'),
      parts[part + 2]?.split('\n'),
    ];
    // A file that was cut off has other rows than names.
    if (!folder.startsWith('./') || names.length !== rows.length) return new Map();
    folders.set(folder.slice(2), { names, at: (position) => headIn(rows[position] ?? '') });
  }
  return folders;
}

/** The index as the text of its file. What no line can hold is not in it, and is read each time. */
export function indexText(
  folders: ReadonlyMap<string, readonly (readonly [name: string, head: IndexedHead])[]>,
): string {
  const parts: string[] = [SCHEMA];
  for (const [folder, heads] of folders) {
    const rows = heads.filter(([name, { facts }]) => name !== '' && !`${name}${facts.ref}`.includes('\n'));
    if (rows.length === 0 || folder.includes('\n')) continue;
    const sorted = rows.toSorted(([one, a], [other, b]) => byKey(a.facts, b.facts) || (one < other ? -1 : 1));
    parts.push(
      `./${folder}`,
      sorted.map(([name]) => name).join('\n'),
      sorted.map(([, head]) => rowOf(head)).join('\n'),
    );
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
