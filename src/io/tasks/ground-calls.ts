// The calls by which the task folder is looked at and written in, each by a place that ground.ts made:
// `/proc/self/fd/<folder>/<name>`. What gives, moves and takes away names is in ground-names.ts.

import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  opendirSync,
  openSync,
  readdirSync,
  readSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { systemCode } from '../../core/errors.ts';

/** `other`: a link, a pipe, a device, ...: nothing that belongs here. */
export type Kind = 'file' | 'folder' | 'other';

interface Entry {
  readonly name: string;
  readonly kind: Kind;
}

export interface Look {
  readonly kind: Kind;
  /** Another text when the file was replaced or written to. */
  readonly stamp: string;
  /** When it got its name: unlike other times only the kernel sets this one. Epoch milliseconds. */
  readonly changedAt: number;
}

export interface Listed {
  readonly entries: readonly Entry[];
  /** False: there are more. */
  readonly isWhole: boolean;
}

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants;

/** The entries of a folder, at most so many. */
export function listed(place: string, most: number): Listed {
  const folder = opendirSync(place, { bufferSize: 128 }); // Node moves all that are left for each one that it gives
  try {
    const entries: Entry[] = [];
    for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) {
      if (entries.length === most) return { entries, isWhole: false };
      entries.push({ name: entry.name, kind: kindOf(entry) });
    }
    return { entries, isWhole: true };
  } finally {
    folder.closeSync();
  }
}

/** A folder that takes no more room than this has no more than some hundred thousand names. */
const MODEST_BYTES = 4 * 1024 * 1024;

/** The names in a folder, at most so many. */
export function namesIn(place: string, most: number): readonly string[] {
  // All at once costs a third of one after the other; of millions it would take the memory.
  if (statSync(place).size > MODEST_BYTES) return listed(place, most).entries.map(({ name }) => name);
  return readdirSync(place).slice(0, most);
}

function kindOf(found: Pick<Stats, 'isFile' | 'isDirectory'>): Kind {
  if (found.isFile()) return 'file';
  return found.isDirectory() ? 'folder' : 'other';
}

/** What has that name; null: nothing. A link is not followed. */
export function looked(place: string): Look | null {
  const stat = lstatSync(place, { throwIfNoEntry: false });
  if (!stat) return null;
  return { kind: kindOf(stat), stamp: stampOf(stat), changedAt: stat.ctimeMs };
}

function stampOf({ ino, size, mtimeMs }: Stats): string {
  return `${ino}:${size}:${mtimeMs}`;
}

const SCRATCH_BYTES = 16_384;
let scratch: Buffer | undefined;

/** The beginning of a regular file, at most so many bytes. */
export interface Beginning {
  readonly text: string;
  /** Of the whole file, in bytes. */
  readonly size: number;
  /** As in `Look`. */
  readonly stamp: string;
}

/** The beginning of a regular file. Null: there is none of that name. */
export function beginning(place: string, most: number): Beginning | null {
  let handle: number;
  try {
    // Non-blocking: nobody may ever write to a pipe.
    handle = openSync(place, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
  } catch (error) {
    if (['ENOENT', 'ELOOP', 'ENXIO'].includes(systemCode(error))) return null;
    throw error;
  }
  try {
    const stat = fstatSync(handle);
    if (!stat.isFile()) return null;
    const length = Math.min(stat.size, most);
    // Thousands of small files would otherwise leave thousands of buffers to the garbage collector.
    const buffer =
      length <= SCRATCH_BYTES ? (scratch ??= Buffer.alloc(SCRATCH_BYTES)).subarray(0, length) : Buffer.alloc(length);
    return { text: buffer.toString('utf8', 0, readSync(handle, buffer)), size: stat.size, stamp: stampOf(stat) };
  } finally {
    closeSync(handle);
  }
}

/** Writes a file that must not be there yet, with the mode that the umask leaves, and waits until it is on the disk. */
export function writeNew(place: string, content: string | Buffer, isAwaited = true): void {
  const handle = createNew(place);
  try {
    writeFileSync(handle, content);
    if (isAwaited) fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Makes a file that must not be there yet, with the mode that the umask leaves, or a shared folder; answers its descriptor. */
export function createNew(place: string): number {
  // A task's own words are orders to its agent: strangers on this machine write none of them, under any umask.
  return sharedIn(dirname(place), () => openSync(place, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o664)); // less the umask
}

/** Setgid, and the group may write. */
const SHARED = 0o2020;

/** Whether a folder is such. */
export function isShared(folder: string): boolean {
  return (modeOf(folder) & SHARED) === SHARED;
}

/**
 * Makes something in a folder. Where that is shared, the group may do with it what its owner may, and others may read it
 * when they may read the folder: it does not matter under which umask, or as which user of the group, it came to be.
 * (Changing its mode afterwards would lose the setgid bit, which a unit with RestrictSUIDSGID= may not set.)
 */
export function sharedIn<T>(folder: string, make: () => T): T {
  const mode = modeOf(folder);
  if ((mode & SHARED) !== SHARED) return make();
  const umask = process.umask();
  process.umask(umask & ~0o070 & ~(mode & 0o005));
  try {
    return make();
  } finally {
    process.umask(umask);
  }
}

function modeOf(folder: string): number {
  return statSync(folder, { throwIfNoEntry: false })?.mode ?? 0;
}

/** Makes a folder unless something has its name. */
export function makeFolder(place: string): void {
  try {
    sharedIn(dirname(place), () => mkdirSync(place, 0o775));
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}

/** Makes the names in an opened folder survive a power cut. */
export function syncNames(handle: number): void {
  try {
    fsyncSync(handle);
  } catch (error) {
    // Some network file systems cannot do this; they write names through.
    if (systemCode(error) !== 'EINVAL' && systemCode(error) !== 'ENOTSUP') throw error;
  }
}

/** Whether this user may write in a folder. */
export function isWritable(place: string): boolean {
  try {
    accessSync(place, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
