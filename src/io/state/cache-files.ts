// Files of a cache: read as a whole, written behind what holds. Nobody waits for them, follows a link there, or misses them.

import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { systemCode } from '../../core/errors.ts';
import { createFolders } from '../files.ts';

/** The lines in the first bytes of a file. */
export function linesIn(file: string, length: number): readonly string[] {
  return bufferOf(file)?.toString('utf8', 0, length).split('\n').filter(Boolean) ?? [];
}

/** The numbers in the first bytes of a file. */
export function numbersIn(file: string, length: number): Float64Array {
  const bytes = bufferOf(file)?.subarray(0, length - (length % 8)) ?? Buffer.alloc(0);
  return new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

/** Numbers as a file keeps them. */
export function bytesOf(numbers: Float64Array): Buffer {
  return Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

/** What JSON says; undefined when it is none. */
export function parsed(bytes: Buffer | undefined): unknown {
  try {
    return JSON.parse(bytes?.toString() ?? '');
  } catch {
    return undefined;
  }
}

/** All of a regular file. Undefined for whatever is none that can be read: then nothing is known. */
export function bufferOf(file: string): Buffer | undefined {
  let handle: number | undefined;
  try {
    handle = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    return fstatSync(handle).isFile() ? readFileSync(handle) : undefined;
  } catch {
    return undefined;
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}

/** Writes behind so many bytes that hold, and answers how many hold then. `sync`: waits until they are on the disk. */
export function writeAt(file: string, from: number, bytes: Buffer, sync: boolean): number {
  const handle = openSync(
    file,
    constants.O_WRONLY | constants.O_CREAT | constants.O_NONBLOCK | constants.O_NOFOLLOW,
    0o600,
  );
  try {
    if (fstatSync(handle).size !== from) ftruncateSync(handle, from);
    for (let done = 0; done < bytes.length;) done += writeSync(handle, bytes, done, bytes.length - done, from + done);
    if (sync) fsyncSync(handle);
    return from + bytes.length;
  } finally {
    closeSync(handle);
  }
}

/** Makes a folder that only its owner sees, unless it is there. */
export function makePrivateFolder(folder: string): void {
  createFolders(dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}

/** The names in a folder; none when it cannot be read. */
export function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Removes a file, unless it is gone. */
export function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}
