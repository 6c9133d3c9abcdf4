// The pass: what a timer starts every minute. It reads like the contract: lock, state, choice, slot, file, record, unlock.

import type { Decision, Row } from '../core/choice.ts';
import { type Instant, toRfc3339 } from '../core/clock.ts';
import { errorRecord, EXIT, type ExitCode, messageOf } from '../core/errors.ts';
import { pauseOf } from '../core/pause.ts';
import { type PassRecord, rowRecords, type State, withoutStaleFailures, withPass } from '../core/state.ts';
import { idleReason } from '../views/idle.ts';
import { choose } from './choose.ts';
import type { DispatchDeps } from './dispatch-deps.ts';
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
  try {
    await pass(deps);
    return EXIT.ok;
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    lock.release();
    if (!deps.isInterrupted()) await tellMonitors(deps.monitors, failure);
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
    record = {
      ...record,
      warnings: [...record.warnings, ...choice.warnings],
      rows: rowsOf(deps, decision, state, startedAt),
    };
    logNewWarnings(deps, state, choice.warnings);
    state = withoutStaleFailures(choice.state, new Set(decision.rows.map((row) => row.candidate.key)));
    if (choice.task) {
      await deps.sleep(decision.slotOpensAt - deps.now());
      if (deps.isInterrupted()) return;
      // Somebody may have said stop while the issue was read, or the slot waited for.
      const pause = pauseOf(deps.state.pauses(), choice.task.candidate.agent, deps.now());
      const isPublished = !pause && publishTask(deps, state, choice.task, (next) => (state = next));
      if (isPublished) record = { ...record, outcome: 'dispatched', ref: choice.task.record.ref };
    } else if (choice.failure) {
      throw choice.failure;
    } else {
      deps.say(idleReason(decision, deps.now()));
    }
    deps.state.write(withPass(state, { ...record, finishedAt: toRfc3339(deps.now()) }));
    if (ledger.state.lastPass === null) deps.say(`Next: ${deps.commandLine('status')}`);
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
