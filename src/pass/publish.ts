import type { Candidate } from '../core/issue/candidate.ts';
import { type Instant, toRfc3339 } from '../core/clock.ts';
import type { DispatchRecord } from '../core/state/dispatch-record.ts';
import { isSingle } from '../core/config/config.ts';
import { messageOf } from '../core/errors.ts';
import { parseFrontMatter } from '../core/task/front-matter.ts';
import { type FullIssue, refOf } from '../core/issue/issue.ts';
import type { State } from '../core/state/state.ts';
import { type DispatchFacts, taskData, taskFrontMatter, type Trigger } from '../core/task/document.ts';
import { MOST_REPEATS, repeatsOf, type TrackedTask } from '../core/task/tracked.ts';
import { cleanLine } from '../core/task/untrusted.ts';
import { dispatchMessage } from '../core/health/log-event.ts';
import type { DispatchDeps } from './pass-deps.ts';
import { readingFor, seenNow } from './tell-news.ts';

/** A task that is rendered, and everything that will be recorded about it. */
export interface PreparedTask {
  readonly candidate: Candidate;
  readonly text: string;
  readonly record: DispatchRecord;
  /** What is remembered of it from its dispatch on. */
  readonly tracked: TrackedTask;
}

interface Occasion {
  readonly at: Instant;
  readonly trigger: Trigger;
  /** Gates that `--force` lifted. */
  readonly lifted: readonly string[];
  /** What is remembered of the dispatch before. */
  readonly before: TrackedTask | undefined;
}

/** Renders the task file. Throws exit 78 when the template fails on this issue. */
export async function prepareTask(
  deps: DispatchDeps,
  candidate: Candidate,
  read: FullIssue,
  occasion: Occasion,
): Promise<PreparedTask> {
  const file = deps.tasks.path(candidate);
  const issue = await withAttachments(deps, read, file);
  const { agent } = candidate;
  const earlier = deps.journal.read().filter((entry) => entry.issueId === issue.id && entry.agent === agent);
  const facts: DispatchFacts = {
    at: occasion.at,
    trigger: occasion.trigger,
    attempt: earlier.length + 1,
    marker: deps.randomWord(),
    serverUrl: deps.config.url,
    version: deps.version,
    markdown: await deps.markdown(),
    isTrusted: (login) => deps.config.trust.commenters?.includes(login.toLowerCase()) ?? true,
    sha256: deps.sha256,
  };
  const render = await deps.template(agent);
  const frontMatter = taskFrontMatter(issue, candidate, facts);
  const body = render(taskData(issue, candidate, facts));
  return {
    candidate,
    text: `${frontMatter}\n${body}`,
    record: {
      at: toRfc3339(occasion.at),
      ref: refOf(issue),
      issueId: issue.id,
      agent,
      title: cleanLine(issue.title),
      priority: candidate.priority,
      prioritySource: cleanLine(candidate.source),
      trigger: occasion.trigger,
      attempt: facts.attempt,
      file,
      lifted: [...occasion.lifted],
      contentHash: String(parseFrontMatter(frontMatter)?.get('contentHash')),
      waitingSince: toRfc3339(issue.createdAt),
    },
    tracked: {
      issueId: issue.id,
      repository: issue.repository,
      number: issue.number,
      agent,
      file,
      dispatches: occasion.trigger === 'forced' ? 1 : (occasion.before?.dispatches ?? 0) + 1,
      isAssigned: issue.assignees.some((login) => login.toLowerCase() === agent),
      seen: seenNow(issue, readingFor(deps.config, agent, deps.sha256), deps.now()),
      updates: 0,
      recheckAt: null,
      receipt: deps.leaveReceipt ? 'due' : 'none',
      receiptComment: occasion.before?.receiptComment ?? null,
    },
  };
}

// They lie beside the task before it appears. Whatever goes wrong, the task goes: their addresses stand in it.
async function withAttachments(deps: DispatchDeps, issue: FullIssue, file: string): Promise<FullIssue> {
  if (!deps.saveAttachments) return issue;
  try {
    const saved = await deps.saveAttachments(issue, file);
    return { ...issue, attachments: issue.attachments.map((each) => ({ ...each, savedAs: saved.get(each.url) })) };
  } catch (error) {
    deps.log({ name: 'WARNING', message: `the attachments of ${refOf(issue)} are not saved: ${messageOf(error)}` });
    return issue;
  }
}

/**
 * Publishes a task: the slot is recorded before the file appears, so that being killed in between costs a minute and
 * never the limit. `remember` gets each state that holds from then on, also when a later step throws. Answers false
 * when a file of that name has appeared meanwhile.
 */
export function publishTask(
  deps: DispatchDeps,
  state: State,
  task: PreparedTask,
  remember: (state: State) => void,
): boolean {
  const { record, candidate } = task;
  const draft = deps.tasks.draft(candidate, task.text);
  const taken = (pending: DispatchRecord | null, failures = state.failures, tasks = state.tasks): State => ({
    ...state,
    failures,
    tasks,
    lastDispatch: { at: toRfc3339(deps.now()), ref: record.ref, pending, uptime: deps.uptime() },
  });
  try {
    const slot = taken(record);
    deps.state.write(slot);
    remember(slot);
  } catch (error) {
    draft.discard();
    throw error;
  }
  const outcome = draft.publish(record.trigger === 'forced');
  // From now on, not from when the slot was recorded: the window is between the appearances of two files.
  if (outcome.kind === 'already-there') {
    remember(taken(null));
    deps.log({
      name: 'ALREADY THERE',
      message: `${record.file} has appeared meanwhile, and is kept as it is`,
    });
    return false;
  }
  const { [candidate.key]: _past, ...failures } = state.failures;
  const tasks = { ...state.tasks, [candidate.key]: task.tracked };
  remember(taken(record, failures, tasks));
  if (outcome.archived) deps.log({ name: 'ARCHIVED', message: `the file before is kept as ${outcome.archived}` });
  if (journalled(deps, record)) remember(taken(null, failures, tasks));
  const repeats = repeatsOf(task.tracked);
  if (repeats > 0) {
    const message = `${record.agent} had ${record.ref} before, and its file is gone; it is dispatched again (${repeats} of ${MOST_REPEATS})`;
    deps.log({ name: 'FILE GONE', message });
  }
  deps.log({
    name: 'DISPATCHED',
    message: dispatchMessage(candidate, isSingle(deps.config.repositories)),
    facts: { ...record, lifted: record.lifted.join('; '), waitingSince: record.waitingSince ?? null },
  });
  return true;
}

// The task is out: a journal that cannot be written does not undo it. The next pass finds the record and completes it.
function journalled(deps: DispatchDeps, record: DispatchRecord): boolean {
  try {
    deps.journal.append(record);
    return true;
  } catch (error) {
    deps.log({
      name: 'WARNING',
      message: `the journal cannot be written, the next pass tries again: ${messageOf(error)}`,
    });
    return false;
  }
}
