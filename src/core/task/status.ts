// One line of an agent's table: from a row of the last pass, or from a task file on disk.

import { fromRfc3339, toRfc3339 } from '../clock.ts';
import { type Servers, splitServer } from '../config/servers.ts';
import { issueAddress } from '../issue/issue.ts';
import { type Stall, type Taken, takerText } from '../mailbox/claim.ts';
import type { Stage } from '../mailbox/place.ts';
import { cameBy, type WorkRecord } from '../mailbox/work-record.ts';
import { PRIORITIES, type Priority, rank } from '../issue/priority.ts';
import type { RowRecord } from '../state/decision-record.ts';
import { cleanLine } from './untrusted.ts';

/** `skipped`: a candidate that was passed over; `reason` says why. */
export type TaskState = 'next' | 'waiting' | 'dispatched' | 'done' | 'skipped';

/** One line of an agent's table. Null stands for unknown, never an empty text. */
export interface TaskStatus {
  readonly ref: string | null;
  readonly issue: number | null;
  readonly repository: string | null;
  /** The name of its server, where there are several. */
  readonly server?: string;
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
  /** How far its agent is; null: it is not dispatched. */
  readonly stage: Stage | null;
  /** Why nobody seems to work on it any more, although it is taken. */
  readonly stalled: Stall | null;
  readonly takenBy: string | null;
  readonly takenAt: string | null;
}

/** A task file on disk, read. */
export interface TaskFile {
  readonly agent: string;
  readonly task: TaskStatus & { readonly file: string };
  /** Who has it; null: nobody. */
  readonly taken: Taken | null;
}

/** The task of a candidate of the last pass that was not dispatched. */
export function rowTask(servers: Servers, row: RowRecord): TaskStatus {
  return {
    ref: row.ref,
    issue: row.issue,
    ...placeOf(row.repository),
    title: row.title,
    url: issueAddress(servers, row.repository, row.issue),
    priority: row.priority,
    prioritySource: row.prioritySource,
    state: row.outcome === 'chosen' ? 'waiting' : row.outcome,
    reason: row.reason,
    detail: row.detail,
    file: null,
    dispatchedAt: null,
    createdAt: row.createdAt,
    ...NOT_TAKEN,
    stage: null,
  };
}

function placeOf(repository: string): Pick<TaskStatus, 'repository' | 'server'> {
  const { server, rest } = splitServer(repository);
  return { repository: rest, ...(server === null ? {} : { server }) };
}

const NOT_TAKEN = { stalled: null, takenBy: null, takenAt: null } as const;

/**
 * The task of a file at an absolute path, as its front matter tells it. An agent may have edited the file: nothing in it
 * is taken on trust.
 */
export function fileTask(file: string, stage: Stage, fields: ReadonlyMap<string, unknown>): TaskFile['task'] {
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
  const server = text('server');
  return {
    ref: text('ref'),
    issue: typeof number === 'number' ? number : null,
    repository: text('repository'),
    ...(server === null ? {} : { server }),
    title: text('title'),
    url: text('url'),
    priority: PRIORITIES.find((name) => name === priority) ?? null,
    prioritySource: text('prioritySource'),
    state: stage === 'done' ? 'done' : 'dispatched',
    reason: null,
    detail: null,
    file,
    dispatchedAt: date('dispatchedAt'),
    createdAt: date('createdAt'),
    ...NOT_TAKEN,
    stage,
  };
}

/** A task's file with how the work on it goes: who has it, why it is blocked, or why it is new again. */
export function workedTask(task: TaskFile['task'], taken: Taken | null, work: WorkRecord): TaskFile['task'] {
  const [newest] = [...(taken?.claims ?? [])].toSorted((a, b) => (a.at < b.at ? 1 : -1));
  return {
    ...task,
    detail: task.stage === null ? null : (cameBy(work, task.stage)?.reason ?? null),
    takenBy: newest ? takerText(newest) : null,
    takenAt: taken ? (newest?.at ?? toRfc3339(taken.movedAt)) : null,
  };
}

/** The word for where a task is: why it was passed over, or how far its agent is. */
export function stateWord({ reason, stage, stalled, state }: TaskStatus): string {
  return reason ?? (stalled === null ? (stage ?? state) : 'stalled');
}

/** Since when it is where it is: taken or dispatched; what is not dispatched, since its issue was opened. Null: nobody knows. */
export function sinceOf({ stage, takenAt, dispatchedAt, createdAt }: TaskStatus): string | null {
  if (stage === 'doing') return takenAt ?? dispatchedAt;
  return stage === null ? createdAt : dispatchedAt;
}

const TURN: Readonly<Record<TaskState, number>> = { dispatched: 1, next: 2, waiting: 2, skipped: 3, done: 4 };

// What somebody has to look at, and what is worked on, stands before what is new.
function turnOf({ state, stage }: TaskStatus): number {
  return stage === 'blocked' || stage === 'doing' ? 0 : TURN[state];
}

/** What the agent has, then what is to come, what was passed over, what it has finished; each most urgent and oldest first. */
export function inTurn(tasks: readonly TaskStatus[]): readonly TaskStatus[] {
  return tasks
    .map((task) => ({ task, rank: rank(task.priority ?? 'LOW'), createdAt: fromRfc3339(task.createdAt ?? '') ?? 0 }))
    .toSorted((a, b) => turnOf(a.task) - turnOf(b.task) || a.rank - b.rank || a.createdAt - b.createdAt)
    .map(({ task }) => task);
}
