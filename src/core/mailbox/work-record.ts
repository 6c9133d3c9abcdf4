// How the work on a task went so far: a file beside the task, issue-5.work.json, that goes wherever the task goes.

import { fieldsOf, objectIn } from './fields.ts';
import { fromRfc3339, type Instant, toRfc3339 } from '../clock.ts';
import type { Stage } from './place.ts';
import { maskSecrets } from '../task/secrets.ts';
import { cleanLine } from '../task/untrusted.ts';

/** How a run, or a hand-back by command, ended. `gone`: whoever had taken it was there no more. */
const OUTCOMES = ['done', 'blocked', 'released', 'failed', 'timed_out', 'gone'] as const;
type WorkOutcome = (typeof OUTCOMES)[number];

export interface WorkEvent {
  readonly at: string;
  readonly by: string;
  readonly outcome: WorkOutcome;
  readonly reason: string | null;
  readonly pullRequest: string | null;
  readonly note: string | null;
}

/** How the work on a task went so far, as it lies beside it. */
export interface WorkRecord {
  /** Runs that failed since the task was new, or since it was last handed back. */
  readonly attempts: number;
  /** Not offered again before then; null: at once. */
  readonly retryAt: string | null;
  /** The newest last. */
  readonly events: readonly WorkEvent[];
}

/** Of a task that nobody worked on. */
export const NO_WORK: WorkRecord = { attempts: 0, retryAt: null, events: [] };

const SCHEMA = 'dispatcher.work/1';
const KEPT = 20;
const LONGEST = 2000;

/** The record as the text of its file. */
export function workText(record: WorkRecord): string {
  return `${JSON.stringify({ schema: SCHEMA, ...record }, null, 1)}\n`;
}

/** Reads the file, which its agent may have written; what is no such file is no record. Secrets in it are masked. */
export function parseWork(text: string): WorkRecord {
  const fields = objectIn(text);
  if (fields['schema'] !== SCHEMA) return NO_WORK;
  const attempts = fields['attempts'];
  const events = Array.isArray(fields['events']) ? fields['events'] : [];
  return {
    attempts: typeof attempts === 'number' && Number.isSafeInteger(attempts) && attempts > 0 ? attempts : 0,
    retryAt: dateOf(fields['retryAt']),
    events: events.slice(-KEPT).flatMap((event) => eventOf(fieldsOf(event))),
  };
}

/** The record after a run that did not succeed: `isFinal` when that was the last one allowed. */
export function afterAttempt(
  record: WorkRecord,
  event: WorkEvent,
  { now, most }: { readonly now: Instant; readonly most: number },
): { readonly record: WorkRecord; readonly isFinal: boolean } {
  const attempts = record.attempts + 1;
  const isFinal = attempts >= most;
  const retryAt = isFinal ? null : toRfc3339(now + backOffMs(attempts));
  return { record: { ...withEvent(record, event), attempts, retryAt }, isFinal };
}

/** The record after a task was handed back by somebody who knew why: it begins anew. */
export function afterHandBack(record: WorkRecord, event: WorkEvent): WorkRecord {
  return { ...withEvent(record, event), attempts: 0, retryAt: null };
}

/** The record after a task was given back untouched, which is nobody's failure: what was tried still counts, and it is new at once. */
export function afterRelease(record: WorkRecord, event: WorkEvent): WorkRecord {
  return { ...withEvent(record, event), retryAt: null };
}

const ENDS_IN: Readonly<Record<WorkOutcome, Stage>> = {
  done: 'done',
  blocked: 'blocked',
  released: 'new',
  failed: 'new',
  timed_out: 'new',
  gone: 'new',
};

/** What brought a task to its stage; null: it came there by itself, or by hand. */
export function cameBy({ events }: WorkRecord, stage: Stage): WorkEvent | null {
  const last = events.at(-1);
  return last !== undefined && ENDS_IN[last.outcome] === stage ? last : null;
}

/** Whether the back-off of its last failed run is over. A clock that was set back delays it by one such time at most. */
export function isDue({ retryAt, attempts }: WorkRecord, now: Instant): boolean {
  const at = fromRfc3339(retryAt ?? '');
  return at === undefined || at <= now || at - now > backOffMs(Math.max(1, attempts));
}

/** A minute after the first failed run, then twice as long each time, at most a quarter of an hour: as for issues in a pass. */
function backOffMs(attempts: number): number {
  return Math.min(15, 2 ** (attempts - 1)) * 60_000;
}

function withEvent(record: WorkRecord, event: WorkEvent): WorkRecord {
  const short = (text: string | null): string | null =>
    text === null ? null : cleanLine(text.slice(0, 4 * LONGEST), LONGEST);
  const clean = {
    ...event,
    reason: short(event.reason),
    pullRequest: short(event.pullRequest),
    note: short(event.note),
  };
  return { ...record, events: [...record.events, clean].slice(-KEPT) };
}

function eventOf(fields: Readonly<Record<string, unknown>>): WorkEvent[] {
  const at = dateOf(fields['at']);
  const outcome = OUTCOMES.find((name) => name === fields['outcome']);
  if (at === null || outcome === undefined) return [];
  const text = (key: string): string | null => {
    const value = fields[key];
    return typeof value === 'string' && value !== ''
      ? maskSecrets(cleanLine(value.slice(0, 4 * LONGEST), LONGEST))
      : null;
  };
  return [
    { at, by: text('by') ?? '', outcome, reason: text('reason'), pullRequest: text('pullRequest'), note: text('note') },
  ];
}

function dateOf(value: unknown): string | null {
  const at = typeof value === 'string' ? fromRfc3339(value) : undefined;
  return at === undefined ? null : toRfc3339(at);
}
