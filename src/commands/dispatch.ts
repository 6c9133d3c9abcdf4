// The pass: what a timer starts every minute. It reads like the contract: lock, state, issues, decision, the full
// issue, document, slot, file, record, unlock.

import { candidateFor, candidatesOf } from '../core/candidate.ts';
import type { Candidate } from '../core/candidate.ts';
import { decide, type Decision } from '../core/choice.ts';
import { toRfc3339 } from '../core/clock.ts';
import type { Facts } from '../core/eligibility.ts';
import { EXIT, type ExitCode, messageOf, UserError } from '../core/errors.ts';
import { refOf } from '../core/issue.ts';
import {
  failuresOf,
  lastDispatchAt,
  type PassRecord,
  rowRecords,
  type State,
  withFailure,
  withoutStaleFailures,
  withPass,
} from '../core/state.ts';
import { idleReason } from '../views/idle.ts';
import type { DispatchDeps } from './dispatch-deps.ts';
import { openLedger } from './ledger.ts';
import { type PreparedTask, prepareTask, publishTask } from './publish.ts';

/** So many issues that cannot be read are tried before the pass gives up: more is the server's fault, not theirs. */
const MAX_UNREADABLE = 3;

/** One scheduled pass. Answers the exit code; throws what the user must mend, after recording it. */
export async function dispatch(deps: DispatchDeps): Promise<ExitCode> {
  const lock = await deps.state.lock(0);
  if (!lock) {
    deps.log({
      name: 'WAITING',
      message: 'another dispatcher command is running; this pass leaves the work to it',
    });
    return EXIT.ok;
  }
  try {
    await pass(deps);
    return EXIT.ok;
  } finally {
    lock.release();
  }
}

async function pass(deps: DispatchDeps): Promise<void> {
  const startedAt = deps.now();
  const ledger = openLedger(deps, startedAt);
  ledger.repair();
  ledger.findings.forEach(deps.log);
  let { state } = ledger;
  let record: Omit<PassRecord, 'finishedAt'> = {
    startedAt: toRfc3339(startedAt),
    outcome: 'idle',
    ref: null,
    error: null,
    warnings: ledger.findings.map((finding) => finding.message),
    rows: state.lastPass?.rows ?? [],
  };
  try {
    const choice = await choose(deps, state);
    const { decision } = choice;
    record = { ...record, warnings: [...record.warnings, ...choice.warnings], rows: rowsOf(deps, decision) };
    logNewWarnings(deps, state, choice.warnings);
    state = withoutStaleFailures(choice.state, new Set(decision.rows.map((row) => row.candidate.key)));
    if (choice.task) {
      await deps.sleep(decision.slotOpensAt - deps.now());
      if (deps.isInterrupted()) return;
      const isPublished = publishTask(deps, state, choice.task, (next) => (state = next));
      if (isPublished) record = { ...record, outcome: 'dispatched', ref: choice.task.record.ref };
    } else if (choice.failure) {
      throw choice.failure;
    } else {
      deps.say(idleReason(decision, deps.now()));
    }
    deps.state.write(withPass(state, { ...record, finishedAt: toRfc3339(deps.now()) }));
  } catch (error) {
    if (deps.isInterrupted()) throw error;
    const failed: PassRecord = {
      ...record,
      outcome: 'failed',
      error: errorRecord(error),
      finishedAt: toRfc3339(deps.now()),
    };
    deps.log({ name: 'ERROR', message: messageOf(error), facts: { code: failed.error?.code ?? null } });
    recordFailure(deps, withPass(state, failed));
    throw error;
  }
}

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
export async function choose(deps: DispatchDeps, initial: State, ignoreSlot = false): Promise<Choice> {
  const { issues, warnings: listingWarnings } = await deps.listIssues();
  const warnings = [...listingWarnings];
  let candidates = candidatesOf(issues, deps.config);
  let state = initial;
  let failure: unknown = null;
  const failures = failuresOf(initial);
  const outages: { readonly candidate: Candidate; readonly error: UserError }[] = [];
  let unreadable = 0;

  const fail = (failed: readonly Candidate[], message: string, persist: boolean): void => {
    for (const { key, issue } of failed) {
      failures.set(key, { count: 1, message, retryAt: Number.POSITIVE_INFINITY });
      if (persist) state = withFailure(state, { key, ref: refOf(issue) }, message, deps.now());
    }
  };

  for (;;) {
    const facts = factsOf(deps, state, failures);
    const decision = decide(candidates, facts, lastDispatchAt(state), deps.now());
    const target = decision.chosen ?? (ignoreSlot ? decision.next : null);
    const done = (task: PreparedTask | null): Choice => ({
      decision,
      task,
      state,
      warnings,
      failure: task ? null : failure,
    });
    if (!target || unreadable >= MAX_UNREADABLE) return done(null);

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
    if (blame !== 'template') unreadable += 1;
  }
}

type Prepared =
  | { readonly kind: 'ready'; readonly task: PreparedTask }
  /** The issue is not what the list said; `now` is what it is, or null when it is no candidate any more. */
  | { readonly kind: 'changed'; readonly now: Candidate | null }
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
    const at = Math.max(again.slotOpensAt, deps.now());
    return {
      kind: 'ready',
      task: await prepareTask(deps, fresh, issue, { at, trigger: 'timer', lifted: [] }),
    };
  } catch (error) {
    if (deps.isInterrupted() || !(error instanceof UserError) || error.exitCode === EXIT.token) throw error;
    const isOutage = /^gitea_(?:unreachable|unavailable|throttled|timeout)$/u.test(error.code);
    return { kind: 'failed', error, blame: isOutage ? 'server' : 'issue' };
  }
}

/** What a decision needs to know besides the candidates, each question asked of the disk at most once. */
export function factsOf(deps: DispatchDeps, state: State, failures: Facts['failures']): Facts {
  return {
    config: deps.config,
    existing: deps.tasks.existing,
    openTasks: deps.tasks.openTasks,
    failures,
    pause: state.pause,
  };
}

function rowsOf(deps: DispatchDeps, decision: Decision): PassRecord['rows'] {
  return rowRecords(decision, ({ candidate, outcome }) =>
    outcome.kind === 'skipped' && outcome.reason === 'unsafe_name' ? null : deps.tasks.path(candidate),
  );
}

// The same warning every minute would hide everything else in the log.
function logNewWarnings(deps: DispatchDeps, state: State, warnings: readonly string[]): void {
  const known = new Set(state.lastPass?.warnings);
  for (const message of warnings) if (!known.has(message)) deps.log({ name: 'WARNING', message });
}

function errorRecord(error: unknown): NonNullable<PassRecord['error']> {
  return error instanceof UserError
    ? { code: error.code, message: error.message, hint: error.hint ?? null }
    : { code: 'unexpected', message: messageOf(error), hint: null };
}

// When the disk is full this fails as well; the first error is the one to tell.
function recordFailure(deps: DispatchDeps, state: State): void {
  try {
    deps.state.write(state);
  } catch (error) {
    deps.log({ name: 'WARNING', message: `the failed pass could not be recorded: ${messageOf(error)}` });
  }
}
