// From the state to a task that is ready to be published, or to the reason why there is none. Nothing is written here:
// the pass and the dry run share it, so they cannot disagree.

import { type Candidate, candidateFor, candidatesOf } from '../core/issue/candidate.ts';
import { decide, type Decision, nextFreeSlot, SLOT_PATIENCE_MS } from '../core/choice/choice.ts';
import type { Facts, Failure } from '../core/issue/eligibility.ts';
import { EXIT, messageOf, UserError } from '../core/errors.ts';
import { refOf } from '../core/issue/issue.ts';
import { failuresOf, lastDispatchAt, type State, withFailure, withHold } from '../core/state/state.ts';
import type { TrackedTask } from '../core/task/tracked.ts';
import type { DispatchDeps, Listing } from './pass-deps.ts';
import { type Hold, holdOf } from './hold.ts';
import { type PreparedTask, prepareTask } from './publish.ts';
import { unusableFolders } from './unusable-folders.ts';

/** So many issues that cannot be read are tried before the pass gives up: more is the server's fault, not theirs. */
const MAX_UNREADABLE = 3;
/** So many that turn out to be held are read in one pass; the rest has its turn in the next ones. */
const MAX_HELD = 8;

export interface Choice {
  readonly decision: Decision;
  readonly task: PreparedTask | null;
  /** The state with what was learnt about issues that cannot be read. */
  readonly state: State;
  readonly warnings: readonly string[];
  /** Why nothing could be prepared although something was eligible. */
  readonly failure: unknown;
}

/**
 * Decides what to dispatch and prepares it, without writing anything: the pass and the dry run share it. An issue that
 * cannot be read or rendered is passed over, and the next one goes. `ignoreSlot`: prepare the next one although no slot is free.
 */
export async function choose(
  deps: DispatchDeps,
  initial: State,
  { issues, warnings: listingWarnings }: Listing,
  ignoreSlot = false,
): Promise<Choice> {
  const warnings = [...listingWarnings];
  let candidates = candidatesOf(issues, deps.config);
  warnings.push(...unusableFolders(deps, candidates));
  let state = initial;
  let failure: unknown = null;
  const failures = failuresNow(deps, initial, ignoreSlot);
  const outages: { readonly candidate: Candidate; readonly error: UserError }[] = [];
  let unreadable = 0;
  let held = 0;

  const fail = (failed: readonly Candidate[], message: string, persist: boolean): void => {
    for (const { key, issue } of failed) {
      failures.set(key, { count: 1, message, retryAt: Number.POSITIVE_INFINITY, reason: 'failed' });
      if (persist) state = withFailure(state, { key, ref: refOf(issue) }, message, deps.now());
    }
  };

  for (;;) {
    const facts = factsOf(deps, failures, state);
    const decision = decide(candidates, facts, lastDispatchAt(state), deps.now());
    const target = decision.chosen ?? (ignoreSlot ? decision.next : null);
    const done = (task: PreparedTask | null): Choice => {
      return { decision, task, state, warnings, failure: task ? null : failure };
    };
    if (!target || unreadable >= MAX_UNREADABLE || held >= MAX_HELD) return done(null);

    const prepared = await prepare(deps, target, decision, facts, state);
    if (prepared.kind === 'ready') {
      // The server answers, so it was these issues after all.
      for (const { candidate, error } of outages) fail([candidate], error.message, true);
      return done(prepared.task);
    }
    if (prepared.kind === 'changed') {
      candidates = candidates.flatMap((candidate) => (candidate.key === target.key ? (prepared.now ?? []) : candidate));
      continue;
    }
    if (prepared.kind === 'held') {
      failures.set(target.key, { count: 0, ...prepared.hold, retryAt: Number.POSITIVE_INFINITY });
      state = withHold(state, target, prepared.hold, deps.now());
      held += 1;
      continue;
    }
    const { error, blame } = prepared;
    failure ??= error;
    warnings.push(`${refOf(target.issue)} for ${target.agent} is passed over: ${messageOf(error)}`);
    // A broken template fails all tasks of its agent; once it is mended, they go at once.
    if (blame === 'template')
      fail(
        candidates.filter((candidate) => candidate.agent === target.agent),
        messageOf(error),
        false,
      );
    else fail([target], messageOf(error), blame === 'issue');
    if (blame === 'server' && error instanceof UserError) outages.push({ candidate: target, error });
    unreadable += blame === 'template' ? 0 : 1;
  }
}

