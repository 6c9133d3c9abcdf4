// How it went, as pictures: the same report as `dispatcher report`, and behind each picture a table with its numbers.

import { fromRfc3339, type Instant, shortDuration } from '../../core/clock.ts';
import type { Durations } from '../../core/history/figures.ts';
import { beginOf } from '../../core/history/past.ts';
import { isFinished, type Run } from '../../core/history/runs.ts';
import { type Report, reportOf } from '../../core/history/report.ts';
import { type Figures, isWithin, type Period } from '../../core/history/tally.ts';
import { PRIORITIES } from '../../core/issue/priority.ts';
import { cleanLine } from '../../core/task/untrusted.ts';
import { classesOf, classesPlot, stepsPlot, waitingPlot } from '../charts/plots.ts';
import { type TimeAxis, timeAxis } from '../charts/time-axis.ts';
import { lanesData } from './history-lanes.ts';
import { hrefFor, type HistorySources, type Range, RANGES } from './history-sources.ts';
import { type Frame, frameData, localTime, nullIfEmpty, priorityData } from './parts.ts';

const DAY_MS = 86_400_000;
const LENGTHS: Readonly<Record<Exclude<Range, 'all'>, number>> = { day: DAY_MS, week: 7 * DAY_MS, month: 30 * DAY_MS };

/** The data of `history.hbs`. */
export function historyPage(sources: HistorySources, frame: Frame) {
  const { past, snapshot, range, agent } = sources;
  const { runs } = past;
  const scope = { from: firstShown(sources, frame.now), to: frame.now, agent };
  const names = snapshot.agents.map(({ name }) => name);
  const report = reportOf(past, scope, names);
  const axis = timeAxis(scope.from, scope.to);
  const shown = runs.filter(
    (run) => (agent === null || run.agent === agent) && run.from <= scope.to && (run.to ?? scope.to) >= scope.from,
  );
  return {
    ...frameData(frame, 'History – Dispatcher', 'ok', '', 'history'),
    ranges: RANGES.map((name) => ({ name, href: hrefFor(name, agent), current: name === range })),
    range,
    agent: agent ?? '',
    agents: [...new Set([...names, ...report.agents.map(({ name }) => name), ...allAgents(runs)])]
      .toSorted()
      .map((name) => ({ name, selected: name === agent })),
    from: localTime(scope.from, frame.timeZone),
    begins:
      report.since !== null && report.since > report.from
        ? localTime(fromRfc3339(report.since) ?? 0, frame.timeZone)
        : null,
    isEmpty: report.since === null,
    tiles: tiles(report),
    axis: { ticks: axis.ticks },
    lanes: lanesData(shown, report, { ...sources, axis, period: scope }, frame),
    waiting: waitingData(report, axis, scope, frame),
    steps: stepsData(report, axis, scope, frame),
    durations: [
      durationsData(
        'waited',
        'Waited for the first dispatch',
        'from the opening of the issue',
        report.total.waited,
        waits(shown, scope),
      ),
      durationsData('worked', 'From dispatch to end', 'of what was finished', report.total.worked, works(shown, scope)),
    ],
    report: reportRows(report),
    outages: nullIfEmpty(
      report.passes.outages.toReversed().map(({ from, to, failures, code }) => ({
        from: localTime(fromRfc3339(from) ?? 0, frame.timeZone),
        to: to === null ? 'now' : localTime(fromRfc3339(to) ?? 0, frame.timeZone),
        failures,
        code: cleanLine(code, 60),
      })),
    ),
  };
}

// A clock that was wrong once must not stretch the picture over years.
function firstShown({ range, past, keepMs }: HistorySources, now: Instant): Instant {
  if (range !== 'all') return now - LENGTHS[range];
  return Math.min(beginOf(past, now - keepMs) ?? now - DAY_MS, now - 3_600_000);
}

function allAgents(runs: readonly Run[]): readonly string[] {
  return [...new Set(runs.map(({ agent }) => agent))];
}

