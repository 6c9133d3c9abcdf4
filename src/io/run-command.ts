// A command that works on a task: in a process group of its own, so that all of it can be ended; what it prints goes by.

import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as after } from 'node:timers/promises';
import type { ProcessId } from '../core/mailbox/claim.ts';
import { isGroupAlive, processOf } from './processes.ts';

/** How a command ended. `signal`: by which signal; null: by itself. */
export interface End {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A command that waits for the word to begin. */
export interface Started {
  /** Leads the process group. */
  readonly leader: ProcessId;
  /** Lets it begin. Until then nothing of it has run, and it goes away with this process. */
  readonly begin: () => void;
  /** Ends the whole group: SIGTERM, and SIGKILL when the time is over. */
  readonly stop: () => void;
  /** When it has ended, and with it whatever it started in its group. */
  readonly ended: Promise<End>;
}

interface Surroundings {
  readonly cwd: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly input: string;
  /** Each piece of text, as it comes; of one stream no character is torn. */
  readonly onOutput: (stream: 'stdout' | 'stderr', text: string) => void;
  /** How long it has between SIGTERM and SIGKILL. */
  readonly graceMs: number;
}

/** What is left of a group, or in a pipe, is waited for in steps of this. */
const STEP_MS = 50;
/** What was printed last is on its way when the process is gone; what escaped from the group may hold the pipe for ever. */
const DRAIN_MS = 500;
/** The command is not a shell's: it is handed over as it is. The shell only waits for the word, and becomes the command. */
const WAIT_AND_BECOME = 'read -r word <&3 && exec "$@" 3<&-';

/** Starts a command that waits for its word. Null: it cannot be started. */
export async function startCommand(command: readonly string[], around: Surroundings): Promise<Started | null> {
  const child = spawn('/bin/sh', ['-c', WAIT_AND_BECOME, 'sh', ...command], {
    cwd: around.cwd,
    env: around.environment,
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const exit = new Promise<End>((done) => {
    child.on('exit', (code, signal) => done({ code, signal }));
    child.on('error', () => done({ code: null, signal: null }));
  });
  const { pid } = child;
  const leader = pid === undefined ? null : processOf(pid);
  const [, , , word] = child.stdio;
  if (pid === undefined || leader === null || word === null || word === undefined || !('end' in word)) return null;
  for (const pipe of [child.stdin, word]) pipe.on('error', () => {}); // it need not read
  child.stdin.end(around.input);
  const drained = Promise.all(
    (['stdout', 'stderr'] as const).map(async (name) => {
      const decoder = new StringDecoder('utf8');
      child[name].on('data', (part: Buffer) => around.onOutput(name, decoder.write(part)));
      return new Promise((done) => child[name].on('close', done).on('error', done));
    }),
  );
  return {
    leader,
    begin: () => word.end('go\n'),
    stop: () => void endGroup(pid, around.graceMs),
    ended: exit.then(async (end) => {
      await endGroup(pid, around.graceMs);
      await Promise.race([drained, after(DRAIN_MS)]);
      for (const pipe of [child.stdin, child.stdout, child.stderr, word]) pipe.destroy();
      return end;
    }),
  };
}

/** Whether a program can be started by that name, from that folder and in that PATH. */
export function isRunnable(program: string, cwd: string, path = ''): boolean {
  const places = program.includes('/')
    ? [resolve(cwd, program)]
    : path.split(delimiter).map((folder) => join(resolve(cwd, folder), program));
  return places
    .filter((place) => isAbsolute(place))
    .some((place) => {
      try {
        accessSync(place, constants.X_OK);
        return statSync(place).isFile();
      } catch {
        return false;
      }
    });
}

async function endGroup(group: number, graceMs: number): Promise<void> {
  if (!isGroupAlive(group)) return;
  signal(group, 'SIGTERM');
  for (let waited = 0; isGroupAlive(group); waited += STEP_MS) {
    if (waited >= graceMs) return signal(group, 'SIGKILL');
    await after(STEP_MS);
  }
}

function signal(group: number, name: NodeJS.Signals): void {
  try {
    process.kill(-group, name);
  } catch {
    // It ended at this very moment.
  }
}
