// What the history amounts to: the document of `report --json`, from which the terminal's tables and the page's pictures
// are made as well, so that they cannot disagree.

import { type Instant, toRfc3339 } from '../clock.ts';
import { PRIORITIES, type Priority } from '../issue/priority.ts';
import { type SampleEvent, waitingCounts } from './event.ts';
import { coveredMs } from './figures.ts';
import type { Past } from './past.ts';
import { isFinished, type Run } from './runs.ts';
import { count, emptyTally, type Figures, figuresOf, isWithin, type Scope, type Tally } from './tally.ts';

export interface AgentReport extends Figures {
  readonly name: string;
  /** Share of the time (0 to 1) in which it had no task to do, neither new nor taken. */
  readonly idle: number;
  readonly priorities: readonly (Figures & { readonly priority: Priority })[];
}

/** A time in which every pass failed. */
export interface Outage {
  readonly from: string;
  /** Null: it goes on. */
  readonly to: string | null;
  readonly failures: number;
  /** Why the first of them failed: the code of its error. */
  readonly code: string;
}

/** How many tasks waited for their slot at a moment. */
export type WaitingAt = { readonly at: string } & Readonly<Record<Priority, number>>;

/** The document of `report --json`; deploy/programs.md describes each field. Fields may be added, never changed. */
export interface Report {
  readonly schemaVersion: 1;
  readonly generatedAt: string;
  readonly from: string;
  readonly to: string;
  /** When the history begins; null: there is none yet. */
  readonly since: string | null;
  /** Null: all agents. */
  readonly agent: string | null;
  readonly total: Figures;
  readonly agents: readonly AgentReport[];
  readonly passes: { readonly failed: number; readonly outages: readonly Outage[] };
  /** One for each hour of up to two days, or for each day; local time. */
  readonly steps: readonly { readonly from: string; readonly dispatched: number; readonly finished: number }[];
  /** At most 240 samples. */
  readonly waiting: readonly WaitingAt[];
}

