// What this machine allows: who may read and write where, as far as owner, group and mode tell (not: access lists), and
// which port is free.

import { execFileSync } from 'node:child_process';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  statfsSync,
  statSync,
  type Stats,
} from 'node:fs';
import { get } from 'node:http';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';

export interface Account {
  readonly name: string;
  readonly uid: number;
  /** Its own group first. */
  readonly gids: readonly number[];
}

/** An account that is yet to be made: nothing is its own. */
const NOBODY: Account = { name: '', uid: -1, gids: [] };

export interface Place {
  /** What exists of the path: itself, or the nearest folder above it. */
  readonly existing: string;
  /** Null when the path itself does not exist. */
  readonly kind: 'file' | 'folder' | 'other' | null;
  readonly isWritable: boolean;
  readonly freeBytes: number;
  /** A folder on the way to it that the account cannot get through; null when it gets there. */
  readonly closed: string | null;
}

/** Looks at a path that is to be written. `account` null stands for this process. */
export function lookAt(path: string, account: Account | null): Place {
  let existing = path;
  while (!existsSync(existing)) existing = dirname(existing);
  const closed = account ? closedFolder(existing, account) : null;
  const { bavail, bsize } = statfsSync(existing);
  return {
    existing,
    kind: kindOf(path),
    isWritable: account ? mayWrite(existing, account) : canWrite(existing),
    freeBytes: bavail * bsize,
    closed,
  };
}

function kindOf(path: string): Place['kind'] {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return null;
  return stat.isFile() ? 'file' : stat.isDirectory() ? 'folder' : 'other';
}

/** The first folder on the way to a path that an account cannot get through; null when it gets there. Null: a new account. */
export function closedFolder(path: string, account: Account | null): string | null {
  const folder = dirname(path);
  if (folder === path) return null;
  const above = closedFolder(folder, account);
  if (above !== null) return above;
  const stat = statSync(folder, { throwIfNoEntry: false });
  return stat && !may(stat, account ?? NOBODY, 1) ? folder : null;
}

/** Whether an account can get to a file that exists, and read it. Null: an account that is yet to be made. */
export function mayRead(path: string, account: Account | null): boolean {
  const stat = closedFolder(path, account) === null ? statSync(path, { throwIfNoEntry: false }) : undefined;
  return stat !== undefined && may(stat, account ?? NOBODY, 4);
}

/** Number of the owner and the group of what is there, and its mode; null when nothing is. A link is not followed. */
export function rightsOf(path: string): { readonly uid: number; readonly gid: number; readonly mode: number } | null {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat ? { uid: stat.uid, gid: stat.gid, mode: stat.isSymbolicLink() ? 0 : stat.mode & 0o7777 } : null;
}

/** The same with names. A number without a name stays one. */
export function ownershipOf(
  path: string,
): { readonly owner: string; readonly group: string; readonly mode: number } | null {
  const rights = rightsOf(path);
  if (!rights) return null;
  const { uid, gid, mode } = rights;
  return { owner: nameOf(uid) ?? String(uid), group: groupName(gid) ?? String(gid), mode };
}

function groupName(gid: number): string | null {
  try {
    return execFileSync('getent', ['group', String(gid)], { encoding: 'utf8' }).split(':')[0] ?? null;
  } catch {
    return null;
  }
}

/** Makes a folder, or puts right whose it is. By descriptor: where others may rename, a name is no proof of what it is. */
export function putFolder(path: string, uid: number, gid: number, mode: number): void {
  if (!lstatSync(path, { throwIfNoEntry: false })) mkdirSync(path, { mode: 0o700 });
  const handle = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    fchownSync(handle, uid, gid);
    fchmodSync(handle, mode);
  } finally {
    closeSync(handle);
  }
}

// Enough to notice what a pass by hand left behind.
const LOOKED_AT = 20_000;

/** Whether a folder, or something in it, belongs to that user. Links are not followed. */
export function holdsFilesOf(folder: string, uid: number): boolean {
  const waiting = [folder];
  for (let count = 0; count < LOOKED_AT; count += 1) {
    const path = waiting.pop();
    if (path === undefined) return false;
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat?.uid === uid) return true;
    if (stat?.isDirectory()) waiting.push(...readdirSync(path).map((name) => join(path, name)));
  }
  return false;
}

/** The number of a group; null when there is none of that name. */
export function groupOf(name: string): number | null {
  try {
    const entry = execFileSync('getent', ['group', '--', name], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return Number(entry.split(':')[2]);
  } catch {
    return null;
  }
}

/** The account of that name; null when there is none. */
export function accountOf(name: string): Account | null {
  try {
    const ask = (flag: string): string =>
      execFileSync('id', [flag, '--', name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    const own = Number(ask('-g'));
    const others = ask('-G').trim().split(' ').map(Number);
    return { name, uid: Number(ask('-u')), gids: [own, ...others.filter((gid) => gid !== own)] };
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

const ANSWER_BYTES = 10_000_000;

/** The version of the dispatcher whose page answers at an address of this machine; null when none does, or it asks who that is. */
export async function dashboardVersion(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const request = get({ host, port, path: '/api/v1/status', timeout: 2000 }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        if (text.length > ANSWER_BYTES) request.destroy();
        else text += part;
      });
      response.on('close', () => resolve(versionIn(text)));
    });
    request.on('timeout', () => request.destroy()).on('error', () => resolve(null));
  });
}

function versionIn(text: string): string | null {
  try {
    const answer: unknown = JSON.parse(text);
    const version = typeof answer === 'object' && answer !== null && 'version' in answer ? answer.version : null;
    return typeof version === 'string' && /^[\w.+-]{1,50}$/u.test(version) ? version : null;
  } catch {
    return null;
  }
}

function canWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function mayWrite(path: string, account: Account): boolean {
  return may(statSync(path), account, 2);
}

// 4 to read, 2 to write, 1 to get through a folder.
function may({ mode, uid: owner, gid: group }: Stats, { uid, gids }: Account, bit: number): boolean {
  if (uid === 0) return true;
  const bits = owner === uid ? mode >> 6 : gids.includes(group) ? mode >> 3 : mode;
  return (bits & bit) !== 0;
}
