import * as z from 'zod/mini';
import { DispatchRecordSchema } from './dispatch-record.ts';
import type { Candidate } from '../issue/candidate.ts';
import type { Decision, Row } from '../choice/choice.ts';
import { type Instant, fromRfc3339, toRfc3339 } from '../clock.ts';
import type { Failure } from '../issue/eligibility.ts';
import { refOf } from '../issue/issue.ts';
import { PRIORITIES } from '../issue/priority.ts';
import { TrackedTaskSchema } from '../task/tracked.ts';
import { cleanLine } from '../task/untrusted.ts';

const STATE_VERSION = 1;

const instant = z.string().check(z.refine((text) => fromRfc3339(text) !== undefined));
const ErrorSchema = z.object({ code: z.string(), message: z.string(), hint: z.nullable(z.string()) });
const RowSchema = z.object({
  key: z.string(),
  ref: z.string(),
  issue: z.int(),
  repository: z.string(),
  title: z.string(),
  agent: z.string(),
  priority: z.enum(PRIORITIES),
  prioritySource: z.string(),
  outcome: z.enum(['chosen', 'next', 'waiting', 'skipped']),
  reason: z.nullable(z.string()),
  detail: z.nullable(z.string()),
  file: z.nullable(z.string()),
  createdAt: instant,
  /** Since when its outcome and reason are these. */
  since: z.optional(instant),
});
const PassSchema = z.object({
  startedAt: instant,
  finishedAt: instant,
  outcome: z.enum(['dispatched', 'idle', 'failed']),
  ref: z.nullable(z.string()),
  error: z.nullable(ErrorSchema),
  warnings: z.array(z.string()),
  rows: z.array(RowSchema),
});

/** The state file. Unknown keys are kept out, so that a newer minor version's file still reads. */
const StateSchema = z.object({
  version: z.literal(STATE_VERSION),
  lastDispatch: z.nullable(
    z.object({
      at: instant,
      ref: z.nullable(z.string()),
      /** What is about to appear, from the moment the slot is taken until the journal tells of it. */
      pending: z.nullable(DispatchRecordSchema),
      /** What the machine's uptime was then: a clock that is set, forward or back, moves no slot. */
      uptime: z._default(z.nullable(z.object({ bootId: z.string(), ms: z.number() })), null),
    }),
  ),
  lastPass: z.nullable(PassSchema),
  lastSuccessAt: z.nullable(instant),
  consecutiveFailures: z.int(),
  failingSince: z.nullable(instant),
  failures: z.record(
    z.string(),
    z.object({
      ref: z.string(),
      count: z.int(),
      message: z.string(),
      retryAt: instant,
      /** Missing: it failed. */
      reason: z.optional(z.enum(['failed', 'blocked', 'held'])),
    }),
  ),
  /** By candidate key, from the dispatch until the file is archived. Null: unknown, to be gathered from the journal. */
  tasks: z._default(z.nullable(z.record(z.string(), TrackedTaskSchema)), null),
  /** Since when more than half of the dispatched issues are missing from the list. */
  vanishedSince: z._default(z.nullable(instant), null),
});
export type State = z.infer<typeof StateSchema>;
export type PassRecord = z.infer<typeof PassSchema>;
export type RowRecord = z.infer<typeof RowSchema>;

export const EMPTY_STATE: State = {
  version: STATE_VERSION,
  lastDispatch: null,
  lastPass: null,
  lastSuccessAt: null,
  consecutiveFailures: 0,
  failingSince: null,
  failures: {},
  tasks: null,
  vanishedSince: null,
};

/** Reads a parsed state file; undefined when it is not one. */
export function parseState(raw: unknown): State | undefined {
  const result = StateSchema.safeParse(raw);
  return result.success ? result.data : undefined;
}

/** The version of a state file that a newer dispatcher wrote, or undefined. */
export function newerVersion(raw: unknown): number | undefined {
  if (typeof raw !== 'object' || raw === null || !('version' in raw)) return undefined;
  return typeof raw.version === 'number' && raw.version > STATE_VERSION ? raw.version : undefined;
}

