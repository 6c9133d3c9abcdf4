import { type SnapshotDeps, takeSnapshot } from '../commands/take-snapshot.ts';
import type { Config } from '../core/config/config.ts';
import type { KnownMachines } from '../core/store/machines.ts';
import { stallOf } from '../core/mailbox/claim.ts';
import { processesHere } from '../io/processes.ts';
import { EVERYBODY_READS, replaceFile } from '../io/files.ts';
import { followDispatches, readDispatches } from '../io/state/journal.ts';
import { readMemory } from '../io/state/history.ts';
import { readMachines } from '../io/state/machines.ts';
import { readPauses } from '../io/state/pauses.ts';
import { readPassHistory } from '../io/state/store.ts';
import { listTaskFiles } from '../io/tasks/task-list.ts';
import { metricsText } from '../views/metrics.ts';
import { lazily, now } from './world.ts';

/** Where a snapshot comes from. `clock`: of a program that stays, one that follows when the machine's is set, or has slept. */
export function localFiles(config: Config, version: string, clock: () => number = now): SnapshotDeps {
  return {
    config,
    version,
    now: clock,
    readState: () => readPassHistory(config),
    readPauses: () => [...readPauses(config.stateDirectory), ...(known(config)?.pauses ?? [])],
    readMachines: () => known(config)?.machines ?? null,
    readDispatches: () => readDispatches(config.stateDirectory),
    listTasks: () => listTaskFiles(config),
    stallOf: stallsHere(config, clock),
  };
}

// Left over from when there was a store it tells nothing.
function known({ store, stateDirectory }: Config): KnownMachines | null {
  return store === null ? null : readMachines(stateDirectory);
}

/** Tells why tasks are stalled, by the clock and the processes of this machine. */
function stallsHere({ stalledAfterMs }: Config, clock: () => number): SnapshotDeps['stallOf'] {
  const processes = lazily(() => processesHere());
  return ({ claims, movedAt }) => stallOf(claims, movedAt, { processes: processes(), now: clock(), stalledAfterMs });
}

/** Writes the metrics of this moment for node_exporter. Throws when the file cannot be written. */
export function writeMetrics(config: Config, version: string, file: string): void {
  const { recent, totals } = followDispatches(config.stateDirectory, { needs: 'totals' })(now());
  const snapshot = takeSnapshot({ ...localFiles(config, version), readDispatches: () => recent });
  const { waited, worked } = readMemory(config.stateDirectory);
  // Another user reads it: the exporter's.
  const text = metricsText(snapshot, { office: config.monitor.office, totals, waited, worked });
  replaceFile(file, text, { isLocked: false, mode: EVERYBODY_READS });
}
