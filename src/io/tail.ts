// Follows a file that others append to, rotate and truncate. Nothing is held open and nothing is watched: whoever asks
// for what is new reads it, so there is nothing that could leak.

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { systemCode } from '../core/errors.ts';

interface TailLine {
  /** Names the place behind this line: the same file gives the same line the same name, in any process. */
  readonly position: string;
  readonly text: string;
}

export interface News {
  readonly lines: readonly TailLine[];
  /** Whether what was read before is no longer what these lines follow: the file is another, or was cut, or ran ahead. */
  readonly restarted: boolean;
}

interface TailOptions {
  /** Start at most so many bytes before the end, and skip ahead when so many more have come. */
  readonly behind: number;
  /** A longer line is cut. Bytes. */
  readonly longestLine: number;
}

/** Answers a function that reads the lines which were completed since it was last called. A file that cannot be read has none. */
export function followLines(path: string, options: TailOptions): () => News {
  let place: Place | null = null;
  return () => {
    const before = place;
    const isMoved = before !== null && inodeOf(path) !== before.inode;
    // What was written to the old file before it was renamed away: logrotate leaves it as `.1`.
    const old = isMoved ? readFrom(`${path}.1`, before, options) : null;
    const rest = old?.place.inode === before?.inode ? old : null;
    const read = readFrom(path, before, options);
    place = read?.place ?? rest?.place ?? before;
    const restarted = before !== null && rest === null && read !== null && read.isFresh;
    return { lines: [...(rest?.lines ?? []), ...(read?.lines ?? [])], restarted };
  };
}

/** How far a file was read. */
interface Place {
  readonly inode: number;
  readonly offset: number;
  /** Whether that is inside of a line, which is left out: its beginning was too far behind. */
  readonly isInside: boolean;
}

interface Read {
  readonly lines: readonly TailLine[];
  readonly place: Place;
  /** Whether it began somewhere else than the last one ended. */
  readonly isFresh: boolean;
}

function readFrom(path: string, place: Place | null, options: TailOptions): Read | null {
  const handle = openFile(path);
  if (handle === null) return null;
  try {
    const { ino: inode, size } = fstatSync(handle);
    const known = place?.inode === inode && isThere(handle, place, size) ? place : null;
    const isBehind = size - (known?.offset ?? 0) > options.behind;
    const from = isBehind ? size - options.behind : (known?.offset ?? 0);
    const { lines, offset } = linesBetween(handle, inode, from, size, options.longestLine);
    const isFresh = known === null || isBehind;
    const isInside = isBehind || (known?.isInside ?? false);
    // It goes on to the end of the file: read again and again it would be found to be too long each time.
    if (isInside && lines.length === 0) return { lines, place: { inode, offset: size, isInside }, isFresh };
    // Begun in the middle of a line: its first half is not there.
    return { lines: isInside ? lines.slice(1) : lines, place: { inode, offset, isInside: false }, isFresh };
  } finally {
    closeSync(handle);
  }
}

// Inodes are used again, and a truncated file grows again: where we stopped there was the end of a line, if not inside of one.
function isThere(handle: number, { offset, isInside }: Place, size: number): boolean {
  if (isInside) return offset <= size;
  if (offset === 0) return true;
  const last = Buffer.alloc(1);
  return readSync(handle, last, 0, 1, offset - 1) === 1 && last[0] === NEWLINE;
}

const CHUNK = 1 << 18;
const NEWLINE = 0x0a;

function linesBetween(handle: number, inode: number, from: number, size: number, longest: number) {
  const lines: TailLine[] = [];
  let pending = Buffer.alloc(0);
  let offset = from;
  for (let at = from; at < size;) {
    const chunk = Buffer.alloc(Math.min(CHUNK, size - at));
    const length = readSync(handle, chunk, 0, chunk.length, at);
    if (length === 0) break; // truncated meanwhile
    at += length;
    let data = Buffer.concat([pending, chunk.subarray(0, length)]);
    for (let end = data.indexOf(NEWLINE); end >= 0; end = data.indexOf(NEWLINE)) {
      offset += end + 1;
      lines.push({ position: `${inode}-${offset}`, text: data.toString('utf8', 0, Math.min(end, longest)) });
      data = data.subarray(end + 1);
    }
    pending = data;
  }
  return { lines, offset };
}

function openFile(path: string): number | null {
  let handle: number;
  try {
    // A pipe must not hold us up.
    handle = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (systemCode(error) !== '') return null;
    throw error;
  }
  if (fstatSync(handle).isFile()) return handle;
  closeSync(handle);
  return null;
}

function inodeOf(path: string): number | null {
  const handle = openFile(path);
  if (handle === null) return null;
  const { ino } = fstatSync(handle);
  closeSync(handle);
  return ino;
}
