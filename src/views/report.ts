// The report on a terminal; for a pipe: report-tsv.ts. The page shows the same as pictures: views/pages/history.ts.

import type { ChalkInstance } from 'chalk';
import { fromRfc3339, shortDuration } from '../core/clock.ts';
import type { Durations } from '../core/history/figures.ts';
import type { AgentReport, Report } from '../core/history/report.ts';
import type { Figures } from '../core/history/tally.ts';
import { PRIORITIES, type Priority } from '../core/issue/priority.ts';
import { cleanLine } from '../core/task/untrusted.ts';
import { columns, fitted } from './columns.ts';
import { sparkline } from './spark.ts';

interface Screen {
  readonly width: number;
  readonly chalk: ChalkInstance;
  readonly unicode: boolean;
}

const OUTAGES_SHOWN = 3;
const HEADS = ['PRIORITY', 'DISPATCHED', 'FINISHED', 'BLOCKED', 'REPEATED', 'WAITED', 'WORKED'];

/** The report as people read it: what it is about, a chart each of dispatches and waiting, and a table for each agent. */
export function reportScreen(report: Report, screen: Screen): string {
  const { chalk, width } = screen;
  const lines = [chalk.bold(fitted(title(report), width))];
  if (report.since === null) {
    return `${[...lines, 'There is no history yet: the next pass begins it.'].join('\n')}\n`;
  }
  lines.push(...charts(report, screen), ...outages(report, screen), '');
  for (const agent of report.agents) lines.push(...agentLines(agent, screen), '');
  if (report.agents.length !== 1) lines.push(...block('all', report.total, [], screen), '');
  const [first, second] = LEGEND;
  lines.push(
    ...(width < first.length + second.length + 1 ? LEGEND : [`${first} ${second}`]).map((line) =>
      chalk.dim(fitted(line, width)),
    ),
  );
  return `${lines.join('\n').trimEnd()}\n`;
}

const LEGEND = [
  'WAITED: from the opening of the issue to its first dispatch; WORKED: from dispatch to end.',
  'Each is median / 95th percentile / longest.',
] as const;

function title({ from, to, since, agent }: Report): string {
  const days = shortDuration((fromRfc3339(to) ?? 0) - (fromRfc3339(from) ?? 0));
  const begun = since !== null && since > from ? ` (the history begins at ${localMinute(since)})` : '';
  return `The last ${days}, from ${localMinute(from)}${agent === null ? '' : `, ${cleanLine(agent, 100)}`}${begun}`;
}

// A pass counts what waits every ten minutes: what is much older is not so any more, or nobody knows.
const COUNTED_MS = 35 * 60_000;

function charts({ steps, waiting, total, to }: Report, { unicode, width }: Screen): readonly string[] {
  const unit = isHourly(steps) ? 'an hour' : 'a day';
  const dispatched = steps.map((step) => step.dispatched);
  const totals = waiting.map((sample) => PRIORITIES.reduce((sum, priority) => sum + sample[priority], 0));
  const countedAt = waiting.at(-1)?.at ?? to;
  const isNow = (fromRfc3339(to) ?? 0) - (fromRfc3339(countedAt) ?? 0) <= COUNTED_MS;
  const when = isNow ? 'now' : `at ${localMinute(countedAt)}`;
  const room = Math.max(10, Math.min(60, width - 50));
  const row = (name: string, values: readonly number[], words: string): string =>
    fitted(`${name.padEnd(18)} ${sparkline(condensed(values, room), unicode)}  ${words}`, width);
  return [
    row(`Dispatched ${unit}`, dispatched, `${total.dispatched} in all, most ${largest(dispatched)}`),
    ...(totals.length > 0 ? [row('Waiting', totals, `${totals.at(-1)} ${when}, most ${largest(totals)}`)] : []),
  ];
}

function outages({ passes }: Report, { chalk, width }: Screen): readonly string[] {
  const { failed, outages: all } = passes;
  if (all.length === 0) return [];
  const shown = all.slice(-OUTAGES_SHOWN).map(({ from, to, code }) => {
    return `  ${localMinute(from)} to ${to === null ? 'now' : localMinute(to)}, ${cleanLine(code, 60)}`;
  });
  const more = all.length > shown.length ? `, in ${all.length} stretches; the last ${shown.length}:` : ':';
  return [`Failed passes      ${failed}${more}`, ...shown].map((line) => chalk.yellow(fitted(line, width)));
}

function agentLines(agent: AgentReport, screen: Screen): readonly string[] {
  const idle = `without work ${Math.round(agent.idle * 100)} % of the time`;
  return block(agent.name, agent, agent.priorities, screen, idle);
}

function block(
  name: string,
  sum: Figures,
  priorities: AgentReport['priorities'],
  screen: Screen,
  words = '',
): readonly string[] {
  const { chalk, width } = screen;
  const room = Math.max(8, width - words.length - 2);
  const heading = `${chalk.bold(fitted(cleanLine(name, 100), room))}${words === '' ? '' : `  ${words}`}`;
  const rows: readonly (Figures & { readonly word: Priority | 'all' })[] = [
    ...priorities.map((row) => ({ ...row, word: row.priority })),
    ...(priorities.length === 1 ? [] : [{ ...sum, word: 'all' as const }]),
  ];
  const [head = '', ...lines] = columns(
    HEADS.map((header) => ({ header })),
    rows.map((row) => [row.word, ...counts(row), durations(row.waited), durations(row.worked)]),
    width - 2,
  );
  if ([head, ...lines].some((line) => line.length > width - 2)) {
    return [heading, ...rows.flatMap((row) => narrow(row, width))];
  }
  return [heading, chalk.dim(`  ${head}`), ...lines.map((line) => `  ${line}`)];
}

function narrow(row: Figures & { readonly word: string }, width: number): readonly string[] {
  const { word, dispatched, finished, blocked, repeated } = row;
  return [
    `  ${word}: ${dispatched} dispatched, ${finished} finished, ${blocked} blocked, ${repeated} repeated`,
    `    waited ${durations(row.waited)}; worked ${durations(row.worked)}`,
  ].map((line) => fitted(line, width));
}

function counts({ dispatched, finished, blocked, repeated }: Figures): readonly string[] {
  return [dispatched, finished, blocked, repeated].map(String);
}

function durations({ median, p95, longest }: Durations): string {
  if (median === null) return '-';
  return [median, p95, longest].map((seconds) => shortDuration((seconds ?? 0) * 1000)).join(' / ');
}

function isHourly(steps: Report['steps']): boolean {
  const [first, second] = steps;
  return second !== undefined && (fromRfc3339(second.from) ?? 0) - (fromRfc3339(first?.from ?? '') ?? 0) < 7_200_000;
}

// Of so many neighbours the largest: a peak must not vanish.
function condensed(values: readonly number[], room: number): readonly number[] {
  const each = Math.ceil(values.length / room);
  return Array.from({ length: Math.ceil(values.length / each) }, (_, index) =>
    largest(values.slice(index * each, (index + 1) * each)),
  );
}

function largest(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}

function localMinute(at: string): string {
  const date = new Date(at);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
}
