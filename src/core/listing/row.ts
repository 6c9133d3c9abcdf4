// An assigned issue as a line of the cache: what the choice looks at. A line with a number alone takes that issue back.

import type { Instant } from '../clock.ts';
import type { Issue } from '../issue/issue.ts';

/** The line of an issue. Equal issues have equal lines. */
export function rowOf(issue: Issue): string {
  const { id, repository, number, title, labels, author, assignees, createdAt, updatedAt } = issue;
  return JSON.stringify([id, repository, number, title, labels, author, assignees, createdAt, updatedAt]);
}

/** A positive number that is another one for another line: 32 bits of FNV-1a. */
export function fingerprint(row: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < row.length; index += 1) hash = Math.imul(hash ^ row.charCodeAt(index), 0x01000193);
  return (hash >>> 0) + 1;
}

/**
 * The issues in the lines of a cache, all or those with some ids, the last line of each counting. Undefined when they are not those with the fingerprints
 * that are known: then the lines are not the ones that were written.
 */
export function issuesIn(
  lines: readonly string[],
  printOf: (id: number) => number | undefined,
  ids: ReadonlySet<number> | null = null,
): readonly Issue[] | undefined {
  const last = new Map<number, string>();
  for (const line of lines) {
    const isRow = line.startsWith('[');
    const id = Number(isRow ? line.slice(1, line.indexOf(',')) : line);
    if (ids !== null && !ids.has(id)) continue;
    if (isRow) last.set(id, line);
    else last.delete(id);
  }
  for (const [id, line] of last) if (printOf(id) !== fingerprint(line)) return undefined;
  // All at once: thousands of small parses cost three times as much.
  const raw = parsed(`[${[...last.values()].join(',')}]`);
  if (!Array.isArray(raw)) return undefined;
  const issues = raw.map((each) => issueOf(each));
  return areAll(issues) && issues.length === last.size ? issues : undefined;
}

function areAll(issues: readonly (Issue | undefined)[]): issues is readonly Issue[] {
  return !issues.includes(undefined);
}

/** When the last line of an issue says that it was updated. */
export function updatedIn(lines: readonly string[], id: number): Instant | undefined {
  const line = lines.findLast((each) => each.startsWith(`[${id},`));
  return line === undefined ? undefined : issueOf(parsed(line))?.updatedAt;
}

function issueOf(raw: unknown): Issue | undefined {
  if (!Array.isArray(raw)) return undefined;
  const values: readonly unknown[] = raw;
  const [id, repository, number, title, labels, author, assignees, createdAt, updatedAt] = values;
  if (typeof id !== 'number' || typeof number !== 'number') return undefined;
  if (typeof createdAt !== 'number' || typeof updatedAt !== 'number') return undefined;
  if (typeof repository !== 'string' || typeof title !== 'string' || typeof author !== 'string') return undefined;
  if (!areTexts(labels) || !areTexts(assignees)) return undefined;
  return { id, repository, number, title, labels, author, assignees, createdAt, updatedAt };
}

function areTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
