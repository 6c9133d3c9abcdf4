// What Node throws names descriptors or nothing at all, which mean nothing to anybody: errors name the place as people know it.

import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemCode, UserError } from '../core/errors.ts';

/** Does something to a file or folder. An error of the system keeps its code, and says where; on a full disk also how much is free. */
export function naming<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw named(error, path);
  }
}

/** The error of the system with its code, at that path. */
export function named(error: unknown, path: string): unknown {
  const code = systemCode(error);
  if (error instanceof UserError || !(error instanceof Error) || code === '') return error;
  const what = error.message.replace(/ '.*$/su, '');
  return Object.assign(new Error(`${what} '${path}'${room(code, path)}`, { cause: error }), { code });
}

function room(code: string, path: string): string {
  if (code !== 'ENOSPC') return '';
  try {
    const { bavail, bsize } = statfsSync(dirname(path));
    return ` (${(bavail * bsize).toLocaleString('en')} bytes free there)`;
  } catch {
    return '';
  }
}
