// What is left on the issue, so that people on Gitea see that it was dispatched, and in its comment how far the agent is. Off
// unless configured; it needs a token that may write, which agents have none of. It never undoes a dispatch.

import { toRfc3339 } from '../../core/clock.ts';
import type { TrackedTask } from '../../core/task/tracked.ts';
import { wantsReceipt } from '../prepare.ts';
import type { FollowUp } from './follow-up.ts';

/** Tasks whose receipt is not there yet, or tells of the past. */
export const receipts: FollowUp = {
  kind: 'receipt',
  subjects: ({ config }, { tasks }) => {
    const due = Object.entries(tasks ?? {}).filter(
      ([, task]) => task.receipt === 'due' || (config.receipt.comment && isOutdated(task)),
    );
    return { keys: wantsReceipt(config) ? due.map(([key]) => key) : [] };
  },
  act: async (deps, { task, gitea }) => {
    const { repository, number, agent, dispatches, receiptComment, receiptShows } = task;
    const isFirst = task.receipt === 'due';
    const dispatchedAt = isFirst ? toRfc3339(deps.now()) : (receiptShows?.dispatchedAt ?? null);
    const progress = deps.tasks.progressOf(task);
    const left = await gitea.leaveReceipt({
      repository,
      number,
      agent,
      at: dispatchedAt,
      attempt: dispatches,
      progress,
      comment: receiptComment,
      isFirst,
    });
    const known = { ...task, receiptComment: left.comment ?? receiptComment };
    if (left.missing !== null) return { task: known, answer: { kind: 'failed', message: left.missing } };
    return {
      task: { ...known, receipt: 'left', receiptShows: { dispatchedAt, progress: task.progress } },
      answer: { kind: 'settled' },
    };
  },
  complaint: (ref, why) => `the receipt on ${ref} is not left yet, or not whole: ${why}`,
};

function isOutdated({ receipt, receiptComment, receiptShows, progress }: TrackedTask): boolean {
  if (receipt !== 'left' || receiptComment === null || progress === null) return false;
  const shown = receiptShows?.progress ?? { stage: 'new', at: null };
  return shown.stage !== progress.stage || shown.at !== progress.at;
}
