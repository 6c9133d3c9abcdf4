// What is left on the issue, so that people on Gitea see that it was dispatched. Off unless configured; it needs a token that
// may write. It is tried again in later passes, and never undoes a dispatch.

import { toRfc3339 } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { State } from '../core/state/state.ts';
import { type TrackedTask, trackedRef } from '../core/task/tracked.ts';
import type { DispatchDeps } from './pass-deps.ts';

/** So many receipts are left in a pass: the newest one, and one of those that failed before. */
const MOST_LEFT = 2;

/** Leaves the receipts that are due. Answers the state as it is then, and what went wrong. */
export async function leaveReceipts(
  deps: DispatchDeps,
  state: State,
): Promise<{ readonly state: State; readonly warnings: readonly string[] }> {
  if (!deps.leaveReceipt) return { state, warnings: [] };
  const due = Object.entries(state.tasks ?? {}).filter(([, task]) => task.receipt === 'due');
  const tasks = { ...state.tasks };
  const warnings: string[] = [];
  for (const [key, task] of due.toReversed().slice(0, MOST_LEFT)) {
    try {
      const comment = await deps.leaveReceipt(receiptFor(task, deps));
      tasks[key] = { ...task, receipt: 'left', receiptComment: comment ?? task.receiptComment };
    } catch (error) {
      if (deps.isInterrupted()) throw error;
      warnings.push(`the receipt on ${trackedRef(task)} is not left yet: ${messageOf(error)}`);
    }
  }
  return { state: { ...state, tasks }, warnings };
}

function receiptFor(task: TrackedTask, deps: DispatchDeps) {
  const { repository, number, agent, dispatches, receiptComment } = task;
  return { repository, number, agent, at: toRfc3339(deps.now()), attempt: dispatches, comment: receiptComment };
}
