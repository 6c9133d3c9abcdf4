// The pass: what a timer starts every minute. It reads like the contract: lock, state, choice, slot, file, record, unlock.

import { candidatesOf } from '../core/issue/candidate.ts';
import { type Decision, type Row, untilSlot } from '../core/choice/choice.ts';
import { type Instant, toRfc3339 } from '../core/clock.ts';
import { errorRecord, EXIT, type ExitCode, messageOf } from '../core/errors.ts';
import type { DispatchRecord } from '../core/state/dispatch-record.ts';
import { pauseOf } from '../core/state/pause.ts';
import { type PassRecord, rowRecords, type State, withoutStaleFailures, withPass } from '../core/state/state.ts';
import { idleReason } from '../views/idle.ts';
import { choose } from './choose.ts';
import { leaveReceipts } from './leave-receipts.ts';
import { runOnDispatch } from './run-on-dispatch.ts';
import { tellNews } from './tell-news.ts';
import { archiveFinished } from './upkeep.ts';
import type { DispatchDeps } from './pass-deps.ts';
import { openLedger } from './ledger.ts';
import { publishTask } from './publish.ts';
import { tellMonitors } from './tell-monitors.ts';

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
  let failure: unknown;
  let published: DispatchRecord | null = null;
  try {
    published = await pass(deps);
    return EXIT.ok;
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    deps.noteHistory();
    lock.release();
    if (published) await runOnDispatch(deps, published);
    if (!deps.isInterrupted()) await tellMonitors(deps.monitors, failure);
  }
}

async function pass(deps: DispatchDeps): Promise<DispatchRecord | null> {
  const startedAt = deps.now();
  const ledger = openLedger(deps, startedAt);
  ledger.repair();
  deps.tasks.leaveSettings();
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
    const listing = await deps.listIssues();
    const kept = await archiveFinished(deps, state, listing, candidatesOf(listing.issues, deps.config));
    state = kept.state;
    const choice = await choose(deps, state, listing);
    const { decision } = choice;
    const rows = rowsOf(deps, decision, state, startedAt);
    logStrangers(deps, rows, state);
    logNewWarnings(deps, ledger.state, [...kept.warnings, ...choice.warnings]);
    record = { ...record, warnings: [...record.warnings, ...kept.warnings, ...choice.warnings], rows };
    state = withoutStaleFailures(choice.state, new Set(decision.rows.map((row) => row.candidate.key)));
    let published: DispatchRecord | null = null;
    if (choice.task) {
      await deps.sleep(untilSlot(decision.slotOpensAt, deps.now()));
      if (deps.isInterrupted()) return null;
      // Somebody may have said stop while the issue was read, or the slot waited for.
      const pause = pauseOf(deps.state.pauses(), choice.task.candidate.agent, deps.now());
      const isPublished = !pause && publishTask(deps, state, choice.task, (next) => (state = next));
      if (isPublished) published = choice.task.record;
      if (published) deps.state.write(state);
      if (published) record = { ...record, outcome: 'dispatched', ref: published.ref };
    } else if (choice.failure) {
      throw choice.failure;
    } else {
      deps.say(idleReason(decision, deps.now()));
    }
    const news = await tellNews(deps, state, listing);
    const receipts = await leaveReceipts(deps, news.state);
    logNewWarnings(deps, ledger.state, [...news.warnings, ...receipts.warnings]);
    record = { ...record, warnings: [...record.warnings, ...news.warnings, ...receipts.warnings] };
    deps.state.write(withPass(receipts.state, { ...record, finishedAt: toRfc3339(deps.now()) }));
    if (ledger.state.lastPass === null) deps.say(`Next: ${deps.commandLine('status')}`);
    return published;
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

function rowsOf(deps: DispatchDeps, decision: Decision, state: State, now: Instant): PassRecord['rows'] {
  const fileOf = ({ candidate, outcome }: Row): string | null =>
    outcome.kind === 'skipped' && outcome.reason === 'unsafe_name' ? null : deps.tasks.path(candidate);
  return rowRecords(decision, fileOf, state.lastPass?.rows ?? [], now);
}

// A login that is no agent is named when it turns up, not every minute.
function logStrangers(deps: DispatchDeps, rows: PassRecord['rows'], before: State): void {
  const strangers = (records: PassRecord['rows']): readonly string[] =>
    records.flatMap(({ reason, agent }) => (reason === 'unknown_agent' ? [agent] : []));
  const known = new Set(strangers(before.lastPass?.rows ?? []));
  const fresh = [...new Set(strangers(rows))].filter((agent) => !known.has(agent));
  if (fresh.length === 0) return;
  deps.log({ name: 'UNKNOWN AGENT', message: `assigned, but not among the configured agents: ${fresh.join(', ')}` });
}

// The same warning every minute would hide everything else in the log.
function logNewWarnings(deps: DispatchDeps, state: State, warnings: readonly string[]): void {
  const known = new Set(state.lastPass?.warnings);
  for (const message of warnings) if (!known.has(message)) deps.log({ name: 'WARNING', message });
}

// When the disk is full this fails as well; the first error is the one to tell.
function recordFailure(deps: DispatchDeps, state: State): void {
  try {
    deps.state.write(state);
  } catch (error) {
    deps.log({ name: 'WARNING', message: `the failed pass could not be recorded: ${messageOf(error)}` });
  }
}
