// last-pass.json: how the last pass went. Where not even that can be written, on a full disk, an empty file beside it says so:
// a failed pass must not look like the good one before it.

import { closeSync, constants, lstatSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Instant, toRfc3339 } from '../../core/clock.ts';
import { type Heartbeat, HeartbeatSchema, nextHeartbeat } from '../../core/state/last-pass.ts';
import { fileStamp, readRegularFile, replaceFile } from '../files.ts';

const HEARTBEAT = 'last-pass.json';
const UNRECORDED = 'last-pass.unrecorded';
const MAX_BYTES = 1024 * 1024;

/** How the last pass went; null when none is known, or its record cannot be read. */
export function readHeartbeat(stateDirectory: string): Heartbeat | null {
  const result = HeartbeatSchema.safeParse(parsed(join(stateDirectory, HEARTBEAT)));
  const recorded = result.success ? result.data : null;
  const lost = lstatSync(join(stateDirectory, UNRECORDED), { throwIfNoEntry: false });
  return lost ? unrecorded(recorded, lost.mtimeMs, stateDirectory) : recorded;
}

/** Records how a pass went. Throws when it cannot be written. */
export function writeHeartbeat(stateDirectory: string, heartbeat: Heartbeat): void {
  replaceFile(join(stateDirectory, HEARTBEAT), `${JSON.stringify(heartbeat)}\n`);
  rmSync(join(stateDirectory, UNRECORDED), { force: true });
}

/** A text that is another one when the record became another one. */
export function heartbeatStamp(stateDirectory: string): string {
  return [HEARTBEAT, UNRECORDED].map((name) => fileStamp(join(stateDirectory, name))).join(' ');
}

/** Leaves a sign that a pass could not be recorded: a name takes no room, or less than there mostly is. */
export function markUnrecorded(stateDirectory: string): void {
  const path = join(stateDirectory, UNRECORDED);
  try {
    rmSync(path, { force: true }); // anew: its time is when that was
    closeSync(openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o640));
  } catch {
    // Nothing at all can be written there. That the passes stopped shows after a while.
  }
}

function unrecorded(recorded: Heartbeat | null, at: Instant, stateDirectory: string): Heartbeat {
  const time = toRfc3339(at);
  const pass = {
    startedAt: time,
    finishedAt: time,
    outcome: 'failed',
    ref: null,
    error: {
      code: 'pass_unrecorded',
      message: `how the last pass went could not be recorded in ${stateDirectory}`,
      hint: 'is the disk full (df)? What happened stands in the log and the journal',
    },
    warnings: recorded?.lastPass.warnings ?? [],
  } as const;
  return nextHeartbeat(
    recorded,
    { ...pass, warnings: [...pass.warnings] },
    {
      ...(recorded ?? { rows: '', strangers: [] }),
      basis: null,
    },
  );
}

function parsed(path: string): unknown {
  try {
    return JSON.parse(readRegularFile(path, MAX_BYTES) ?? '');
  } catch {
    return undefined;
  }
}
