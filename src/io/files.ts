import { isAscii } from 'node:buffer';
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  type Stats,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { systemCode } from '../core/errors.ts';
import { naming } from './naming.ts';

// Modes of what the dispatcher alone writes, whatever the umask: whoever may write there, steers it.

/** What is published for `status` and the page. */
export const GROUP_READS = 0o640;
/** What a pass obeys. */
export const NOBODY_ELSE = 0o600;
/** What programs of any other account read. */
export const EVERYBODY_READS = 0o644;

/** Writes a file that must not exist yet, and waits until it is on the disk. */
function writeNewFile(path: string, text: string, mode: number): void {
  writeAndSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, text, mode);
}

/**
 * Replaces a file at once: a reader, or a power cut, sees the old text or the new one, never a part. Without the lock several
 * commands may do so at the same instant: then each needs a draft of its own.
 */
export function replaceFile(
  path: string,
  text: string,
  { isLocked = true, mode = GROUP_READS }: { readonly isLocked?: boolean; readonly mode?: number } = {},
): void {
  const draft = isLocked ? `${path}.tmp` : `${path}.${process.pid}.tmp`;
  // Whatever has that name is not written to: it may be a second name of another file, or a pipe.
  removeFile(draft);
  writeNewFile(draft, text, mode);
  renameSync(draft, path);
  syncFolder(dirname(path));
}

/** Appends to a file and waits until it is on the disk. It neither follows a link nor waits for a pipe's reader. */
export function appendLine(path: string, line: string): void {
  writeAndSync(path, APPENDING, `${line}\n`, GROUP_READS);
}

const APPENDING =
  constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NONBLOCK | constants.O_NOFOLLOW;

/** Opens a file that is ours alone for appending; it neither follows a link nor waits for a pipe's reader. The caller closes it. */
export function openForAppending(path: string): number {
  return openRegularFile(path, APPENDING, NOBODY_ELSE);
}

const SCRATCH_BYTES = 16_384;
let scratch: Buffer | undefined;

/** The text of a regular file, its first `limit` bytes; undefined for everything else: a pipe or a device could hold us for ever. */
export function readRegularFile(path: string, limit = Number.POSITIVE_INFINITY): string | undefined {
  const handle = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(handle);
    if (!stat.isFile()) return undefined;
    const length = Math.min(stat.size, limit);
    // Thousands of small files would otherwise leave thousands of buffers to the garbage collector.
    const buffer =
      length <= SCRATCH_BYTES ? (scratch ??= Buffer.alloc(SCRATCH_BYTES)).subarray(0, length) : Buffer.alloc(length);
    const bytes = buffer.subarray(0, readSync(handle, buffer));
    return bytes.toString(isAscii(bytes) ? 'latin1' : 'utf8'); // the former is copied, the latter decoded
  } finally {
    closeSync(handle);
  }
}

/** The text of a file that people name to us. Throws for what is none, as a pipe that nobody writes to would hold us for ever. */
export function readTextFile(path: string): string {
  const text = readRegularFile(path);
  if (text === undefined) throw new Error(`${path} is not a regular file`);
  return text;
}

/**
 * A text that is another one when the file or folder at a path was replaced or written to. A link is not followed. Where
 * nothing can be looked at it is the system's word for that, since whoever stays and looks again must not end by it.
 */
export function fileStamp(path: string): string {
  try {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    return stat ? `${stat.ino}:${stat.size}:${stat.mtimeMs}` : '-';
  } catch (error) {
    if (systemCode(error) === '') throw error;
    return systemCode(error);
  }
}

/** Makes the names in a folder survive a power cut. */
function syncFolder(folder: string): void {
  const handle = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(handle);
  } catch (error) {
    // Some network file systems cannot do this; they write names through.
    if (systemCode(error) !== 'EINVAL' && systemCode(error) !== 'ENOTSUP') throw error;
  } finally {
    closeSync(handle);
  }
}

function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

function writeAndSync(path: string, flags: number, text: string, mode: number): void {
  const handle = openRegularFile(path, flags, mode);
  try {
    naming(path, () => {
      writeFileSync(handle, text);
      fsyncSync(handle);
    });
  } finally {
    closeSync(handle);
  }
}

function openRegularFile(path: string, flags: number, mode: number): number {
  const handle = openSync(path, flags, mode); // less the umask
  const stat = fstatSync(handle);
  if (stat.isFile()) {
    giveMode(handle, stat, mode);
    return handle;
  }
  closeSync(handle);
  throw new Error(`${path} is not a regular file`);
}

/** Gives an opened file of ours a mode, whatever the umask left of it. By the descriptor: its name may be another file's by now. */
export function giveMode(handle: number, { mode: before, uid }: Stats, mode: number): void {
  if ((before & 0o777) === mode || uid !== process.geteuid?.()) return;
  try {
    fchmodSync(handle, mode);
  } catch (error) {
    // A file system without modes: nothing can be done there, and nothing hangs on it.
    if (systemCode(error) === '') throw error;
  }
}

/** Makes a folder in which the dispatcher alone writes, whatever the umask, unless it is there. */
export function createOwnFolder(path: string): void {
  createFolders(dirname(path));
  createFolders(path, 0o750);
}

/**
 * Makes a folder with those above it, unless it is there. (Node's own way, `recursive`, never returns where the system
 * answers ENOENT although the folder above exists, such as below /proc.) Nobody else may write in them, whatever the umask:
 * whoever can, can put another folder in the place of one below.
 */
export function createFolders(path: string, mode = 0o755): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  createFolders(dirname(path));
  try {
    mkdirSync(path, mode); // less the umask
  } catch (error) {
    // Another command may have made it in between.
    if (systemCode(error) !== 'EEXIST' || !statSync(path).isDirectory()) throw error;
  }
}
