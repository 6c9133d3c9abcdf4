// What is written down of a pass when it ends, however it ends, and what of it is news.

import type { Decision, Row } from '../core/choice/choice.ts';
import { fromRfc3339, type Instant, shortDuration, toRfc3339 } from '../core/clock.ts';
import { errorRecord, messageOf } from '../core/errors.ts';
import { decisionRecord, withSince } from '../core/state/decision-record.ts';
import { type Heartbeat, nextHeartbeat } from '../core/state/last-pass.ts';
import type { Listing } from '../core/listing/listing.ts';
import { awayAfter, backAgain } from '../core/state/away.ts';
import type { State } from '../core/state/state.ts';
import type { Met } from './meet-others.ts';
import type { DispatchDeps } from './pass-deps.ts';

/** What a pass has come to so far. Whatever ends it, this is what is recorded. */
export interface Course {
  state: State;
  /** The state as it is on the disk. */
  stored: State;
  outcome: 'dispatched' | 'idle';
  ref: string | null;
  warnings: string[];
  decision: Decision | null;
  /** Of several servers, which answered; none: they were not asked, or all failed. */
  answers: NonNullable<Listing['answers']>;
  /** What a choice that came to nothing has looked at. */
  basis: Heartbeat['basis'];
  /** What the others told; null: the pass did not come so far. */
  met: Met | null;
  /** Whether Gitea was asked what is open, and answered. */
  hasListed: boolean;
}

/** Writes what is remembered, unless that is on the disk. When the disk is full this fails as well; the first error is the one to tell. */
export function recordState(deps: DispatchDeps, course: Course, failure: unknown): void {
  if (course.state === course.stored || JSON.stringify(course.state) === JSON.stringify(course.stored)) return;
  try {
    deps.state.write(course.state);
  } catch (error) {
    if (failure === null) throw error;
    deps.log({ name: 'WARNING', message: `what the failed pass learnt could not be recorded: ${messageOf(error)}` });
  }
}

/** Writes how the pass went, for those who look: `status`, page and monitors. */
export function recordPass(
  deps: DispatchDeps,
  before: Heartbeat | null,
  { state, outcome, ref, warnings, decision, answers, basis }: Course,
  { startedAt, failure }: { readonly startedAt: Instant; readonly failure: unknown },
): void {
  const error = failure === null ? null : errorRecord(failure);
  if (error) deps.log({ name: 'ERROR', message: error.message, facts: { code: error.code } });
  const finishedAt = deps.now();
  const record = decision && decisionRecord(decision, (row) => fileOf(deps, row));
  const rows = record ? deps.sha256(JSON.stringify(record)) : (before?.rows ?? '');
  const heartbeat = nextHeartbeat(
    before,
    {
      startedAt: toRfc3339(startedAt),
      finishedAt: toRfc3339(finishedAt),
      outcome: error ? 'failed' : outcome,
      ref,
      error,
      warnings,
    },
    {
      rows,
      strangers: decision ? strangersIn(decision) : [...(before?.strangers ?? [])],
      lastDispatchAt: state.lastDispatch?.at ?? null,
      // Where all failed, those that were away are it still.
      away: failure === null || answers.length > 0 ? awayAfter(before, answers, startedAt) : before?.away,
      basis: failure === null ? basis : null,
    },
  );
  try {
    const isNew = record && rows !== before?.rows;
    deps.state.writeHeartbeat(heartbeat, isNew ? withSince(record, deps.state.decision(), finishedAt) : null);
  } catch (error_) {
    if (failure === null) throw error_;
    deps.log({ name: 'WARNING', message: `the failed pass could not be recorded: ${messageOf(error_)}` });
  }
}

/** Says once that a server which was away answers again. */
export function tellReturns(deps: DispatchDeps, before: Heartbeat | null, { answers }: Course): void {
  for (const { server, ms } of backAgain(before, answers, deps.now()))
    deps.log({ name: 'RECOVERED', message: `${server} answers again; it was away for ${shortDuration(ms)}` });
}

/** Says once that an outage is over. */
export function tellRecovery(deps: DispatchDeps, before: Heartbeat | null): void {
  const since = fromRfc3339(before?.failingSince ?? '');
  if (before === null || since === undefined) return;
  const { consecutiveFailures: count } = before;
  const failed = count === 1 ? 'one that failed' : `${count} that failed`;
  const lasted = shortDuration(deps.now() - since);
  deps.log({ name: 'RECOVERED', message: `passes succeed again, after ${failed}; it lasted ${lasted}` });
}

function fileOf(deps: DispatchDeps, { candidate, outcome }: Row): string | null {
  return outcome.kind === 'skipped' && outcome.reason === 'unsafe_name' ? null : deps.tasks.path(candidate);
}

function strangersIn({ rows }: Decision): string[] {
  const names = rows.flatMap(({ candidate, outcome }) =>
    outcome.kind === 'skipped' && outcome.reason === 'unknown_agent' ? [candidate.agent] : [],
  );
  return [...new Set(names)].toSorted().slice(0, MOST_STRANGERS);
}

/** What a pass writes stays small, however many people are assigned to something. */
const MOST_STRANGERS = 100;

/** The same words every minute would hide everything else in the log: a warning, or a login that is no agent, is named when it turns up. */
export function logNew(deps: DispatchDeps, before: Heartbeat | null, { warnings, decision }: Course): void {
  const strangers = decision ? strangersIn(decision).filter((name) => !before?.strangers.includes(name)) : [];
  if (strangers.length > 0) {
    deps.log({
      name: 'UNKNOWN AGENT',
      message: `assigned, but not among the configured agents: ${strangers.join(', ')}`,
    });
  }
  const known = new Set(before?.lastPass.warnings);
  for (const message of warnings) if (!known.has(message)) deps.log({ name: 'WARNING', message });
}
