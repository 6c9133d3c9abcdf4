// Which line of the other machines' history is in the files of this one.

import { join } from 'node:path';
import { readRegularFile, replaceFile } from '../files.ts';

const CURSOR = 'history/others';

/** The last one; null when nothing was ever exchanged, or nobody knows. */
export function readCursor(stateDirectory: string): number | null {
  try {
    const known = Number(readRegularFile(join(stateDirectory, CURSOR), 30) ?? Number.NaN);
    return Number.isSafeInteger(known) && known >= 0 ? known : null;
  } catch {
    return null;
  }
}

/** Keeps it. Throws when it cannot be written. */
export function writeCursor(stateDirectory: string, last: number): void {
  replaceFile(join(stateDirectory, CURSOR), `${last}\n`);
}
