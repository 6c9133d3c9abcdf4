import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT, messageOf, systemCode, UserError } from '../../core/errors.ts';
import { createFolders, openForAppending } from '../files.ts';

/** What flock(1) exits with when the lock is taken: a number that it uses for nothing else. */
const TAKEN = 99;

/**
 * Takes the lock of a state folder, or answers null when another command holds it for longer than `waitSeconds`.
 * The lock belongs to the open file, so the kernel frees it the moment its holder ends, however it ends: it cannot go
 * stale. Node cannot lock files; flock(1) of util-linux locks the file that we pass to it, and leaves it locked.
 */
export async function takeLock(stateDirectory: string, waitSeconds: number): Promise<{ release: () => void } | null> {
  let handle: number;
  try {
    createFolders(stateDirectory);
    handle = openForAppending(join(stateDirectory, 'lock'));
  } catch (error) {
    throw new UserError(`the state folder ${stateDirectory} cannot be written: ${messageOf(error)}`, {
      exitCode: EXIT.failure,
      code: 'state_unwritable',
      hint: `let this user write there, or run the command as the user the timer runs as`,
      cause: error,
    });
  }
  const code = await flock(handle, waitSeconds);
  if (code === 0) return { release: () => closeSync(handle) };
  closeSync(handle);
  if (code === TAKEN) return null;
  throw new UserError(`the lock ${join(stateDirectory, 'lock')} cannot be taken: flock ended with ${code}`, {
    exitCode: EXIT.failure,
    code: 'lock_failed',
    hint: 'the file system of the state folder must support file locks; on NFS that takes version 4, or lockd',
  });
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
