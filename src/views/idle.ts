import type { Decision } from '../core/choice/choice.ts';
import { type Instant, shortDuration } from '../core/clock.ts';
import { refOf } from '../core/issue/issue.ts';

/** Why a pass dispatched nothing, in one line for a person at a terminal. */
export function idleReason(decision: Decision, now: Instant): string {
  const { rows, next, slotOpensAt } = decision;
  if (rows.length === 0) return 'Nothing to dispatch: no open issue is assigned to anybody.';
  if (next) {
    const what = `${refOf(next.issue)} (${next.priority}) for ${next.agent}`;
    return `Not yet: the next slot opens in ${shortDuration(slotOpensAt - now)}; then it is ${what}.`;
  }
  const counts = new Map<string, number>();
  for (const { outcome } of rows) {
    const reason = outcome.kind === 'skipped' ? outcome.reason : outcome.kind;
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  const reasons = [...counts].map(([reason, count]) => `${reason} ${count}`).join(', ');
  return `Nothing to dispatch: ${rows.length} ${rows.length === 1 ? 'candidate' : 'candidates'}, all passed over (${reasons}).`;
}
