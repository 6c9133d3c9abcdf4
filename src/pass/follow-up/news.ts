// News of dispatched issues, and of their pull requests: read only where something moved, told only where the content did.

import { fromRfc3339 } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import { type FullIssue, type Issue, issueAddress, refOf, withoutTexts } from '../../core/issue/issue.ts';
import { issueKey } from '../../core/issue/identity.ts';
import { addressOf } from '../../core/config/servers.ts';
import { heard } from '../../core/task/document.ts';
import { type News, newsIn, withPulls } from '../../core/task/news.ts';
import { issueIn, listedOf, type TrackedTask } from '../../core/task/tracked.ts';
import { MOST_UPDATES, updateData, updateFrontMatter } from '../../core/task/update.ts';
import { withAttachments } from '../attachments.ts';
import type { DispatchDeps, GiteaSlice } from '../pass-deps.ts';
import { isTrustedFor, readingFor, seenNow } from '../prepare.ts';
import type { FollowUp, Result, Subject } from './follow-up.ts';
import { areDue, readPulls, tasksAfter, watchedNow } from './pull-requests.ts';

/** Tasks whose issue, or a pull request of it, moved since their agent was told of it. */
export const news: FollowUp = {
  kind: 'news',
  subjects: (deps, state, listing) => {
    if (!deps.config.updates.enabled) return { keys: [] };
    const tasks = tasksAfter(state, listing, deps.now());
    const listed = listedOf(tasks ?? {}, deps.config, listing);
    const due = Object.entries(tasks ?? {}).filter(([, task]) => {
      const issue = listed.get(issueKey(task.server, task.issueId));
      if (!issue || (hasAllFiles(task) && !deps.config.updates.reopen)) return false;
      return task.offerAgain !== null || hasMoved(task, issue) || areDue(deps, task, deps.now());
    });
    return { keys: due.map(([key]) => key), ...(tasks === state.tasks ? {} : { state: { tasks } }) };
  },
  act: async (deps, subject) => {
    // Its agent deleted it: there is nothing that the news could stand beside.
    if (deps.tasks.whereIs(subject.task) === null) return { task: subject.task, answer: { kind: 'done' } };
    return subject.task.offerAgain === null
      ? looked(deps, subject)
      : offered(deps, subject.task, subject.task.offerAgain);
  },
  complaint: (ref, why) => `the news of ${ref} could not be told: ${why}`,
};

// From then on news is looked at for one thing alone: that a task that is blocked or done is offered again.
function hasAllFiles({ updates }: TrackedTask): boolean {
  return updates >= MOST_UPDATES;
}

function hasMoved({ seen }: TrackedTask, issue: Issue): boolean {
  const seenAt = fromRfc3339(seen?.updatedAt ?? '');
  return seenAt === undefined || issue.updatedAt > seenAt;
}

// Its news stands beside it already.
function offered(deps: DispatchDeps, task: TrackedTask, why: string): Result {
  const again = madeNew(deps, task, why);
  if (again !== '') {
    const ref = refOf(task);
    deps.log({
      name: 'NEWS',
      message: `${task.agent}: ${ref} has news${again}: ${task.file}`,
      facts: { ref, agent: task.agent },
    });
  }
  return { task: { ...task, offerAgain: null }, answer: { kind: 'done' } };
}

async function looked(deps: DispatchDeps, { task, listing, gitea }: Subject): Promise<Result> {
  const listed = issueIn(deps.config, listing, task);
  const isMoved = listed === undefined || hasMoved(task, listed);
  const issue = isMoved ? await gitea.readIssue(listed ?? task) : bare(deps, listed);
  if (issue?.id !== task.issueId) return { task, answer: { kind: 'failed', message: 'Gitea does not show it' } };
  const ofIssue = isMoved ? seen(deps, { ...task, arePullsStale: true }, issue) : { task, news: null };
  let failure: unknown = null;
  // Of a task that nobody remembered, only what is said from now on is news.
  const from = task.seen === null ? deps.now() : 0;
  // What is new in the issue is told, whatever becomes of its pull requests.
  const watched = await watchedNow(deps, gitea, ofIssue.task, from).catch((error: unknown) => {
    failure = error;
    return ofIssue.task;
  });
  if (failure !== null && deps.isInterrupted()) throw failure;
  const ofPulls = await readPulls(deps, gitea, watched);
  const found = withPulls(ofIssue.news, ofPulls.news);
  const after = found === null ? ofPulls.task : await told(deps, gitea, ofPulls.task, issue, found);
  return failure === null
    ? { task: after, answer: { kind: 'done' } }
    : { task: after, answer: { kind: 'failed', message: messageOf(failure) } };
}

