// What the heads of many task files said when they were read last: a file in an agent's folder, so that the most urgent of
// ten thousand is found without opening each. Whoever may write there may write this too, so that nothing in it is believed
// of a task that is taken: its own file is looked at first.

import type { HeadFacts } from './urgency.ts';

/** The file's name in an agent's folder. */
export const INDEX_FILE = '.index';

const SCHEMA = 'dispatcher.index/1';

/** A head that was read, and the stamp that its file had then. */
export interface IndexedHead {
  readonly stamp: string;
  readonly facts: HeadFacts;
}

/** What the index says. */
export interface HeadIndex {
  /** Of the file at a path; undefined: nothing. */
  readonly at: (path: string) => IndexedHead | undefined;
  readonly paths: () => readonly string[];
}

/**
 * Reads the file; what is none, or spoilt, says nothing. Lines, not JSON: ten thousand of them are read for every `next`, and
 * of most only the beginning.
 */
export function parseIndex(text: string): HeadIndex {
  const lines = text.startsWith(`${SCHEMA}\n`) ? text.split('\n') : [];
  const rows = new Map<string, string>();
  for (const line of lines) {
    const end = line.indexOf('\t');
    if (end > 0) rows.set(line.slice(0, end), line);
  }
  return {
    at: (path) => {
      const row = rows.get(path);
      return row === undefined ? undefined : headIn(row);
    },
    paths: () => [...rows.keys()],
  };
}

/** The index as the text of its file. What no line can hold is not in it, and is read each time. */
export function indexText(heads: ReadonlyMap<string, IndexedHead>): string {
  const lines: string[] = [SCHEMA];
  for (const [path, { stamp, facts }] of heads) {
    const row = [path, stamp, facts.isTask ? 1 : 0, facts.rank, facts.createdAt, facts.ref];
    if (!/[\t\n]/u.test(`${path}${facts.ref}`)) lines.push(row.join('\t'));
  }
  return `${lines.join('\n')}\n`;
}

function headIn(row: string): IndexedHead | undefined {
  const values = row.split('\t');
  const rank = Number(values[3]);
  const createdAt = Number(values[4]);
  if (values.length !== 6 || !Number.isSafeInteger(rank) || !Number.isSafeInteger(createdAt)) return undefined;
  return { stamp: values[1] ?? '', facts: { isTask: values[2] === '1', ref: values[5] ?? '', rank, createdAt } };
}
