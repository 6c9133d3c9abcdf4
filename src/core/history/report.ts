// What the history amounts to: the document of `report --json`, from which the terminal's tables and the page's pictures
// are made as well, so that they cannot disagree.

import { type Instant, toRfc3339 } from '../clock.ts';
import { PRIORITIES, type Priority } from '../issue/priority.ts';
import { type HistoryEvent, waitingCounts } from './event.ts';
import { coveredMs, type Durations, durationsOf } from './figures.ts';
import { isFinished, type Run, runsOf } from './runs.ts';

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

/** What a report is about. */
export interface Scope {
  readonly from: Instant;
  readonly to: Instant;
  /** Lower-cased; null: all agents. */
  readonly agent: string | null;
}

/** The report on a time. `events` are sorted; with `agents`, those are in it although nothing happened to them. */
export function reportOf(
  events: readonly HistoryEvent[],
  scope: Scope,
  agents: readonly string[],
  runs: readonly Run[] = runsOf(events),
): Report {
  const { from, to, agent } = scope;
  const chosen = agent === null ? runs : runs.filter((run) => run.agent === agent);
  const byAgent = new Map<string, Run[]>();
  for (const name of agent === null ? agents : [agent]) byAgent.set(name, []);
  for (const run of chosen) {
    if (run.from > to || (run.to !== null && run.to < from)) continue;
    const list = byAgent.get(run.agent) ?? [];
    byAgent.set(run.agent, list);
    list.push(run);
  }
  const first = events[0]?.at ?? null;
  return {
    schemaVersion: 1,
    generatedAt: toRfc3339(to),
    from: toRfc3339(from),
    to: toRfc3339(to),
    since: first === null ? null : toRfc3339(first),
    agent,
    total: figuresOf([...byAgent.values()].flat(), scope),
    agents: [...byAgent]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, own]) => agentReport(name, own, scope, Math.max(from, first ?? to))),
    passes: passesOf(events, scope),
    steps: stepsOf([...byAgent.values()].flat(), scope),
    waiting: waitingOf(events, scope),
  };
}

function agentReport(name: string, runs: readonly Run[], scope: Scope, since: Instant): AgentReport {
  const spans = runs
    .flatMap((run) => run.spans)
    .filter(({ place }) => place !== 'blocked')
    .map((span) => ({ from: span.from, to: span.to ?? scope.to }));
  const length = scope.to - since;
  return {
    name,
    idle: length > 0 ? Math.round((1 - coveredMs(spans, since, scope.to) / length) * 1e4) / 1e4 : 1,
    ...figuresOf(runs, scope),
    priorities: PRIORITIES.flatMap((priority) => {
      const those = runs.filter((run) => run.priority === priority);
      return those.length > 0 ? [{ priority, ...figuresOf(those, scope) }] : [];
    }),
  };
}

/** Whether a moment lies in the time that a report is about. */
export function isWithin(at: Instant | null, { from, to }: Pick<Scope, 'from' | 'to'>): boolean {
  return at !== null && at >= from && at <= to;
}

/** The durations behind `waited` and `worked`, in milliseconds. */
function durationsIn(runs: readonly Run[], scope: Scope): { readonly waited: number[]; readonly worked: number[] } {
  const waited: number[] = [];
  const worked: number[] = [];
  for (const run of runs) {
    if (run.waitedMs !== null && isWithin(run.from, scope)) waited.push(run.waitedMs);
    if (run.to !== null && isFinished(run) && isWithin(run.to, scope)) worked.push(run.to - run.from);
  }
  return { waited, worked };
}

function figuresOf(runs: readonly Run[], scope: Scope): Figures {
  const { waited, worked } = durationsIn(runs, scope);
  let dispatched = 0;
  let repeated = 0;
  let blocked = 0;
  for (const { from, attempt, spans } of runs) {
    if (isWithin(from, scope)) {
      dispatched += 1;
      repeated += attempt > 1 ? 1 : 0;
    }
    for (const span of spans) blocked += span.place === 'blocked' && isWithin(span.from, scope) ? 1 : 0;
  }
  return {
    dispatched,
    finished: worked.length,
    blocked,
    repeated,
    waited: durationsOf(waited),
    worked: durationsOf(worked),
  };
}

function passesOf(events: readonly HistoryEvent[], scope: Scope): Report['passes'] {
  const outages: { from: Instant; to: Instant | null; failures: number; code: string }[] = [];
  let failed = 0;
  for (const event of events) {
    if (event.event !== 'failed' && event.event !== 'recovered') continue;
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
function waitingOf(events: readonly HistoryEvent[], { from, to, agent }: Scope): readonly WaitingAt[] {
  const stretch = Math.max(1, (to - from) / MOST_SAMPLES);
  const samples = new Map<number, Extract<HistoryEvent, { event: 'sample' }>>();
  for (const event of events) {
    if (event.event !== 'sample' || !isWithin(event.at, { from, to })) continue;
    samples.set(Math.min(MOST_SAMPLES - 1, Math.floor((event.at - from) / stretch)), event);
  }
  return [...samples.values()].map(({ at, waiting }) => {
    const [CRITICAL = 0, HIGH = 0, NORMAL = 0, LOW = 0] = waitingCounts(waiting, agent);
    return { at: toRfc3339(at), CRITICAL, HIGH, NORMAL, LOW };
  });
}
