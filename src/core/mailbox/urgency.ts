// Which of an agent's tasks comes first, told from as little of each file as possible: there may be ten thousand.

import { fromRfc3339 } from '../clock.ts';
import { PRIORITIES } from '../issue/priority.ts';
import { TASK_SCHEMA } from '../task/front-matter.ts';
import { type Place, placeOf, type TaskNames } from './place.ts';

/** A task file that was seen, not read. */
export interface Sighting extends Place {
  /** Below the agent's folder. */
  readonly path: string;
  /** `acme/app#5`, as the file says; empty when it does not. */
  readonly ref: string;
  /** 0 for CRITICAL to 3 for LOW, and for what says none. */
  readonly rank: number;
  readonly createdAt: number;
}

/** How much of a file is needed. */
export const HEAD_BYTES = 4096;

/** What the beginning of a task file says of it, wherever it lies. */
export interface HeadFacts {
  /** Whether it says that it is a task. */
  readonly isTask: boolean;
  readonly ref: string;
  readonly rank: number;
  readonly createdAt: number;
}

/**
 * Reads the beginning of a task file. Each value is one JSON literal in a line of its own, so that a line can be found
 * without reading the others.
 */
export function headFacts(head: string): HeadFacts {
  const end = head.indexOf('\n---');
  const frontMatter = head.startsWith('---\n') ? head.slice(0, end < 0 ? undefined : end + 1) : '';
  const rank = PRIORITIES.findIndex((name) => name === valueOf(frontMatter, 'priority'));
  return {
    isTask: valueOf(frontMatter, 'schema') === TASK_SCHEMA,
    ref: valueOf(frontMatter, 'ref'),
    rank: rank < 0 ? PRIORITIES.length - 1 : rank,
    createdAt: fromRfc3339(valueOf(frontMatter, 'createdAt')) ?? 0,
  };
}

/** The task of a path. Null: it is no task, or archived. */
export function sightingOf(
  path: string,
  { isTask, ref, rank, createdAt }: HeadFacts,
  names: TaskNames,
): Sighting | null {
  const place = placeOf(path, ref, names);
  if (place === null || (!isTask && !names.isOne(place.home))) return null;
  return { stage: place.stage, home: place.home, path, ref, rank, createdAt };
}

/** Most urgent first, then oldest, then by path. */
export function byUrgency(a: Sighting, b: Sighting): number {
  return a.rank - b.rank || a.createdAt - b.createdAt || (a.home < b.home ? -1 : Number(a.home > b.home));
}

function valueOf(frontMatter: string, key: string): string {
  const start = frontMatter.indexOf(`\n${key}: "`);
  if (start < 0) return '';
  const from = start + key.length + 4;
  const end = frontMatter.indexOf('"', from);
  return end < 0 ? '' : frontMatter.slice(from, end);
}
