// Keeps the task folder true: tasks whose issue was closed, or taken from the agent, go to the archive. That an issue is
// missing from a list proves nothing, so each is read before anything is moved; a few in a pass, the rest in the next ones.

import type { Candidate } from '../core/issue/candidate.ts';
import { fromRfc3339, type Instant, toRfc3339 } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { State } from '../core/state/state.ts';
import { suspectsOf, type TrackedTask, trackedRef } from '../core/task/tracked.ts';
import type { DispatchDeps, Listing } from './pass-deps.ts';

/** So many issues are read in a pass to find out what became of them. */
const MOST_QUESTIONS = 3;
/** More than half of so many missing at once is rather a server that hides something than an office that closed them. */
const CROWD = 6;
const CROWD_PATIENCE_MS = 10 * 60_000;
/** One that the server does not show any more is asked for again after this time. */
const RECHECK_MS = 60 * 60_000;
/** One that is open and assigned, and only not on the list. */
const ALIVE_MS = 5 * 60_000;

/** Archives what is confirmed to be over. Answers the state as it is then, and what should be said of it. */
export async function archiveFinished(
  deps: DispatchDeps,
  state: State,
  { issues }: Listing,
  candidates: readonly Candidate[],
): Promise<{ readonly state: State; readonly warnings: readonly string[] }> {
  const tasks = state.tasks ?? {};
  const now = deps.now();
  const suspects = suspectsOf(tasks, issues, candidates, now);
  const total = Object.keys(tasks).length;
  const isCrowd = suspects.length >= CROWD && suspects.length > total / 2;
  const vanishedSince = isCrowd ? (state.vanishedSince ?? toRfc3339(now)) : null;
  let next: State = { ...state, vanishedSince };
  if (vanishedSince !== null && now - (fromRfc3339(vanishedSince) ?? now) < CROWD_PATIENCE_MS) {
    const warning = `${suspects.length} of ${total} dispatched issues are missing from Gitea's list at once; nothing is archived for 10 minutes, in case the server hides them`;
    return { state: next, warnings: [warning] };
  }
  for (const key of suspects.slice(0, MOST_QUESTIONS)) {
    const task = tasks[key];
    if (!task) continue;
    try {
      next = withAnswer(next, key, task, await fateOf(deps, key, task), deps);
    } catch (error) {
      if (deps.isInterrupted()) throw error;
      const waiting = { ...task, recheckAt: toRfc3339(now + ALIVE_MS) };
      return {
        state: { ...next, tasks: { ...next.tasks, [key]: waiting } },
        warnings: [`what became of ${trackedRef(task)} could not be asked: ${messageOf(error)}`],
      };
    }
  }
  return { state: next, warnings: [] };
}

type Fate =
  | { readonly kind: 'over'; readonly reason: 'closed' | 'unassigned' }
  | { readonly kind: 'alive'; readonly repository: string }
  /** Deleted, hidden from the token, or another issue stands at its address. */
  | { readonly kind: 'unknown' };

async function fateOf(deps: DispatchDeps, key: string, task: TrackedTask): Promise<Fate> {
  const issue = await deps.peekIssue(task);
  if (!issue || issue.id !== task.issueId) return { kind: 'unknown' };
  if (issue.state === 'closed') return { kind: 'over', reason: 'closed' };
  const isAssigned = issue.assignees.some((login) => `${issue.id}:${login.toLowerCase()}` === key);
  if (task.isAssigned && !isAssigned) return { kind: 'over', reason: 'unassigned' };
  return { kind: 'alive', repository: issue.repository };
}

function withAnswer(state: State, key: string, task: TrackedTask, fate: Fate, deps: DispatchDeps): State {
  const { [key]: _over, ...others } = state.tasks ?? {};
  const later = (ms: number): Instant => deps.now() + ms;
  switch (fate.kind) {
    case 'over': {
      const moved = deps.tasks.archive(task);
      if (moved) {
        const { issueId, agent } = task;
        const ref = trackedRef(task);
        deps.journal.appendArchived({ at: toRfc3339(deps.now()), ref, issueId, agent, reason: fate.reason, ...moved });
        deps.log({
          name: 'ARCHIVED',
          message: `${agent}: ${ref} is ${fate.reason === 'closed' ? 'closed' : `not assigned to ${agent} any more`}; its task is kept as ${moved.to}`,
          facts: { ref, agent, reason: fate.reason },
        });
      }
      return { ...state, tasks: others };
    }
    case 'alive':
      return {
        ...state,
        tasks: { ...others, [key]: { ...task, repository: fate.repository, recheckAt: toRfc3339(later(ALIVE_MS)) } },
      };
    case 'unknown':
      return { ...state, tasks: { ...others, [key]: { ...task, recheckAt: toRfc3339(later(RECHECK_MS)) } } };
  }
}