/** When the last task file appeared, as far as the state knows. */
export function lastDispatchAt(state: State): Instant | null {
  return state.lastDispatch ? (fromRfc3339(state.lastDispatch.at) ?? null) : null;
}

/** The failures in the form that the decision takes. */
export function failuresOf(state: State): Map<string, Failure> {
  return new Map(
    Object.entries(state.failures).map(([key, failure]) => [
      key,
      {
        count: failure.count,
        message: failure.message,
        retryAt: fromRfc3339(failure.retryAt) ?? 0,
        reason: failure.reason ?? 'failed',
      },
    ]),
  );
}

const MINUTE = 60_000;
const LONGEST_BACKOFF = 15 * MINUTE;
const RECHECK_HOLD = 5 * MINUTE;

/** Notes that a task could not be read or rendered: it is tried again after 1, 2, 4 ... at most 15 minutes. */
export function withFailure(state: State, row: { key: string; ref: string }, message: string, now: Instant): State {
  const count = (state.failures[row.key]?.count ?? 0) + 1;
  const retryAt = toRfc3339(now + Math.min(MINUTE * 2 ** Math.min(count - 1, 10), LONGEST_BACKOFF));
  return { ...state, failures: { ...state.failures, [row.key]: { ref: row.ref, count, message, retryAt } } };
}

/** Notes what holds a task back that only the server can tell of: it is asked again after five minutes. */
export function withHold(
  state: State,
  { key, issue }: Pick<Candidate, 'key' | 'issue'>,
  hold: { readonly reason: 'blocked' | 'held'; readonly message: string },
  now: Instant,
): State {
  const retryAt = toRfc3339(now + RECHECK_HOLD);
  return { ...state, failures: { ...state.failures, [key]: { ref: refOf(issue), count: 0, ...hold, retryAt } } };
}

/** Forgets the failures of tasks that are no longer candidates. */
export function withoutStaleFailures(state: State, keep: ReadonlySet<string>): State {
  return {
    ...state,
    failures: Object.fromEntries(Object.entries(state.failures).filter(([key]) => keep.has(key))),
  };
}

/** The record of a finished pass, and what it does to the failure count. */
export function withPass(state: State, pass: PassRecord): State {
  const failed = pass.outcome === 'failed';
  return {
    ...state,
    lastPass: pass,
    lastSuccessAt: failed ? state.lastSuccessAt : pass.finishedAt,
    consecutiveFailures: failed ? state.consecutiveFailures + 1 : 0,
    failingSince: failed ? (state.failingSince ?? pass.startedAt) : null,
  };
}

/** The decision's rows as the state file keeps them for `status`, `explain` and the page. Texts are cleaned. */
export function rowRecords(
  decision: Decision,
  fileOf: (row: Row) => string | null,
  before: readonly RowRecord[],
  now: Instant,
): RowRecord[] {
  const known = new Map(before.map((row) => [row.key, row]));
  return decision.rows.map((row) => {
    const { candidate, outcome } = row;
    const last = known.get(candidate.key);
    const skipped = outcome.kind === 'skipped' ? outcome : null;
    return {
      key: candidate.key,
      ref: refOf(candidate.issue),
      issue: candidate.issue.number,
      repository: candidate.issue.repository,
      title: cleanLine(candidate.issue.title),
      agent: cleanLine(candidate.agent),
      priority: candidate.priority,
      prioritySource: cleanLine(candidate.source),
      outcome: outcome.kind,
      reason: skipped?.reason ?? null,
      detail: skipped ? cleanLine(skipped.detail) : null,
      file: fileOf(row),
      createdAt: toRfc3339(candidate.issue.createdAt),
      since:
        last?.since !== undefined && last.outcome === outcome.kind && last.reason === (skipped?.reason ?? null)
          ? last.since
          : toRfc3339(now),
    };
  });
}
