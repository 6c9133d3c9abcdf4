import type { AgentDeps } from '../agent/agent-deps.ts';
import type { WorkDeps } from '../agent/work.ts';
import type { ProcessId } from '../core/mailbox/claim.ts';
import { keepOutput } from '../io/output-file.ts';
import { processOf } from '../io/processes.ts';
import { isRunnable, startCommand } from '../io/run-command.ts';
import { sleep, type World } from './world.ts';

const GRACE_MS = 10_000;

/** The real dependencies of `work`. */
export function workDeps({ environment, cwd, interrupted }: World, deps: AgentDeps): WorkDeps {
  return {
    ...deps,
    isRunnable: (program) => isRunnable(program, cwd, environment['PATH']),
    start: async (command, { input, facts, onOutput }) =>
      startCommand(command, {
        cwd,
        environment: { ...withoutTokens(environment), DISPATCHER_TASKS: deps.tasksDirectory, ...facts },
        input,
        onOutput,
        graceMs: GRACE_MS,
      }),
    keepOutput,
    self: selfProcess(),
    waitFor: async (happened, ms) => {
      const over = new AbortController();
      const signal = AbortSignal.any([over.signal, interrupted]);
      await Promise.race([happened, sleep(ms, signal)]);
      over.abort(); // a timer that nobody waits for would keep the process
    },
  };
}

/** This very process. */
export function selfProcess(): ProcessId {
  return processOf(process.pid) ?? { pid: process.pid, startedAt: null };
}

/** When whoever writes to us closes our input. */
export async function inputEnd(): Promise<void> {
  return new Promise((resolve) => process.stdin.once('end', resolve).once('close', resolve));
}

// The dispatcher's tokens are none of the agent's business, where somebody tries it out in a shell that has them.
function withoutTokens(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const isToken = (name: string): boolean => /^GITEA_TOKEN(?:_|$)/u.test(name) || name === 'CREDENTIALS_DIRECTORY';
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !isToken(name)));
}
