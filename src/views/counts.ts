import type { AgentStatus } from '../core/health/agent-status.ts';

/** What an agent has: `1 new, 1 doing (1 stalled), 2 waiting` */
export function countsText({ counts }: Pick<AgentStatus, 'counts'>): string {
  const some = (count: number, word: string): readonly string[] => (count > 0 ? [`${count} ${word}`] : []);
  return [
    `${counts.new} new`,
    ...some(counts.doing, counts.stalled > 0 ? `doing (${counts.stalled} stalled)` : 'doing'),
    ...some(counts.blocked, 'blocked'),
    `${counts.waiting + counts.next} waiting`,
    ...some(counts.skipped, 'skipped'),
    ...some(counts.done, 'done'),
  ].join(', ');
}
