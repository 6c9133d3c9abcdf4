// The report in a pipe: apart from the terminal's, whose widths of characters take a while to load.

import type { Report } from '../core/history/report.ts';
import type { Figures } from '../core/history/tally.ts';
import { cleanLine } from '../core/task/untrusted.ts';

/** The report for other programs: a line each agent and priority, `all` for the sum, tab-separated, durations in seconds. */
export function reportTsv({ agents }: Report): string {
  return agents
    .flatMap((agent) => [
      tsvLine(agent.name, 'all', agent, agent.idle.toFixed(4)),
      ...agent.priorities.map((row) => tsvLine(agent.name, row.priority, row, '')),
    ])
    .join('');
}

function tsvLine(agent: string, priority: string, figures: Figures, idle: string): string {
  const { waited, worked } = figures;
  const seconds = [waited, worked].flatMap(({ median, p95, longest }) => [median, p95, longest]);
  const cells = [
    cleanLine(agent, 100),
    priority,
    figures.dispatched,
    figures.finished,
    figures.blocked,
    figures.repeated,
    ...seconds.map((value) => value ?? ''),
    idle,
  ];
  return `${cells.join('\t')}\n`;
}