// What the listing tells of it is enough to say which issue it is.
function bare({ config }: DispatchDeps, issue: Issue): FullIssue {
  return withoutTexts(issue, issueAddress(config.servers, issue.repository, issue.number));
}

function seen(
  deps: DispatchDeps,
  task: TrackedTask,
  issue: FullIssue,
): { readonly task: TrackedTask; readonly news: News | null } {
  const reading = readingFor(deps.config, task.agent, deps.sha256);
  // Dispatched by an older version, or the state was lost: what is there now is where news begin.
  const found = task.seen === null ? null : newsIn(task.seen, issue, reading);
  return { task: { ...task, seen: seenNow(issue, reading, deps.now()) }, news: found };
}

async function told(
  deps: DispatchDeps,
  gitea: GiteaSlice,
  task: TrackedTask,
  issue: FullIssue,
  found: News,
): Promise<TrackedTask> {
  if (hasAllFiles(task)) return toldWithoutFile(deps, task, issue, found);
  const now = deps.now();
  const markdown = await deps.markdown();
  const facts = {
    at: now,
    marker: deps.randomWord(),
    serverUrl: addressOf(deps.config.servers, issue.repository),
    version: deps.version,
    markdown,
  };
  const render = await deps.tasks.updateTemplate();
  const place = { told: heard(issue, { isTrusted: isTrustedFor(deps.config) }), file: deps.tasks.placeOf(task) };
  const whole = await withAttachments(deps, gitea, issue, place);
  const body = render(updateData(whole, task, found, facts));
  const file = deps.tasks.writeUpdate(task, `${updateFrontMatter(issue, task, found, now)}\n${body}`);
  const { again, offerAgain } = offeredOrOwed(deps, task, found);
  deps.log({
    name: 'NEWS',
    message: `${task.agent}: ${refOf(task)} has news (${found.changed.join(', ')})${again}: ${again === '' ? file : task.file}`,
    facts: { ref: refOf(task), agent: task.agent, file },
  });
  return { ...task, updates: task.updates + 1, offerAgain };
}

// What was told is told, also when this fails: else it would be told again each time that it is tried.
function offeredOrOwed(
  deps: DispatchDeps,
  task: TrackedTask,
  found: News,
): { readonly again: string; readonly offerAgain: string | null } {
  try {
    return { again: offeredAgain(deps, task, found, HAS_NEWS), offerAgain: null };
  } catch (error) {
    const message = `${refOf(task)} has news, and cannot be made new again: ${messageOf(error)}`;
    deps.log({ name: 'WARNING', message });
    return { again: '', offerAgain: HAS_NEWS };
  }
}

function toldWithoutFile(deps: DispatchDeps, task: TrackedTask, { url }: FullIssue, found: News): TrackedTask {
  const where = `read it there, it has its ${MOST_UPDATES} files: ${url}`;
  const again = offeredAgain(deps, task, found, `${HAS_NEWS}; ${where}`);
  if (again !== '') {
    deps.log({
      name: 'NEWS',
      message: `${task.agent}: ${refOf(task)} has news (${found.changed.join(', ')})${again}; ${where}`,
      facts: { ref: refOf(task), agent: task.agent },
    });
  }
  return task;
}

// Whoever was asked has answered, or a reviewer has found something: its agent is to look at it again. Not for what becomes of
// other people's pull requests that name the issue.
function offeredAgain(deps: DispatchDeps, task: TrackedTask, { changed, pulls }: News, why: string): string {
  const isWork =
    pulls.length === 0 || pulls.some(({ isOurs }) => isOurs) || changed.some((word) => ISSUE_WORDS.has(word));
  return isWork ? madeNew(deps, task, why) : '';
}

function madeNew(deps: DispatchDeps, task: TrackedTask, why: string): string {
  const stage = deps.tasks.stageOf(task);
  if (!deps.config.updates.reopen || (stage !== 'blocked' && stage !== 'done')) return '';
  return deps.tasks.reopen(task, stage, why) ? `; it was ${stage}, and is new again` : '';
}

const HAS_NEWS = 'the issue has news';
const ISSUE_WORDS = new Set(['title', 'body', 'labels', 'milestone', 'due', 'comments']);
