// What is left on the issue, so that people on Gitea see that it was dispatched. Off unless configured; it needs a token that
// may write. It never undoes a dispatch.

import { toRfc3339 } from '../../core/clock.ts';
import { wantsReceipt } from '../prepare.ts';
import type { FollowUp } from './follow-up.ts';

/** Tasks whose receipt is not there yet. */
export const receipts: FollowUp = {
  kind: 'receipt',
  subjects: ({ config }, { tasks }) => {
    const due = Object.entries(tasks ?? {}).filter(([, task]) => task.receipt === 'due');
    return { keys: wantsReceipt(config) ? due.map(([key]) => key) : [] };
  },
  act: async (deps, { task, gitea }) => {
    const { repository, number, agent, dispatches, receiptComment } = task;
    const at = toRfc3339(deps.now());
    const left = await gitea.leaveReceipt({
      repository,
      number,
      agent,
      at,
      attempt: dispatches,
      comment: receiptComment,
    });
    const known = { ...task, receiptComment: left.comment ?? receiptComment };
    return left.missing === null
      ? { task: { ...known, receipt: 'left' }, answer: { kind: 'settled' } }
      : { task: known, answer: { kind: 'failed', message: left.missing } };
  },
  complaint: (ref, why) => `the receipt on ${ref} is not left yet, or not whole: ${why}`,
};
