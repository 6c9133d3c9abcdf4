import { spawn } from 'node:child_process';
import { closeSync, fstatSync, ftruncateSync, readFileSync, writeSync } from 'node:fs';
import { uptime } from 'node:os';
import { join } from 'node:path';
import { EXIT, messageOf, systemCode, UserError } from '../../core/errors.ts';
import { createOwnFolder, openForAppending, readRegularFile } from '../files.ts';
import { shutStateFolder } from './rights.ts';

/** What flock(1) exits with when the lock is taken: a number that it uses for nothing else. */
const TAKEN = 99;
/** A command that has held the lock for so long does not come to its end any more: a pass ends within 45 s, an override within 75. */
const HUNG_S = 120;

export interface Lock {
  readonly release: () => void;
  /** What had to be done to get it; null: nothing. */
  readonly note: string | null;
}

/**
 * Takes the lock of a state folder, or answers null when another command holds it for longer than `waitSeconds`.
 * The lock belongs to the open file, so the kernel frees it the moment its holder ends, however it ends: it cannot go
 * stale. Node cannot lock files; flock(1) of util-linux locks the file that we pass to it, and leaves it locked.
 * A holder that hangs is ended: without that one hung pass would be the last one wherever no systemd ends it.
 */
export async function takeLock(stateDirectory: string, waitSeconds: number): Promise<Lock | null> {
  const path = join(stateDirectory, 'lock');
  let handle: number;
  try {
    createOwnFolder(stateDirectory);
    shutStateFolder(stateDirectory);
    handle = openForAppending(path);
  } catch (error) {
    throw new UserError(`the state folder ${stateDirectory} cannot be written: ${messageOf(error)}`, {
      exitCode: EXIT.failure,
      code: 'state_unwritable',
      hint: `let this user write there, or run the command as the user the timer runs as`,
      cause: error,
    });
  }
  let note: string | null = null;
  let code = await flock(handle, waitSeconds);
  if (code === TAKEN) {
    note = endHungHolder(path);
    if (note !== null) code = await flock(handle, 5);
  }
  if (code === 0) {
    signLock(handle);
    return { release: () => closeSync(handle), note };
  }
  closeSync(handle);
  if (code === TAKEN) return null;
  throw new UserError(`the lock ${path} cannot be taken: flock ended with ${code}`, {
    exitCode: EXIT.failure,
    code: 'lock_failed',
    hint: 'the file system of the state folder must support file locks; on NFS that takes version 4, or lockd',
  });
}

// Who holds it. A number of a process is given again after its end; with its start it is not.
function signLock(handle: number): void {
  try {
    // With a second name it is also somebody else's file.
    if (fstatSync(handle).nlink > 1) return;
    ftruncateSync(handle);
    writeSync(handle, `${process.pid} ${startOf(process.pid) ?? '-'}\n`);
  } catch {
    // A full disk: the lock holds all the same.
  }
}

function endHungHolder(path: string): string | null {
  try {
    const [pid = 0, start] = (readRegularFile(path, 64) ?? '').trim().split(' ').map(Number);
    const isSame = Number.isSafeInteger(pid) && pid > 1 && start !== undefined && startOf(pid) === start;
    const age = isSame ? Math.round(uptime() - start / TICKS_PER_SECOND) : 0;
    if (age < HUNG_S) return null;
    process.kill(pid, 'SIGKILL');
    return `the dispatcher command before hung (process ${pid}, started ${age} s ago); it was ended`;
  } catch {
    // It ended by itself, or belongs to somebody else.
    return null;
  }
}

/** What Linux tells every program, whatever the kernel counts in. */
const TICKS_PER_SECOND = 100;

// When a process began, in ticks since the machine did. Its name, in brackets, may hold anything.
function startOf(pid: number): number | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /su, '')
      .split(' ');
    const start = Number(fields[19]);
    return Number.isSafeInteger(start) ? start : undefined;
  } catch {
    return undefined;
  }
}

async function flock(handle: number, waitSeconds: number): Promise<number> {
  const wait = waitSeconds > 0 ? ['--timeout', String(waitSeconds)] : ['--nonblock'];
  return new Promise((resolve, reject) => {
    const child = spawn('flock', ['--conflict-exit-code', String(TAKEN), ...wait, '3'], {
      stdio: ['ignore', 'ignore', 'ignore', handle],
    });
    child.on('error', (error) => {
      const missing = systemCode(error) === 'ENOENT';
      reject(
        new UserError(`flock cannot be started: ${missing ? 'there is no such command' : messageOf(error)}`, {
          exitCode: EXIT.failure,
          code: 'lock_failed',
          hint: 'install util-linux, which every Linux distribution has',
          cause: error,
        }),
      );
    });
    child.on('close', (code) => resolve(code ?? EXIT.failure));
  });
}
