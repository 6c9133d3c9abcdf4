// A task whose agent is stuck may wait for other issues: those that it depends on, and those that its agent named when it
// handed it back. When the last of them is closed, the task is new again.

import { type Turns, turnKey } from '../../core/choice/turns.ts';
import { fromRfc3339, type Instant } from '../../core/clock.ts';
import { coversRepository } from '../../core/config/patterns.ts';
import { issueKey } from '../../core/issue/identity.ts';
import { referencesOn } from '../../core/issue/on-server.ts';
import { type FullIssue, refOf } from '../../core/issue/issue.ts';
import { listedIn } from '../../core/listing/listing.ts';
import { issueIn, listedOf, type TrackedTask } from '../../core/task/tracked.ts';
import type { DispatchDeps } from '../pass-deps.ts';
import type { FollowUp, Result, Subject } from './follow-up.ts';

/** Of what no listing shows, Gitea is asked again after this time. */
const RECHECK_MS = 5 * 60_000;
/** So many issues that its agent named are looked at. */
const MOST_NAMED = 5;

/** Blocked tasks: read once, when their issue changed, and when what they wait for may be closed. */
export const blockers: FollowUp = {
  kind: 'blocker',
  subjects: (deps, { tasks, turns }, listing) => {
    const blocked = Object.entries(tasks ?? {}).filter(([, { progress }]) => progress?.stage === 'blocked');
    if (blocked.length === 0 || !deps.config.updates.reopen) return { keys: [] };
    const listed = listedOf(tasks ?? {}, deps.config, listing);
    const isListed = listedIn(listing);
    const isSuspect = (key: string, { server, issueId, waitsFor }: TrackedTask): boolean => {
      if (waitsFor === null) return true;
      const isChanged = (listed.get(issueKey(server, issueId))?.updatedAt ?? waitsFor.updatedAt) !== waitsFor.updatedAt;
      if (isChanged || waitsFor.listed.some((ref) => !isListed(ref))) return true;
      const ago = deps.now() - askedAt(turns, key);
      // In the future it was asked under a clock that was ahead.
      return waitsFor.others.length > 0 && (ago >= RECHECK_MS || ago < 0);
    };
    return { keys: blocked.filter(([key, task]) => isSuspect(key, task)).map(([key]) => key) };
  },
  act: async (deps, subject) => {
    const { task, listing, gitea } = subject;
    if (deps.tasks.stageOf(task) !== 'blocked') return { task, answer: { kind: 'settled' } };
    const issue = await gitea.readIssue(issueIn(deps.config, listing, task) ?? task);
    if (issue?.id !== task.issueId) return { task, answer: { kind: 'failed', message: 'Gitea does not show it' } };
    return withWay(deps, subject, issue, await wayOf(deps, subject, issue));
  },
  complaint: (ref, why) => `whether ${ref} still waits for other issues could not be found out: ${why}`,
};

/** What stands in the way of a task. */
interface Way {
  readonly open: readonly string[];
  /** What did when it was blocked, and does no more. */
  readonly cleared: readonly string[];
}

async function wayOf(deps: DispatchDeps, { task, listing, gitea }: Subject, issue: FullIssue): Promise<Way> {
  const { waitsFor, progress } = task;
  const isListed = listedIn(listing);
  const open = new Set(issue.blockers.flatMap((blocker) => (blocker.open ? (blocker.ref ?? []) : [])));
  const cleared = new Set<string>();
  const blockedAt = fromRfc3339(progress?.at ?? '') ?? Infinity;
  const known = waitsFor ? [...waitsFor.listed, ...waitsFor.others] : namedIn(deps, task, issue);
  for (const ref of known.filter((each) => !open.has(each))) {
    const found = isListed(ref) ? null : await gitea.peekIssue(placeIn(ref));
    if (isListed(ref) || found?.state === 'open') open.add(ref);
    // What was closed before its agent was stuck is not what it waits for.
    else if (waitsFor !== null || (found !== null && found.updatedAt >= blockedAt)) cleared.add(ref);
  }
  return { open: [...open], cleared: [...cleared] };
}

// Its dependencies that are closed by now, and what the agent's own words name, of configured repositories only: whoever
// made an agent write a name must learn nothing of other ones.
function namedIn(deps: DispatchDeps, task: TrackedTask, issue: FullIssue): readonly string[] {
  const { servers, repositories } = deps.config;
  const reason = deps.tasks.progressOf(task)?.reason ?? '';
  const named = referencesOn(servers, reason, issue.repository)
    .filter(({ repository }) => coversRepository(repositories, repository))
    .map((place) => refOf(place));
  const closed = issue.blockers.flatMap(({ open, ref }) => (open || ref === null ? [] : [ref]));
  return [...new Set([...named, ...closed])].filter((ref) => ref !== refOf(issue)).slice(0, MOST_NAMED);
}

function withWay(deps: DispatchDeps, { task, listing }: Subject, issue: FullIssue, { open, cleared }: Way): Result {
  if (open.length === 0 && cleared.length > 0) {
    const why = `what it waited for is closed: ${cleared.join(', ')}`;
    if (deps.tasks.reopen(task, 'blocked', why)) {
      const ref = refOf(issue);
      deps.log({
        name: 'UNBLOCKED',
        message: `${task.agent}: ${ref} was blocked, and is new again; ${why}`,
        facts: { ref, agent: task.agent },
      });
    }
    return { task: { ...task, waitsFor: null }, answer: { kind: 'settled' } };
  }
  const isListed = listedIn(listing);
  const waitsFor = {
    updatedAt: issueIn(deps.config, listing, task)?.updatedAt ?? issue.updatedAt,
    listed: open.filter((ref) => isListed(ref)),
    others: open.filter((ref) => !isListed(ref)),
  };
  return { task: { ...task, waitsFor }, answer: { kind: 'done' } };
}

function askedAt(turns: Turns, key: string): Instant {
  return fromRfc3339(turns[turnKey('blocker', key)]?.askedAt ?? '') ?? 0;
}

function placeIn(ref: string): { readonly repository: string; readonly number: number } {
  const [repository = '', number] = ref.split('#');
  return { repository, number: Number(number) };
}
