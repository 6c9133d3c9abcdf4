import type { Instant } from '../core/clock.ts';
import type { Config } from '../core/config/config.ts';
import type { DispatchRecord } from '../core/state/dispatch-record.ts';
import type { Stall, Taken } from '../core/mailbox/claim.ts';
import type { Machines } from '../core/store/machines.ts';
import type { Pause } from '../core/state/pause.ts';
import { type Snapshot, snapshotOf } from '../core/health/snapshot.ts';
import type { PassHistory } from '../core/state/last-pass.ts';
import type { TaskFile } from '../core/task/status.ts';

/** Where a snapshot comes from: local files. */
export interface SnapshotDeps {
  readonly config: Config;
  readonly version: string;
  readonly now: () => Instant;
  readonly readState: () => { readonly state: PassHistory; readonly found: 'whole' | 'missing' | 'broken' };
  readonly readPauses: () => readonly Pause[];
  /** Null or missing: this machine works alone. */
  readonly readMachines?: () => Machines | null;
  readonly readDispatches: () => readonly DispatchRecord[];
  readonly listTasks: () => readonly TaskFile[];
  /** Why a task that is taken is stalled; null: it is not. */
  readonly stallOf: (taken: Taken) => Stall | null;
}

/** The picture that the local files give now. Throws when the state may not be read. */
export function takeSnapshot(deps: SnapshotDeps): Snapshot {
  const now = deps.now();
  const { state, found } = deps.readState();
  return snapshotOf(
    {
      config: deps.config,
      version: deps.version,
      state,
      pauses: deps.readPauses(),
      hosts: deps.readMachines?.() ?? null,
      files: deps.listTasks(),
      stallOf: deps.stallOf,
      dispatches: deps.readDispatches(),
      midnight: new Date(now).setHours(0, 0, 0, 0),
      warnings:
        found === 'broken'
          ? ['the state file is unreadable; the next pass keeps it beside its place and starts a new one']
          : [],
    },
    now,
  );
}
