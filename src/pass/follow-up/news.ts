// News of dispatched issues: read only where `updated_at` moved, told only where the content did.

import { fromRfc3339 } from '../../core/clock.ts';
import { type FullIssue, refOf } from '../../core/issue/issue.ts';
import { heard } from '../../core/task/document.ts';
import { newsIn } from '../../core/task/news.ts';
import { listedOf, type TrackedTask } from '../../core/task/tracked.ts';
import { MOST_UPDATES, updateData, updateFrontMatter } from '../../core/task/update.ts';
import { withAttachments } from '../attachments.ts';
import type { DispatchDeps, GiteaSlice } from '../pass-deps.ts';
import { isTrustedFor, readingFor, seenNow } from '../prepare.ts';
import type { FollowUp } from './follow-up.ts';

/** Tasks whose issue moved since their agent was told of it. */
export const news: FollowUp = {
  kind: 'news',
  subjects: (deps, { tasks }, { issues }) => {
    if (!deps.config.updates.enabled) return { keys: [] };
    const listed = listedOf(tasks ?? {}, issues);
    const moved = Object.entries(tasks ?? {}).filter(([, task]) => {
      const issue = listed.get(task.issueId);
      if (!issue || task.updates >= MOST_UPDATES) return false;
      const seenAt = fromRfc3339(task.seen?.updatedAt ?? '');
      return seenAt === undefined || issue.updatedAt > seenAt;
    });
    return { keys: moved.map(([key]) => key) };
  },
  act: async (deps, { task, listing, gitea }) => {
    // Its agent deleted it: there is nothing that the news could stand beside.
    if (deps.tasks.whereIs(task) === null) return { task, answer: { kind: 'done' } };
    const issue = await gitea.readIssue(listing.issues.find(({ id }) => id === task.issueId) ?? task);
    if (issue?.id !== task.issueId) return { task, answer: { kind: 'failed', message: 'Gitea does not show it' } };
    return { task: await told(deps, gitea, task, issue), answer: { kind: 'done' } };
  },
  complaint: (ref, why) => `the news of ${ref} could not be told: ${why}`,
};

async function told(deps: DispatchDeps, gitea: GiteaSlice, task: TrackedTask, issue: FullIssue): Promise<TrackedTask> {
  const reading = readingFor(deps.config, task.agent, deps.sha256);
  const now = deps.now();
  const seen = seenNow(issue, reading, now);
  // Dispatched by an older version, or the state was lost: what is there now is where news begin.
  const found = task.seen === null ? null : newsIn(task.seen, issue, reading);
  if (found === null) return { ...task, seen };
  const markdown = await deps.markdown();
  const facts = { at: now, marker: deps.randomWord(), serverUrl: deps.config.url, version: deps.version, markdown };
  const render = await deps.tasks.updateTemplate();
  const place = { told: heard(issue, { isTrusted: isTrustedFor(deps.config) }), file: deps.tasks.placeOf(task) };
  const whole = await withAttachments(deps, gitea, issue, place);
  const body = render(updateData(whole, task, found, facts));
  const file = deps.tasks.writeUpdate(task, `${updateFrontMatter(issue, task, found, now)}\n${body}`);
  const again = offeredAgain(deps, task);
  deps.log({
    name: 'NEWS',
    message: `${task.agent}: ${refOf(task)} has news (${found.changed.join(', ')})${again}: ${again === '' ? file : task.file}`,
    facts: { ref: refOf(task), agent: task.agent, file },
  });
  return { ...task, seen, updates: task.updates + 1 };
}

// Whoever was asked has answered, or a reviewer has found something: its agent is to look at it again.
function offeredAgain(deps: DispatchDeps, task: TrackedTask): string {
  const stage = deps.tasks.stageOf(task);
  if (!deps.config.updates.reopen || (stage !== 'blocked' && stage !== 'done')) return '';
  return deps.tasks.reopen(task, stage, 'the issue has news') ? `; it was ${stage}, and is new again` : '';
}
