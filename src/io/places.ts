// What this machine allows: who may write where, as far as owner, group and mode tell (not: access lists), and which port
// is free.

import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gids: readonly number[];
}

export interface Place {
  /** What exists of the path: itself, or the nearest folder above it. */
  readonly existing: string;
  /** Null when the path itself does not exist. */
  readonly kind: 'file' | 'folder' | 'other' | null;
  readonly isWritable: boolean;
  readonly freeBytes: number;
}

/** Looks at a path that is to be written. `account` null stands for this process. */
export function lookAt(path: string, account: Account | null): Place {
  let existing = path;
  while (!existsSync(existing)) existing = dirname(existing);
  const { bavail, bsize } = statfsSync(existing);
  return {
    existing,
    kind: kindOf(path),
    isWritable: account ? mayWrite(existing, account) : canWrite(existing),
    freeBytes: bavail * bsize,
  };
}

function kindOf(path: string): Place['kind'] {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return null;
  return stat.isFile() ? 'file' : stat.isDirectory() ? 'folder' : 'other';
}

/** The account of that name; null when there is none. */
export function accountOf(name: string): Account | null {
  try {
    const ask = (flag: string): string =>
      execFileSync('id', [flag, '--', name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return { name, uid: Number(ask('-u')), gids: ask('-G').trim().split(' ').map(Number) };
  } catch {
    return null;
  }
}

/** The name of the account with that number; null when it has none. */
export function nameOf(uid: number): string | null {
  try {
    return execFileSync('id', ['-un', '--', String(uid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return null;
  }
}

/** Whether something answers at an address of this machine. */
export async function isPortTaken(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1000 });
    const done = (isTaken: boolean) => (): void => {
      socket.destroy();
      resolve(isTaken);
    };
    socket.once('connect', done(true)).once('error', done(false)).once('timeout', done(false));
  });
}

function canWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function mayWrite(path: string, { uid, gids }: Account): boolean {
  const { mode, uid: owner, gid: group } = statSync(path);
  if (uid === 0) return true;
  const bits = owner === uid ? mode >> 6 : gids.includes(group) ? mode >> 3 : mode;
  return (bits & 2) !== 0;
}