function tiles({ total, passes }: Report) {
  return [
    { label: 'dispatched', value: String(total.dispatched), href: '#steps', bad: false },
    { label: 'finished', value: String(total.finished), href: '#steps', bad: false },
    { label: 'blocked', value: String(total.blocked), href: '#lanes', bad: false },
    { label: 'repeated', value: String(total.repeated), href: '#figures', bad: false },
    { label: 'median wait', value: seconds(total.waited.median), href: '#waited', bad: false },
    { label: 'median work', value: seconds(total.worked.median), href: '#worked', bad: false },
    {
      label: passes.failed === 1 ? 'failed pass' : 'failed passes',
      value: String(passes.failed),
      href: '#outages',
      bad: passes.failed > 0,
    },
  ];
}

function seconds(value: number | null): string {
  return value === null ? '–' : shortDuration(value * 1000);
}

function waitingData({ waiting, passes }: Report, axis: TimeAxis, period: Period, frame: Frame) {
  if (waiting.length === 0) return null;
  const rows = waiting.toReversed().map(({ at, ...counts }) => ({
    at: localTime(fromRfc3339(at) ?? 0, frame.timeZone),
    counts: PRIORITIES.map((priority) => counts[priority]),
  }));
  return { ...waitingPlot(waiting, passes.outages, axis, period), rows, now: rows[0] };
}

function stepsData({ steps, total }: Report, axis: TimeAxis, period: Period, frame: Frame) {
  if (total.dispatched + total.finished === 0) return null;
  const isHours = period.to - period.from <= 2 * DAY_MS;
  return {
    unit: isHours ? 'hour' : 'day',
    ...stepsPlot(steps, axis, period),
    rows: steps.toReversed().map(({ from, dispatched, finished }) => ({
      at: localTime(fromRfc3339(from) ?? 0, frame.timeZone).slice(0, isHours ? 16 : 10),
      dispatched,
      finished,
    })),
  };
}

type Timed = readonly { readonly priority: Run['priority']; readonly ms: number }[];

function waits(runs: readonly Run[], period: Period): Timed {
  const found: { priority: Run['priority']; ms: number }[] = [];
  for (const { priority, waitedMs, from } of runs) {
    if (waitedMs !== null && isWithin(from, period)) found.push({ priority, ms: waitedMs });
  }
  return found;
}

function works(runs: readonly Run[], period: Period): Timed {
  const found: { priority: Run['priority']; ms: number }[] = [];
  for (const run of runs) {
    const { priority, from, to } = run;
    if (to !== null && isFinished(run) && isWithin(to, period)) found.push({ priority, ms: to - from });
  }
  return found;
}

function durationsData(id: string, name: string, what: string, figures: Durations, durations: Timed) {
  return {
    id,
    name,
    what,
    plot: durations.length > 0 ? classesPlot(durations) : null,
    words: `median ${seconds(figures.median)}, 95 % within ${seconds(figures.p95)}, longest ${seconds(figures.longest)}`,
    rows: classesOf(durations).map(({ words, counts, total }) => ({
      words,
      counts: PRIORITIES.map((each) => counts[each]),
      total,
    })),
  };
}

function reportRows({ agents, total }: Report) {
  const row = (
    name: string,
    first: boolean,
    priority: ReturnType<typeof priorityData> | null,
    figures: Figures,
    idle: string,
  ) => ({
    name: cleanLine(name, 100),
    first,
    priority,
    counts: [figures.dispatched, figures.finished, figures.blocked, figures.repeated],
    waited: durationsText(figures.waited),
    worked: durationsText(figures.worked),
    idle,
  });
  return [
    ...agents.flatMap((agent) => [
      row(agent.name, true, null, agent, `${Math.round(agent.idle * 100)} %`),
      ...agent.priorities.map((each) => row(agent.name, false, priorityData(each.priority), each, '')),
    ]),
    ...(agents.length > 1 ? [row('all', true, null, total, '')] : []),
  ];
}

function durationsText({ median, p95, longest }: Durations): string {
  return median === null ? '–' : [median, p95, longest].map((value) => seconds(value)).join(' / ');
}
