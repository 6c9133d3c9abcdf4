import type { Decision } from '../core/choice.ts';
import { type Instant, shortDuration } from '../core/clock.ts';
import { refOf } from '../core/issue.ts';
import { cleanLine } from '../core/untrusted.ts';
import { columns } from './columns.ts';
import { idleReason } from './idle.ts';

interface DryRun {
  readonly decision: Decision;
  /** The rendered task of the chosen issue, or of the next one while no slot is free. */
  readonly task: { readonly text: string; readonly record: { readonly file: string } } | null;
  readonly warnings: readonly string[];
  readonly now: Instant;
  readonly width: number;
}

/** Every candidate in order with its reason, then the file that would be written. */
export function dryRunReport({ decision, task, warnings, now, width }: DryRun): string {
  const rows = decision.rows.map(({ candidate, outcome }, index) => [
    String(index + 1),
    candidate.priority,
    refOf(candidate.issue),
    cleanLine(candidate.agent, 40),
    outcome.kind === 'skipped' ? `skipped: ${outcome.reason}` : outcome.kind,
    cleanLine(candidate.issue.title),
  ]);
  const heads = ['#', 'PRIORITY', 'ISSUE', 'AGENT', 'OUTCOME'].map((header) => ({ header }));
  const table = rows.length > 0 ? columns([...heads, { header: 'TITLE', shrinks: true }], rows, width) : [];
  const details = decision.rows.flatMap(({ candidate, outcome }) =>
    outcome.kind === 'skipped' ? [`  ${refOf(candidate.issue)}  ${outcome.reason}: ${cleanLine(outcome.detail)}`] : [],
  );
  const waits =
    decision.slotOpensAt > now ? ` in ${shortDuration(decision.slotOpensAt - now)}, when the next slot opens` : '';
  return [
    'Dry run: nothing is written.',
    '',
    ...table,
    ...(details.length > 0 ? ['', 'Passed over:', ...details] : []),
    ...warnings.map((warning) => `warning: ${cleanLine(warning, 1000)}`),
    '',
    task ? `A pass would write ${task.record.file}${waits}:\n\n${task.text.trimEnd()}` : idleReason(decision, now),
    '',
  ].join('\n');
}
