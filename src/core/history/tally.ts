// What runs amount to, added up run by run: each is looked at once, whatever it counts for.

import type { Instant } from '../clock.ts';
import { type Durations, durationsOf } from './figures.ts';
import { isFinished, type Run } from './runs.ts';

/** A time; both ends belong to it. */
export interface Period {
  readonly from: Instant;
  readonly to: Instant;
}

/** What a report is about. */
export interface Scope extends Period {
  /** Lower-cased; null: all agents. */
  readonly agent: string | null;
}

/** What was done in the time that a report is about. */
export interface Figures {
  /** Task files that appeared. */
  readonly dispatched: number;
  /** Tasks that were handed back as done, or whose issue was closed. */
  readonly finished: number;
  /** How often a task was handed back as stuck. */
  readonly blocked: number;
  /** Dispatches of a task that had been dispatched before. */
  readonly repeated: number;
  /** From the opening of the issue to its first dispatch, of what was dispatched. */
  readonly waited: Durations;
  /** From dispatch to end, of what was finished. */
  readonly worked: Durations;
}

/** What runs add up to so far. */
export interface Tally {
  dispatched: number;
  blocked: number;
  repeated: number;
  /** Milliseconds. */
  readonly waited: number[];
  /** Milliseconds. */
  readonly worked: number[];
}

/** Nothing counted yet. */
export function emptyTally(): Tally {
  return { dispatched: 0, blocked: 0, repeated: 0, waited: [], worked: [] };
}

/** Counts a run for what of it lies in the time. */
export function count(tally: Tally, run: Run, scope: Scope): void {
  if (isWithin(run.from, scope)) {
    tally.dispatched += 1;
    if (run.attempt > 1) tally.repeated += 1;
    if (run.waitedMs !== null) tally.waited.push(run.waitedMs);
  }
  if (run.to !== null && isFinished(run) && isWithin(run.to, scope)) tally.worked.push(run.to - run.from);
  for (const span of run.spans) if (span.place === 'blocked' && isWithin(span.from, scope)) tally.blocked += 1;
}

/** The figures of all that was counted. */
export function figuresOf(tallies: readonly Tally[]): Figures {
  const sum = (of: 'dispatched' | 'blocked' | 'repeated'): number => tallies.reduce((all, each) => all + each[of], 0);
  const worked = durationsOf(...tallies.map((each) => each.worked));
  return {
    dispatched: sum('dispatched'),
    finished: worked.count,
    blocked: sum('blocked'),
    repeated: sum('repeated'),
    waited: durationsOf(...tallies.map((each) => each.waited)),
    worked,
  };
}

/** Whether a moment lies in the time that a report is about. */
export function isWithin(at: Instant | null, { from, to }: Period): boolean {
  return at !== null && at >= from && at <= to;
}
