// Lines of the history that the other machines were not told: a command writes them down with the history itself, and whoever tells
// them removes them. What becomes of the store, or of the command, in between is no matter.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../../core/errors.ts';
import { appendLine, readRegularFile } from '../files.ts';

const UNTOLD = 'history/untold';

/** Adds one. Throws when it cannot be written. */
export function keepUntold(stateDirectory: string, line: string): void {
  appendLine(join(stateDirectory, UNTOLD), line);
}

/** All of them, oldest first. */
export function readUntold(stateDirectory: string): readonly string[] {
  try {
    const text = readRegularFile(join(stateDirectory, UNTOLD)) ?? '';
    return text.split('\n').filter((line) => line !== '');
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    return [];
  }
}

/** They were told. Throws when they cannot be removed. */
export function removeUntold(stateDirectory: string): void {
  rmSync(join(stateDirectory, UNTOLD), { force: true });
}
