// The pass: what a timer starts every minute. It reads like the contract: lock, state, the other machines, listing, choice, slot,
// file, what follows for the tasks that are out, record, unlock.

import { type Decision } from '../core/choice/choice.ts';
import { untilSlot } from '../core/choice/slot.ts';
import { errorRecord, EXIT, type ExitCode, exitCodeOf, UserError } from '../core/errors.ts';
import type { Heartbeat } from '../core/state/last-pass.ts';
import { pauseOf } from '../core/state/pause.ts';
import type { Draft } from '../io/tasks/draft.ts';
import { idleReason } from '../views/idle.ts';
import { basisOf, isAsBefore, type Outlook } from './basis.ts';
import { choose } from './choose.ts';
import { followUp } from './follow-up/follow-up.ts';
import { watchedRepositories } from './follow-up/pull-requests.ts';
import { startHooks } from './follow-up/hooks.ts';
import { openLedger } from './ledger.ts';
import type { DispatchDeps } from './pass-deps.ts';
import type { PreparedTask } from './prepare.ts';
import { declineOffers, listingOf, makeOffer, queueOf } from './offers.ts';
import { handOver } from './hand-over.ts';
import { type Met, meetOthers } from './meet-others.ts';
import { partFromOthers } from './part-from-others.ts';
import { NO_OTHERS, othersIn } from './search.ts';
import type { Published } from './publish.ts';
import { type Course, logNew, recordPass, recordState, tellRecovery, tellReturns } from './record.ts';
import { tellMonitors } from './tell-monitors.ts';

/**
 * One scheduled pass. Answers the exit code; throws what the user must mend, after recording it. When it is to be quiet, what the
 * pass before failed of as well is not told again: cron would send a mail a minute.
 */
export async function dispatch(deps: DispatchDeps): Promise<ExitCode> {
  const lock = await deps.state.lock(0);
  if (!lock) {
    deps.log({
      name: 'WAITING',
      message: 'another dispatcher command is running; this pass leaves the work to it',
    });
    return EXIT.ok;
  }
  const before = deps.state.heartbeat();
  let failure: unknown;
  try {
    if (lock.note !== null) deps.log({ name: 'WARNING', message: lock.note });
    await pass(deps, before);
    return EXIT.ok;
  } catch (error) {
    failure = error;
    if (deps.isQuiet && isSameFailure(before, error)) return exitCodeOf(error);
    throw error;
  } finally {
    deps.noteHistory();
    if (!isOfStore(failure)) await deps.shareHistory();
    await deps.store.close();
    lock.release();
    if (!deps.isInterrupted()) await tellMonitors(deps.monitors, failure);
  }
}

async function pass(deps: DispatchDeps, before: Heartbeat | null): Promise<void> {
  const startedAt = deps.now();
  const ledger = openLedger(deps, startedAt);
  const course: Course = {
    state: ledger.state,
    stored: ledger.stored,
    outcome: 'idle',
    ref: null,
    warnings: [],
    decision: null,
    answers: [],
    basis: null,
    met: null,
    hasListed: false,
  };
  const hooks = startHooks(deps, course.state);
  let failure: unknown = null;
  try {
    ledger.repair();
    ledger.findings.forEach(deps.log);
    deps.tasks.leaveSettings();
    const met = await meetOthers(deps, course.state);
    course.met = met;
    course.state = met.state;
    course.warnings.push(...met.meeting.warnings);
    await work(met, course, before, hooks.start);
  } catch (error) {
    failure = error;
  }
  const told = await hooks.finish(course.state);
  course.state = told.state;
  course.warnings.push(...told.warnings);
  logNew(deps, before, course);
  course.warnings.unshift(...ledger.findings.map((finding) => finding.message));
  recordState(deps, course, failure);
  if (failure !== null && (deps.isInterrupted() || isOfThisShell(deps, failure))) throw failure;
  recordPass(deps, before, course, { startedAt, failure });
  await partFromOthers(deps, before, course);
  if (failure !== null) throw failure;
  tellReturns(deps, before, course);
  tellRecovery(deps, before);
  if (before === null) deps.say(`Next: ${deps.commandLine('status')}`);
}