type Prepared =
  | { readonly kind: 'ready'; readonly task: PreparedTask }
  /** The issue is not what the list said; `now` is what it is, or null when it is no candidate any more. */
  | { readonly kind: 'changed'; readonly now: Candidate | null }
  | { readonly kind: 'held'; readonly hold: Hold }
  | { readonly kind: 'failed'; readonly error: unknown; readonly blame: 'template' | 'issue' | 'server' };

async function prepare(
  deps: DispatchDeps,
  target: Candidate,
  decision: Decision,
  facts: Facts,
  state: State,
): Promise<Prepared> {
  try {
    await deps.template(target.agent);
  } catch (error) {
    return { kind: 'failed', error, blame: 'template' };
  }
  try {
    deps.tasks.checkWay(target);
    const issue = await deps.readIssue(target.issue);
    const login = issue?.assignees.find((assignee) => assignee.toLowerCase() === target.agent);
    if (!issue || issue.state !== 'open' || issue.isPullRequest || login === undefined)
      return { kind: 'changed', now: null };
    const fresh = candidateFor(issue, login, deps.config);
    if (fresh.key !== target.key) return { kind: 'changed', now: null };
    // With its labels of this moment: is it still the one to go?
    const others = decision.rows.map((row) => row.candidate).map((other) => (other.key === fresh.key ? fresh : other));
    const again = decide(others, facts, lastDispatchAt(state), deps.now());
    if ((again.chosen ?? again.next)?.key !== fresh.key) return { kind: 'changed', now: fresh };
    const hold = await holdOf(deps, issue, login);
    if (hold) return { kind: 'held', hold };
    const at = Math.max(again.slotOpensAt, deps.now());
    return {
      kind: 'ready',
      task: await prepareTask(deps, fresh, issue, { at, trigger: 'timer', lifted: [], before: facts.tracked(fresh) }),
    };
  } catch (error) {
    if (deps.isInterrupted() || !(error instanceof UserError)) throw error;
    // A token that may read the list, but not this issue, holds up nobody else.
    if (error.exitCode === EXIT.token && error.code !== 'gitea_forbidden') throw error;
    const isOutage = /^gitea_(?:unreachable|unavailable|throttled|timeout)$/u.test(error.code);
    return { kind: 'failed', error, blame: isOutage ? 'server' : 'issue' };
  }
}

// What only the server can tell is asked when a slot is free to be filled: until then what was said last holds.
function failuresNow(deps: DispatchDeps, state: State, ignoreSlot: boolean): Map<string, Failure> {
  const failures = failuresOf(state);
  const opensAt = nextFreeSlot(lastDispatchAt(state), deps.config.rateLimitMs, deps.now());
  if (ignoreSlot || opensAt - deps.now() <= SLOT_PATIENCE_MS) return failures;
  return new Map(
    [...failures].map(([key, failure]) => [
      key,
      failure.reason === 'failed' ? failure : { ...failure, retryAt: Number.POSITIVE_INFINITY },
    ]),
  );
}

/** What a decision needs to know besides the candidates, each question asked of the disk at most once. */
export function factsOf(deps: DispatchDeps, failures: Facts['failures'], { tasks }: Pick<State, 'tasks'>): Facts {
  const tracked = ({ key }: Candidate): TrackedTask | undefined => tasks?.[key];
  return {
    config: deps.config,
    // Under the name it was dispatched by, when its repository has another one since.
    existing: (candidate) => {
      const task = tracked(candidate);
      return deps.tasks.existing(candidate) ?? (task ? deps.tasks.whereIs(task) : null);
    },
    tracked,
    trouble: deps.tasks.trouble,
    openTasks: deps.tasks.openTasks,
    failures,
    pauses: deps.state.pauses(),
  };
}
