import { fromRfc3339, type Instant, shortDuration } from '../core/clock.ts';
import type { DecisionRecord, RestRecord, RowRecord } from '../core/state/decision-record.ts';
import { cleanLine } from '../core/task/untrusted.ts';
import { columns } from './columns.ts';

/**
 * The candidates in order with their outcomes, how many more there are, and the reason of each that was passed over. The dry run
 * and `explain` print it.
 */
export function decisionTable({ rows, rest }: DecisionRecord, now: Instant, width: number): readonly string[] {
  if (rows.length === 0) return [];
  const heads = ['#', 'PRIORITY', 'ISSUE', 'AGENT', 'OUTCOME', 'SINCE'].map((header) => ({ header }));
  const cells = rows.map((row, index) => [
    String(index + 1),
    row.priority,
    row.ref,
    cleanLine(row.agent, 40),
    outcomeOf(row),
    sinceOf(row, now),
    row.title,
  ]);
  const details = rows.flatMap((row) =>
    row.outcome === 'skipped' ? [`  ${row.ref}  ${row.reason}: ${cleanLine(row.detail ?? '')}`] : [],
  );
  return [
    ...columns([...heads, { header: 'TITLE', shrinks: true }], cells, width),
    ...(rest.length > 0 ? ['', 'Not listed, of each agent behind those above:', ...restLines(rest)] : []),
    ...(details.length > 0 ? ['', 'Passed over:', ...details] : []),
  ];
}

function restLines(rest: readonly RestRecord[]): readonly string[] {
  return rest.map(({ agent, priority, count, oldest, ...came }) => {
    return `  ${count} ${priority} for ${cleanLine(agent, 100)}: ${outcomeOf(came)}, the oldest of them ${oldest.ref}`;
  });
}

function sinceOf({ since }: RowRecord, now: Instant): string {
  const age = now - (fromRfc3339(since ?? '') ?? now);
  return age < 1000 ? 'now' : shortDuration(age);
}

/** `chosen`, `next`, `waiting`, or `skipped: held` */
export function outcomeOf({ outcome, reason }: Pick<RowRecord, 'outcome' | 'reason'>): string {
  return outcome === 'skipped' ? `skipped: ${reason}` : outcome;
}
