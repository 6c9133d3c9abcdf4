import type { Decision } from '../core/choice/choice.ts';
import { type Instant, shortDuration } from '../core/clock.ts';
import type { DecisionRecord } from '../core/state/decision-record.ts';
import { cleanLine } from '../core/task/untrusted.ts';
import { decisionTable } from './decision-table.ts';
import { idleReason } from './idle.ts';

interface DryRun {
  readonly decision: Decision;
  /** The decision as a pass would record it. */
  readonly record: DecisionRecord;
  /** The rendered task of the chosen issue, or of the next one while no slot is free. */
  readonly task: { readonly text: string; readonly record: { readonly file: string } } | null;
  readonly warnings: readonly string[];
  readonly now: Instant;
  readonly width: number;
}

/** Every candidate in order with its reason, then the file that would be written. */
export function dryRunReport({ decision, record, task, warnings, now, width }: DryRun): string {
  const waits =
    decision.slotOpensAt > now ? ` in ${shortDuration(decision.slotOpensAt - now)}, when the next slot opens` : '';
  return [
    'Dry run: nothing is written.',
    '',
    ...decisionTable(record, now, width),
    ...warnings.map((warning) => `warning: ${cleanLine(warning, 1000)}`),
    '',
    task ? `A pass would write ${task.record.file}${waits}:\n\n${task.text.trimEnd()}` : idleReason(decision, now),
    '',
  ].join('\n');
}
