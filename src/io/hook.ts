// onDispatch: a program of the operator's, told of a dispatch.

import { spawn } from 'node:child_process';
import { delimiter, isAbsolute } from 'node:path';
import type { DispatchRecord } from '../core/state/dispatch-record.ts';
import { cleanLine } from '../core/task/untrusted.ts';

const KEPT = 1000;
/** What a program needs to find its way; above all not the token. */
const PASSED_ON = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'LANG',
  'LC_ALL',
  'TZ',
  'XDG_RUNTIME_DIR',
  'DBUS_SESSION_BUS_ADDRESS',
];

interface Surroundings {
  readonly environment: NodeJS.ProcessEnv;
  /** The folder it starts in: none that an agent owns. */
  readonly folder: string;
  /** Ends the program as well. */
  readonly interrupted: AbortSignal;
}

/**
 * Runs a program without a shell, with the facts of a dispatch in its environment. Throws when it cannot be started, ends
 * with another code than 0, or takes longer than allowed (then it is ended, with everything it started).
 */
export async function runHook(
  [program = '', ...args]: readonly string[],
  timeoutMs: number,
  record: DispatchRecord,
  { environment, folder, interrupted }: Surroundings,
): Promise<void> {
  const passedOn = PASSED_ON.flatMap((name): [string, string][] =>
    environment[name] === undefined ? [] : [[name, environment[name]]],
  );
  const child = spawn(program, args, {
    cwd: folder,
    env: {
      ...Object.fromEntries(passedOn),
      // A relative entry would look for the program wherever it is started.
      PATH: (environment['PATH'] ?? '')
        .split(delimiter)
        .filter((entry) => isAbsolute(entry))
        .join(delimiter),
      DISPATCHER_FILE: record.file,
      DISPATCHER_AGENT: record.agent,
      DISPATCHER_REF: record.ref,
      DISPATCHER_TITLE: record.title,
      DISPATCHER_PRIORITY: record.priority,
      DISPATCHER_TRIGGER: record.trigger,
      DISPATCHER_ATTEMPT: String(record.attempt),
      // The same when it is told again: whoever must not act twice remembers it.
      DISPATCHER_DISPATCH: `${record.server ?? ''}#${record.issueId}:${record.agent}@${record.at}`,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true, // a process group of its own, so that all of it can be ended
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (part: string) => (said = (said + part).slice(-KEPT)));
  const end = await new Promise<string | null>((resolve) => {
    const timer = setTimeout(() => {
      endGroup(child.pid);
      resolve(`took longer than ${timeoutMs / 1000} s and was ended`);
    }, timeoutMs);
    const finish = (message: string | null): void => {
      clearTimeout(timer);
      interrupted.removeEventListener('abort', interrupt);
      resolve(message);
    };
    const interrupt = (): void => {
      endGroup(child.pid);
      finish('was ended together with the pass');
    };
    interrupted.addEventListener('abort', interrupt);
    if (interrupted.aborted) interrupt();
    child.on('error', (error) => finish(`cannot be started: ${error.message}`));
    child.on('exit', (code, signal) => finish(code === 0 ? null : `ended with ${code ?? signal}`));
  });
  child.stderr.destroy();
  child.unref();
  if (end !== null) throw new Error(`onDispatch (${program}) ${end}${said === '' ? '' : `: ${cleanLine(said, 300)}`}`);
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended by itself at this very moment.
  }
}
