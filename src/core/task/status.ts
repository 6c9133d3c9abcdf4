// One line of an agent's table: from a row of the last pass, or from a task file on disk.

import { fromRfc3339 } from '../clock.ts';
import { issueUrl } from '../issue/issue.ts';
import { PRIORITIES, type Priority, rank } from '../issue/priority.ts';
import type { RowRecord } from '../state/state.ts';
import { cleanLine } from './untrusted.ts';

/** `skipped`: a candidate that was passed over; `reason` says why. */
export type TaskState = 'next' | 'waiting' | 'dispatched' | 'done' | 'skipped';

/** One line of an agent's table. Null stands for unknown, never an empty text. */
export interface TaskStatus {
  readonly ref: string | null;
  readonly issue: number | null;
  readonly repository: string | null;
  readonly title: string | null;
  readonly url: string | null;
  readonly priority: Priority | null;
  readonly prioritySource: string | null;
  readonly state: TaskState;
  /** Why a skipped one was passed over, as a word and in detail. */
  readonly reason: string | null;
  readonly detail: string | null;
  readonly file: string | null;
  readonly dispatchedAt: string | null;
  readonly createdAt: string | null;
}

/** A task file on disk, read. */
export interface TaskFile {
  readonly agent: string;
  readonly task: TaskStatus & { readonly file: string };
}

/** The task of a candidate of the last pass that was not dispatched. */
export function rowTask(server: string, row: RowRecord): TaskStatus {
  return {
    ref: row.ref,
    issue: row.issue,
    repository: row.repository,
    title: row.title,
    url: issueUrl(server, row.repository, row.issue),
    priority: row.priority,
    prioritySource: row.prioritySource,
    state: row.outcome === 'chosen' ? 'waiting' : row.outcome,
    reason: row.reason,
    detail: row.detail,
    file: null,
    dispatchedAt: null,
    createdAt: row.createdAt,
  };
}

/**
 * The task of a file at an absolute path, as its front matter tells it. An agent may have edited the file: nothing in it
 * is taken on trust.
 */
export function fileTask(file: string, done: boolean, fields: ReadonlyMap<string, unknown>): TaskFile['task'] {
  const text = (key: string): string | null => {
    const value = fields.get(key);
    return typeof value === 'string' && value !== '' ? cleanLine(value, 1000) : null;
  };
  const date = (key: string): string | null => {
    const value = text(key);
    return fromRfc3339(value ?? '') === undefined ? null : value;
  };
  const number = fields.get('issue');
  const priority = text('priority');
  return {
    ref: text('ref'),
    issue: typeof number === 'number' ? number : null,
    repository: text('repository'),
    title: text('title'),
    url: text('url'),
    priority: PRIORITIES.find((name) => name === priority) ?? null,
    prioritySource: text('prioritySource'),
    state: done ? 'done' : 'dispatched',
    reason: null,
    detail: null,
    file,
    dispatchedAt: date('dispatchedAt'),
    createdAt: date('createdAt'),
  };
}

const TURN: Readonly<Record<TaskState, number>> = { dispatched: 0, next: 1, waiting: 1, skipped: 2, done: 3 };

/** What the agent has, then what is to come, what was passed over, what it has finished; each most urgent and oldest first. */
export function inTurn(tasks: readonly TaskStatus[]): readonly TaskStatus[] {
  return tasks
    .map((task) => ({ task, rank: rank(task.priority ?? 'LOW'), createdAt: fromRfc3339(task.createdAt ?? '') ?? 0 }))
    .toSorted((a, b) => TURN[a.task.state] - TURN[b.task.state] || a.rank - b.rank || a.createdAt - b.createdAt)
    .map(({ task }) => task);
}
