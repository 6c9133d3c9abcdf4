// Keeps the task folder true: tasks whose issue was closed, or taken from the agent, go to the archive. That an issue is
// missing from a list proves nothing, so each is read before anything is moved.

import { fromRfc3339, toRfc3339 } from '../../core/clock.ts';
import { coversRepository } from '../../core/config/patterns.ts';
import { serversIn, taskKey } from '../../core/issue/identity.ts';
import { refOf } from '../../core/issue/issue.ts';
import type { State } from '../../core/state/state.ts';
import { issueIn, suspectsOf, type TrackedTask } from '../../core/task/tracked.ts';
import type { Listing } from '../../core/listing/listing.ts';
import type { DispatchDeps } from '../pass-deps.ts';
import type { FollowUp, Result, Subject, Subjects } from './follow-up.ts';

/** More than half of so many missing at once is rather a server that hides something than an office that closed them. */
const CROWD = 6;
const CROWD_PATIENCE_MS = 10 * 60_000;
/** One that the server does not show any more is asked for again after this time. */
const RECHECK_MS = 60 * 60_000;
/** One that is open and assigned, and only not on the list. */
const ALIVE_MS = 5 * 60_000;

/** Tasks that may be over. */
export const archiving: FollowUp = {
  kind: 'archive',
  subjects,
  act: async (deps, subject) => withFate(deps, subject, await fateOf(deps, subject)),
  complaint: (ref, why) =>
    `whether the task of ${ref} is over could not be found out, or it could not be archived: ${why}`,
};

function subjects(deps: DispatchDeps, state: State, listing: Listing): Subjects {
  const { config } = deps;
  const tasks = state.tasks ?? {};
  const known = serversIn(config);
  // What could not be listed this time is missing for that reason.
  const listed = Object.fromEntries(Object.entries(tasks).filter(([, task]) => !listing.isUnread(task.repository)));
  const suspects = suspectsOf(listed, config, listing);
  const isCovered = (key: string): boolean => coversRepository(config.repositories, tasks[key]?.repository ?? '');
  // Of a repository that is not configured any more nothing is listed: that is no sign of anything.
  const missing = suspects.filter((key) => isCovered(key));
  const total = Object.values(listed).filter((task) => known.has(task.server)).length;
  const isCrowd = missing.length >= CROWD && missing.length > total / 2;
  const now = deps.now();
  // A time in the future was written under a clock that was ahead: nobody is to wait for it.
  const since = Math.min(fromRfc3339(state.vanishedSince ?? '') ?? now, now);
  const vanishedSince = isCrowd ? toRfc3339(since) : null;
  const warnings = strangeTasks(Object.values(tasks), known, deps);
  if (isCrowd && now - since < CROWD_PATIENCE_MS) {
    const warning =
      "more than half of the dispatched issues are missing from Gitea's list at once; nothing is archived for 10 minutes, in case the server hides them";
    return { keys: [], state: { vanishedSince }, warnings: [...warnings, warning] };
  }
  return { keys: suspects, state: { vanishedSince }, warnings };
}

// What no listing will ever tell of again, and why.
function strangeTasks(
  tasks: readonly TrackedTask[],
  known: ReadonlySet<string>,
  { config }: DispatchDeps,
): readonly string[] {
  const servers = tasks.filter((task) => !known.has(task.server)).map((task) => task.server);
  const repositories = tasks
    .filter((task) => known.has(task.server) && !coversRepository(config.repositories, task.repository))
    .map((task) => task.repository);
  const named = (names: readonly string[]): string => [...new Set(names)].toSorted().join(', ');
  return [
    ...(servers.length > 0
      ? [
          `tasks of another server are out (${named(servers)}): they stay as they are. If that is the same server under an older address, name it in gitea.formerUrls`,
        ]
      : []),
    ...(repositories.length > 0
      ? [
          `tasks of repositories that are not configured any more are out (${named(repositories)}): each is archived when its issue is closed`,
        ]
      : []),
  ];
}

type Fate =
  | { readonly kind: 'over'; readonly reason: 'closed' | 'unassigned' | 'replaced' }
  | { readonly kind: 'alive'; readonly repository: string }
  /** Deleted, or hidden from the token. */
  | { readonly kind: 'unknown' };

async function fateOf({ config }: DispatchDeps, { key, task, gitea, listing }: Subject): Promise<Fate> {
  const issue = await gitea.peekIssue(task);
  if (!issue) return { kind: 'unknown' };
  if (issue.id !== task.issueId) {
    // A repository that was deleted and made again gives the number to another issue. (A renamed one is on the list, elsewhere.)
    return issueIn(config, listing, task) ? { kind: 'unknown' } : { kind: 'over', reason: 'replaced' };
  }
  if (issue.state === 'closed') return { kind: 'over', reason: 'closed' };
  const isAssigned = issue.assignees.some((login) => taskKey(task.server, issue.id, login.toLowerCase()) === key);
  if (task.isAssigned && !isAssigned) return { kind: 'over', reason: 'unassigned' };
  return { kind: 'alive', repository: issue.repository };
}

const REASONS = {
  closed: () => 'is closed',
  unassigned: (agent: string) => `is not assigned to ${agent} any more`,
  replaced: () => 'is another issue now: its repository was deleted and made again',
} as const;

function withFate(deps: DispatchDeps, { task }: Subject, fate: Fate): Result {
  switch (fate.kind) {
    case 'over': {
      const moved = deps.tasks.archive(task);
      if (moved) {
        const { issueId, agent } = task;
        const ref = refOf(task);
        deps.log({
          name: 'ARCHIVED',
          message: `${agent}: ${ref} ${REASONS[fate.reason](agent)}; its task is kept as ${moved.to}`,
          facts: { ref, agent, reason: fate.reason },
        });
        deps.journal.appendArchived({ at: toRfc3339(deps.now()), ref, issueId, agent, reason: fate.reason, ...moved });
      }
      return { task: null, answer: { kind: 'settled' } };
    }
    case 'alive':
      return { task: { ...task, repository: fate.repository }, answer: { kind: 'later', afterMs: ALIVE_MS } };
    case 'unknown':
      return { task, answer: { kind: 'later', afterMs: RECHECK_MS } };
  }
}
