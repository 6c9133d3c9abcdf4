// News of dispatched issues: read only where `updated_at` moved, told only where the content did.

import { fromRfc3339, type Instant, toRfc3339 } from '../core/clock.ts';
import type { Config } from '../core/config/config.ts';
import { messageOf } from '../core/errors.ts';
import { type FullIssue, type Issue } from '../core/issue/issue.ts';
import { newsIn, type Reading, seenOf } from '../core/task/news.ts';
import { isReceipt } from '../core/task/receipt.ts';
import type { State } from '../core/state/state.ts';
import { type Seen, type TrackedTask, trackedRef } from '../core/task/tracked.ts';
import { MOST_UPDATES, updateData, updateFrontMatter } from '../core/task/update.ts';
import type { DispatchDeps, Listing } from './pass-deps.ts';

/** So many issues are read again in a pass. */
const MOST_READ = 3;
/** `updated_at` has seconds: what was read within the same second may have changed after that. */
const SAME_SECOND_MS = 2000;
/** One that cannot be read leaves its turn to the others for so long. */
const RETRY_MS = 5 * 60_000;

/** Writes what is new beside the tasks. What goes wrong is a warning, and tried again in the next pass. */
export async function tellNews(
  deps: DispatchDeps,
  state: State,
  { issues }: Listing,
): Promise<{ readonly state: State; readonly warnings: readonly string[] }> {
  if (!deps.config.updates.enabled) return { state, warnings: [] };
  const tasks = { ...state.tasks };
  const warnings: string[] = [];
  let read = 0;
  for (const { key, task, issue } of movedTasks(state, issues, deps.now())) {
    if (read >= MOST_READ) break;
    // Its agent deleted it: there is nothing that the news could stand beside.
    if (deps.tasks.whereIs(task) === null) continue;
    read += 1;
    try {
      const full = await deps.readIssue(issue);
      if (full?.id === task.issueId) tasks[key] = await told(deps, task, full);
    } catch (error) {
      if (deps.isInterrupted()) throw error;
      warnings.push(`the news of ${trackedRef(task)} could not be told: ${messageOf(error)}`);
      tasks[key] = { ...task, recheckAt: toRfc3339(deps.now() + RETRY_MS) };
    }
  }
  return { state: { ...state, tasks }, warnings };
}

/** Whose words the agent of a task hears. */
export function readingFor(config: Config, agent: string, sha256: Reading['sha256']): Reading {
  const { updates, trust, receipt } = config;
  return {
    sha256,
    isHeard: ({ author, body }) => {
      const login = author.toLowerCase();
      if (login === agent || updates.ignoreAuthors.includes(login) || isReceipt(body)) return false;
      return trust.commenters?.includes(login) ?? true;
    },
    ownLabels: receipt.label === null ? [] : [receipt.label.toLowerCase()],
  };
}

/** What the agent knows after reading the issue now; changes within this second are looked for once more. */
export function seenNow(issue: FullIssue, reading: Reading, now: number): Seen {
  const isFresh = now - issue.updatedAt < SAME_SECOND_MS;
  return { ...seenOf(issue, reading), updatedAt: toRfc3339(issue.updatedAt - (isFresh ? 1000 : 0)) };
}

function movedTasks({ tasks }: State, issues: readonly Issue[], now: Instant) {
  const listed = new Map(issues.map((issue) => [issue.id, issue]));
  return Object.entries(tasks ?? {}).flatMap(([key, task]) => {
    const issue = listed.get(task.issueId);
    if (!issue || task.updates >= MOST_UPDATES) return [];
    if ((fromRfc3339(task.recheckAt ?? '') ?? 0) > now) return [];
    const seenAt = fromRfc3339(task.seen?.updatedAt ?? '');
    return seenAt === undefined || issue.updatedAt > seenAt ? [{ key, task, issue }] : [];
  });
}

async function told(deps: DispatchDeps, task: TrackedTask, issue: FullIssue): Promise<TrackedTask> {
  const reading = readingFor(deps.config, task.agent, deps.sha256);
  const now = deps.now();
  const seen = seenNow(issue, reading, now);
  // Dispatched by an older version, or the state was lost: what is there now is where news begin.
  const news = task.seen === null ? null : newsIn(task.seen, issue, reading);
  if (news === null) return { ...task, seen };
  const markdown = await deps.markdown();
  const facts = { at: now, marker: deps.randomWord(), serverUrl: deps.config.url, version: deps.version, markdown };
  const render = await deps.tasks.updateTemplate();
  const body = render(updateData(issue, task, news, facts));
  const file = deps.tasks.writeUpdate(task, `${updateFrontMatter(issue, task, news, now)}\n${body}`);
  const again = offeredAgain(deps, task);
  deps.log({
    name: 'NEWS',
    message: `${task.agent}: ${trackedRef(task)} has news (${news.changed.join(', ')})${again}: ${again === '' ? file : task.file}`,
    facts: { ref: trackedRef(task), agent: task.agent, file },
  });
  return { ...task, seen, updates: task.updates + 1 };
}

// Whoever was asked has answered, or a reviewer has found something: its agent is to look at it again.
function offeredAgain(deps: DispatchDeps, task: TrackedTask): string {
  const stage = deps.tasks.stageOf(task);
  if (!deps.config.updates.reopen || (stage !== 'blocked' && stage !== 'done')) return '';
  return deps.tasks.reopen(task, stage) ? `; it was ${stage}, and is new again` : '';
}