/** The report on a time. With `agents`, those are in it although nothing happened to them. */
export function reportOf({ since, runs, passes, samples }: Past, scope: Scope, agents: readonly string[]): Report {
  const { from, to, agent } = scope;
  const byAgent = new Map<string, AgentRuns>();
  for (const name of agent === null ? agents : [agent]) byAgent.set(name, noRuns(name));
  const shown: Run[] = [];
  for (const run of runs) {
    if (agent !== null && run.agent !== agent) continue;
    if (run.from > to || (run.to !== null && run.to < from)) continue;
    const own = byAgent.get(run.agent) ?? noRuns(run.agent);
    byAgent.set(run.agent, own);
    add(own, run, scope);
    shown.push(run);
  }
  const all = [...byAgent.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return {
    schemaVersion: 1,
    generatedAt: toRfc3339(to),
    from: toRfc3339(from),
    to: toRfc3339(to),
    since: since === null ? null : toRfc3339(since),
    agent,
    total: figuresOf(all.flatMap(({ tallies }) => [...tallies.values()])),
    agents: all.map((own) => agentReport(own, scope, since ?? to)),
    passes: passesOf(passes, scope),
    steps: stepsOf(shown, scope),
    waiting: waitingOf(samples, scope),
  };
}

// What the runs of an agent amount to, by priority, and when it had a task to do.
interface AgentRuns {
  readonly name: string;
  readonly tallies: Map<Priority, Tally>;
  readonly spans: { readonly from: Instant; readonly to: Instant }[];
}

function noRuns(name: string): AgentRuns {
  return { name, tallies: new Map(), spans: [] };
}

function add({ tallies, spans }: AgentRuns, run: Run, scope: Scope): void {
  const tally = tallies.get(run.priority) ?? emptyTally();
  tallies.set(run.priority, tally);
  count(tally, run, scope);
  // From where it had something to do to where it had not: mostly one stretch of several spans.
  let begin: Instant | null = null;
  let end: Instant = 0;
  for (const { place, from, to } of run.spans) {
    if (begin !== null && (place === 'blocked' || from !== end)) {
      spans.push({ from: begin, to: end });
      begin = null;
    }
    if (place !== 'blocked') begin ??= from;
    end = to ?? scope.to;
  }
  if (begin !== null) spans.push({ from: begin, to: end });
}

function agentReport({ name, tallies, spans }: AgentRuns, { from, to }: Scope, first: Instant): AgentReport {
  const since = Math.max(from, first);
  const length = to - since;
  return {
    name,
    idle: length > 0 ? Math.round((1 - coveredMs(spans, since, to) / length) * 1e4) / 1e4 : 1,
    ...figuresOf([...tallies.values()]),
    priorities: PRIORITIES.flatMap((priority) => {
      const tally = tallies.get(priority);
      return tally ? [{ priority, ...figuresOf([tally]) }] : [];
    }),
  };
}

function passesOf(events: Past['passes'], scope: Scope): Report['passes'] {
  const outages: { from: Instant; to: Instant | null; failures: number; code: string }[] = [];
  let failed = 0;
  for (const event of events) {
    const open = outages.at(-1)?.to === null ? outages.at(-1) : undefined;
    if (event.event === 'failed') {
      if (open) open.failures += 1;
      else outages.push({ from: event.at, to: null, failures: 1, code: event.code });
      if (isWithin(event.at, scope)) failed += 1;
    } else if (open) open.to = event.at;
  }
  const shown = outages.filter(({ from, to }) => from <= scope.to && (to === null || to >= scope.from));
  return {
    failed,
    outages: shown.map(({ from, to, failures, code }) => ({
      from: toRfc3339(from),
      to: to === null ? null : toRfc3339(to),
      failures,
      code,
    })),
  };
}

const HOUR_MS = 3_600_000;

function stepsOf(runs: readonly Run[], scope: Scope): Report['steps'] {
  const isHours = scope.to - scope.from <= 48 * HOUR_MS;
  const first = isHours ? new Date(scope.from).setMinutes(0, 0, 0) : new Date(scope.from).setHours(0, 0, 0, 0);
  const next = (at: number): number => (isHours ? at + HOUR_MS : new Date(at).setHours(24, 0, 0, 0));
  const steps: { at: number; dispatched: number; finished: number }[] = [];
  for (let at = first; at <= scope.to; at = next(at)) steps.push({ at, dispatched: 0, finished: 0 });
  // A day is not always 24 hours long: the guess may be one beside it.
  const stepOf = (at: Instant) => {
    let index = Math.floor((at - first) / (isHours ? HOUR_MS : 24 * HOUR_MS));
    while ((steps[index]?.at ?? 0) > at) index -= 1;
    while ((steps[index + 1]?.at ?? Number.POSITIVE_INFINITY) <= at) index += 1;
    return steps[index];
  };
  for (const run of runs) {
    const begun = isWithin(run.from, scope) ? stepOf(run.from) : undefined;
    if (begun) begun.dispatched += 1;
    const ended = run.to !== null && isFinished(run) && isWithin(run.to, scope) ? stepOf(run.to) : undefined;
    if (ended) ended.finished += 1;
  }
  return steps.map(({ at, ...counts }) => ({ from: toRfc3339(at), ...counts }));
}

const MOST_SAMPLES = 240;

// Of each stretch the last sample: every point is a number that was counted, and none a mean.
function waitingOf(all: readonly SampleEvent[], { from, to, agent }: Scope): readonly WaitingAt[] {
  const stretch = Math.max(1, (to - from) / MOST_SAMPLES);
  const samples: SampleEvent[] = [];
  let last = -1;
  for (const sample of all) {
    if (!isWithin(sample.at, { from, to })) continue;
    const index = Math.min(MOST_SAMPLES - 1, Math.floor((sample.at - from) / stretch));
    if (index === last) samples.pop();
    last = index;
    samples.push(sample);
  }
  return samples.map(({ at, waiting }) => {
    const [CRITICAL = 0, HIGH = 0, NORMAL = 0, LOW = 0] = waitingCounts(waiting, agent);
    return { at: toRfc3339(at), CRITICAL, HIGH, NORMAL, LOW };
  });
}
