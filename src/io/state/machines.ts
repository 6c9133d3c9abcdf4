// machines.json: all machines as this one saw them last. Written by passes, and by whoever pauses; read by whoever looks.

import { join } from 'node:path';
import { type KnownMachines, type Machines, machinesText, parseMachines } from '../../core/store/machines.ts';
import type { Pause } from '../../core/state/pause.ts';
import { readRegularFile, replaceFile } from '../files.ts';

const MAX_BYTES = 16 * 1024 * 1024;

/** The file's name in the state folder. */
export const MACHINES = 'machines.json';

/** What was seen last; null when nothing is known. */
export function readMachines(stateDirectory: string): KnownMachines | null {
  try {
    return parseMachines(JSON.parse(readRegularFile(join(stateDirectory, MACHINES), MAX_BYTES) ?? '')) ?? null;
  } catch {
    return null;
  }
}

/** Keeps what was seen. Throws when it cannot be written. */
export function writeMachines(stateDirectory: string, machines: Machines, pauses: readonly Pause[]): void {
  replaceFile(join(stateDirectory, MACHINES), machinesText(machines, pauses), { isLocked: false });
}