async function work(
  { deps, meeting, isElsewhere }: Met,
  course: Course,
  before: Heartbeat | null,
  tell: Tell,
): Promise<void> {
  const listing = meeting.isDecider
    ? await deps.listIssues('keep', watchedRepositories(deps.config, course.state))
    : listingOf(meeting, deps.config);
  course.hasListed = meeting.isDecider;
  course.answers = listing.answers ?? [];
  const { pauses, stamp: others } = meeting;
  const outlook = { state: course.state, listing, now: deps.now(), pauses, others };
  const manner = { meeting, isElsewhere, tell };
  const isKnownIdle = !deps.isWatched && isAsBefore(deps, before, outlook);
  const failure = isKnownIdle ? null : await chooseAndPublish(deps, course, outlook, manner);
  if (isKnownIdle) {
    course.basis = before?.basis ?? null;
    course.warnings.push(...listing.warnings);
  }
  if (failure === null && deps.isInterrupted()) return;
  const followed = await followUp(deps, course.state, listing);
  course.state = followed.state;
  course.warnings.push(...followed.warnings);
  if (failure !== null) throw failure;
}

// Answers why nothing could be prepared or put in its place, when no single issue is to blame.
async function chooseAndPublish(
  deps: DispatchDeps,
  course: Course,
  outlook: Outlook,
  { meeting, isElsewhere, tell }: Pick<Met, 'meeting' | 'isElsewhere'> & { readonly tell: Tell },
): Promise<unknown> {
  let draft: Draft | null = null;
  const { listing, isStanding } = queueOf(outlook.listing, meeting, deps.config);
  const choice = await choose(deps, course.state, listing, {
    ignoreSlot: false,
    pauses: outlook.pauses,
    others: meeting.isDecider ? othersIn(meeting, { isElsewhere, isStanding }) : { ...NO_OTHERS, isElsewhere },
    draft: (task) => (draft = deps.tasks.draft(task.candidate, task.text)),
  });
  const { decision, task } = choice;
  course.warnings.push(...choice.warnings);
  await declineOffers(deps, meeting, decision);
  if (meeting.isDecider) {
    course.decision = decision;
    course.state = choice.state;
    if (choice.failure === null) await makeOffer(deps, meeting, choice.offer);
  } else {
    // Of what it was not offered it has not looked at anything: that keeps its turn.
    course.state = { ...choice.state, turns: { ...course.state.turns, ...choice.state.turns } };
  }
  if (task && draft) {
    const published = await publishInSlot(deps, course, decision, { task, draft });
    if (published.kind === 'published') tell(task.candidate.key, task.record);
    if (published.kind === 'failed') return published.error;
  } else if (choice.failure === null && meeting.isDecider) {
    deps.say(idleReason(decision, deps.now()));
    // What is said of candidates besides has to be said again by each pass.
    const isAll = choice.warnings.length === outlook.listing.warnings.length;
    if (decision.chosen === null && isAll) course.basis = basisOf(deps, outlook);
  }
  return choice.failure;
}

async function publishInSlot(
  deps: DispatchDeps,
  course: Course,
  decision: Decision,
  ready: { readonly task: PreparedTask; readonly draft: Draft },
): Promise<Published> {
  const { record, candidate } = ready.task;
  await deps.sleep(untilSlot(decision.slotOpensAt, deps.now()));
  // Somebody may have said stop while the issue was read, or the slot waited for.
  if (deps.isInterrupted() || pauseOf(deps.state.pauses(), candidate.agent, deps.now())) {
    ready.draft.discard();
    return { kind: 'not' };
  }
  const published = await handOver(deps, course.state, ready, (next) => (course.state = next));
  if (published.kind === 'published') [course.outcome, course.ref] = ['dispatched', record.ref];
  // At once: what is remembered of the task must not hang on what comes after it.
  deps.state.write(course.state);
  course.stored = course.state;
  return published;
}

type Tell = (key: string, record: PreparedTask['record']) => void;

function isSameFailure(before: Heartbeat | null, failure: unknown): boolean {
  return before?.lastPass.error?.code === errorRecord(failure).code;
}

// It was not there a moment ago: asking again would only take time.
function isOfStore(failure: unknown): boolean {
  return failure instanceof UserError && failure.code.startsWith('store_');
}

// Whoever types it without a token is told; what the timer's passes can do, and status shows, is another matter.
function isOfThisShell({ isTyped }: DispatchDeps, failure: unknown): boolean {
  return isTyped && failure instanceof UserError && failure.code === 'token_missing';
}
