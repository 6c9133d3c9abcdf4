// What tells this machine, with this state folder, from another one that calls itself the same.

import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { EXIT, messageOf, systemCode, UserError } from '../../core/errors.ts';
import { createOwnFolder, NOBODY_ELSE, readRegularFile, replaceFile } from '../files.ts';

/** The mark of this machine; made when there is none, and kept when `mayWrite`. Throws exit 1 when it can be neither read nor written. */
export function readInstance(stateDirectory: string, mayWrite: boolean): string {
  const path = join(stateDirectory, 'instance');
  try {
    const known = readRegularFile(path, 100)?.trim() ?? '';
    if (/^[0-9a-f-]{36}$/u.test(known)) return known;
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw unusable(path, error);
  }
  const made = randomUUID();
  if (!mayWrite) return made;
  try {
    createOwnFolder(stateDirectory);
    replaceFile(path, `${made}\n`, { mode: NOBODY_ELSE });
    return made;
  } catch (error) {
    throw unusable(path, error);
  }
}

function unusable(path: string, error: unknown): UserError {
  return new UserError(`the mark of this machine ${path} cannot be read or written: ${messageOf(error)}`, {
    exitCode: EXIT.failure,
    code: 'state_unwritable',
    hint: 'let this user read and write there, or run the command as the user the timer runs as',
    cause: error,
  });
}
