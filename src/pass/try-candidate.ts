// One candidate, in its slice of the time: read as it is now, looked at once more, rendered, and put beside its place.

import { decide, type Decision } from '../core/choice/choice.ts';
import { EXIT, UserError } from '../core/errors.ts';
import { type Candidate, candidateFor } from '../core/issue/candidate.ts';
import type { RepositoryFacts } from '../core/issue/context.ts';
import type { Facts } from '../core/issue/eligibility.ts';
import { type FullIssue, refOf } from '../core/issue/issue.ts';
import { serverWith } from '../core/issue/identity.ts';
import { heard, type Trigger } from '../core/task/document.ts';
import type { TaskData } from '../core/task/document.ts';
import { lastDispatchAt, type State } from '../core/state/state.ts';
import { withAttachments } from './attachments.ts';
import { archivedHold, type Hold, holdOf } from './hold.ts';
import type { DispatchDeps, GiteaSlice } from './pass-deps.ts';
import { isTrustedFor, prepareTask, type PreparedTask } from './prepare.ts';

/** What became of a try. */
export type Tried =
  | { readonly kind: 'ready'; readonly task: PreparedTask }
  /** It may go, and its agent lives on other machines: one of them prepares it. */
  | { readonly kind: 'elsewhere'; readonly candidate: Candidate }
  /** The issue is not what the list said; `now` is what it is. */
  | { readonly kind: 'changed'; readonly now: Candidate }
  /** It is no candidate any more; `isIssue`: neither are the others of its issue. */
  | { readonly kind: 'gone'; readonly isIssue: boolean }
  | { readonly kind: 'held'; readonly hold: Hold }
  /** `agent`: none of its tasks can be written. `isOutage`: Gitea did not answer, which may be Gitea's fault. */
  | { readonly kind: 'failed'; readonly error: unknown; readonly blame: 'agent' | 'issue'; readonly isOutage: boolean };

interface Occasion {
  readonly decision: Decision;
  readonly facts: Facts;
  readonly state: State;
  /** Milliseconds. */
  readonly slice: number;
  /** Whether its agent lives on other machines alone. */
  readonly isElsewhere: boolean;
  readonly draft: (task: PreparedTask) => void;
}

/** Tries to prepare a candidate's task. Throws only what ends the pass: an interrupt, a token that is refused, a journal that cannot be read. */
export async function tryCandidate(deps: DispatchDeps, target: Candidate, occasion: Occasion): Promise<Tried> {
  let render: ((data: TaskData) => string) | null;
  try {
    render = occasion.isElsewhere ? null : await deps.template(target.agent);
    // What cannot be loaded is no fault of the issue.
    if (render) await deps.markdown();
    if (render) deps.tasks.checkWay(target);
  } catch (error) {
    return { kind: 'failed', error, blame: 'agent', isOutage: false };
  }
  let task: PreparedTask;
  deps.trying.begin({ key: target.key, ref: refOf(target.issue), agent: target.agent });
  try {
    const result = await preparedOrNot(deps, target, render, occasion);
    if (result.kind !== 'ready') return result;
    ({ task } = result);
  } catch (error) {
    if (deps.isInterrupted()) throw error;
    const isUserError = error instanceof UserError;
    // A token that may read the list, but not this issue, holds up nobody else.
    if (isUserError && error.exitCode === EXIT.token && error.code !== 'gitea_forbidden') throw error;
    // Nobody's fault who has a task: it would have to wait after the disk is mended.
    if (isUserError && error.code === 'journal_unreadable') throw error;
    return { kind: 'failed', error, blame: 'issue', isOutage: isUserError && OUTAGE.test(error.code) };
  } finally {
    deps.trying.end();
  }
  try {
    occasion.draft(task);
    return { kind: 'ready', task };
  } catch (error) {
    return { kind: 'failed', error, blame: 'agent', isOutage: false };
  }
}

const OUTAGE = /^gitea_(?:unreachable|unavailable|throttled|timeout)$/u;

async function preparedOrNot(
  deps: DispatchDeps,
  target: Candidate,
  render: ((data: TaskData) => string) | null,
  { decision, facts, state, slice }: Occasion,
): Promise<Tried> {
  const gitea = deps.gitea(slice);
  const issue = await gitea.readIssue(target.issue);
  const login = issue?.assignees.find((assignee) => assignee.toLowerCase() === target.agent);
  if (!issue || issue.state !== 'open' || issue.isPullRequest) return { kind: 'gone', isIssue: true };
  if (login === undefined) return { kind: 'gone', isIssue: false };
  const fresh = candidateFor(issue, login, deps.config);
  if (fresh.key !== target.key) return { kind: 'gone', isIssue: true };
  // With its labels of this moment: is it still the one to go?
  const others = decision.rows.map((row) => row.candidate).map((other) => (other.key === fresh.key ? fresh : other));
  const again = decide(others, facts, lastDispatchAt(state), deps.now());
  if ((again.chosen ?? again.next)?.key !== fresh.key) return { kind: 'changed', now: fresh };
  const hold = await holdOf(gitea, deps.config, issue, login);
  if (hold) return { kind: 'held', hold };
  const repository = await gitea.readRepository(issue);
  if (repository.isArchived) return { kind: 'held', hold: archivedHold(issue) };
  if (!render) return { kind: 'elsewhere', candidate: fresh };
  const at = Math.max(again.slotOpensAt, deps.now());
  const occasion = { at, trigger: deps.trigger, lifted: [], facts, render, repository };
  return { kind: 'ready', task: await taskFor(deps, gitea, fresh, issue, occasion) };
}

interface Dispatching {
  readonly at: number;
  readonly trigger: Trigger;
  readonly lifted: readonly string[];
  readonly facts: Pick<Facts, 'tracked'>;
  readonly render: (data: TaskData) => string;
  readonly repository: RepositoryFacts;
}

/** Renders the task of an issue that is to go, with its attachments saved as far as the slice allows. Throws exit 78. */
export async function taskFor(
  deps: DispatchDeps,
  gitea: GiteaSlice,
  candidate: Candidate,
  issue: FullIssue,
  { at, trigger, lifted, facts, render, repository }: Dispatching,
): Promise<PreparedTask> {
  const { config, version, sha256 } = deps;
  const file = deps.tasks.path(candidate);
  const { agent } = candidate;
  const attempts = deps.journal.attempts({ server: serverWith(config, issue.repository), issueId: issue.id, agent });
  const before = facts.tracked(candidate);
  const told = heard(issue, { isTrusted: isTrustedFor(config) });
  const [whole, context] = await Promise.all([
    withAttachments(deps, gitea, issue, { told, file }),
    gitea.readContext(told, { agent, attempt: Math.max(attempts, before?.attempt ?? 0) + 1, repository }),
  ]);
  return prepareTask(config, candidate, whole, {
    at,
    now: deps.now(),
    trigger,
    lifted,
    before,
    attempts,
    context,
    file,
    marker: deps.randomWord(),
    version,
    sha256,
    markdown: await deps.markdown(),
    render,
  });
}
