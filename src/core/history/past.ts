// What the events tell together: the runs of tasks, how passes went, who waited. Each event is looked at once and forgotten,
// so that a long past takes little memory, and what is told of it can go on from where it ended.

import type { Instant } from '../clock.ts';
import type { HistoryEvent, PassEvent, SampleEvent } from './event.ts';
import { type OpenRuns, openRuns, type Run, tellRun } from './runs.ts';

/** What reports and pictures are made from. All of it is in the order of time. */
export interface Past {
  /** When the history begins; null: there is none. */
  readonly since: Instant | null;
  readonly runs: readonly Run[];
  readonly passes: readonly PassEvent[];
  readonly samples: readonly SampleEvent[];
}

/** A past that is still being told. */
export interface OpenPast {
  since: Instant | null;
  readonly runs: OpenRuns;
  readonly passes: PassEvent[];
  readonly samples: SampleEvent[];
}

/** Begins to tell a past, or goes on from one, which stays as it is and is told no further. */
export function openPast(before?: OpenPast): OpenPast {
  return {
    since: before?.since ?? null,
    runs: openRuns(before?.runs),
    passes: [...(before?.passes ?? [])],
    samples: [...(before?.samples ?? [])],
  };
}

/** Tells what happened next, in the order of time. */
export function tell(past: OpenPast, events: readonly HistoryEvent[]): void {
  past.since ??= events[0]?.at ?? null;
  for (const event of events) {
    if ('key' in event) tellRun(past.runs, event);
    else if (event.event === 'sample') past.samples.push(event);
    else past.passes.push(event);
  }
}

/** What was told so far. */
export function told({ since, runs, passes, samples }: OpenPast): Past {
  return { since, runs: runs.all, passes, samples };
}

/** When it began, as far back as a moment; null: nothing happened since. A clock that was wrong once does not count. */
export function beginOf({ since, runs, passes, samples }: Past, oldest: Instant): Instant | null {
  if (since !== null && since >= oldest) return since;
  const first = [
    runs.find(({ from }) => from >= oldest)?.from,
    passes.find(({ at }) => at >= oldest)?.at,
    samples.find(({ at }) => at >= oldest)?.at,
  ].filter((at) => at !== undefined);
  return first.length === 0 ? null : Math.min(...first);
}
