// The process, its clock and its package, for all dependencies.

import { fileURLToPath } from 'node:url';
import type { Config } from '../core/config/config.ts';
import type { LogEvent } from '../core/health/log-event.ts';
import { shellWord } from '../core/shell-word.ts';
import { visibleText } from '../core/task/untrusted.ts';
import { createLog, isJournal } from '../io/log.ts';

/** Everything about the running process that commands may depend on. A test passes its own. */
export interface World {
  readonly environment: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly version: string;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Aborted when the user or the system asks the command to stop. */
  readonly interrupted: AbortSignal;
  /** Aborted when the command is over: a request that nobody waits for any more must not keep the process alive. */
  readonly over: AbortSignal;
}

export interface Output {
  readonly fd: number;
  readonly isTTY: boolean;
  readonly columns: number | undefined;
  readonly write: (text: string) => void;
}

export interface GlobalOptions {
  readonly config?: string;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/** Where a file of the package is: `templates/...`, `deploy/...`. As seen from the bundle, in dist/. */
export function packaged(name: string): string {
  return fileURLToPath(new URL(`../${name}`, import.meta.url));
}

/** What to type for a command with the configuration that is used now: `dispatcher doctor`. */
export function commandLine({ config }: GlobalOptions): (command: string) => string {
  return (command) => `dispatcher ${config === undefined ? '' : `--config ${shellWord(config)} `}${command}`;
}

/** Says something on stderr that the user should mend although the command goes on. */
export function warner({ stderr }: World): (message: string) => void {
  return (message) => stderr.write(`dispatcher: warning: ${visibleText(message)}\n`);
}

/** Prints a line, unless only errors are wanted. */
export function printer({ stdout }: World, { quiet }: GlobalOptions): (line: string) => void {
  return (line) => (quiet ? undefined : stdout.write(`${line}\n`));
}

/** The log of a configuration: file, stdout, and levels where that is the journal. */
export function logOf(world: World, config: Config, options: GlobalOptions): (event: LogEvent) => void {
  const toJournal = isJournal(world.stdout.fd, world.environment);
  return createLog({ config, now, print: printer(world, options), toJournal, warn: warner(world) });
}

/**
 * Milliseconds with a real fraction, which Date does not have. It does not follow a clock that is set, nor count while
 * the machine is suspended: right for a pass, which must not jump, and wrong for what stays.
 */
export function now(): number {
  return performance.timeOrigin + performance.now();
}

/** Ends early when it is aborted: the caller looks at that itself. */
export async function sleep(ms: number, interrupted: AbortSignal): Promise<void> {
  if (ms <= 0 || interrupted.aborted) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      interrupted.removeEventListener('abort', done);
      resolve();
    }
    interrupted.addEventListener('abort', done);
  });
}

/** Makes a value when it is first asked for. */
export function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** Does it now, and hands over what came of it when it is asked for: the value, or the error. */
export function tried<T>(make: () => T): () => T {
  try {
    const value = make();
    return () => value;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}
