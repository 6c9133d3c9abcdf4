// `next`: takes the most urgent task, and prints where it is.

import { EXIT, type ExitCode, UserError } from '../core/errors.ts';
import type { Sighting } from '../core/mailbox/urgency.ts';
import { jsonText } from '../core/json-text.ts';
import type { AgentDeps } from './agent-deps.ts';
import { describeTask } from './describe.ts';
import { type Nothing, peekNext, type Reach, takeNext } from './take.ts';

export interface NextOptions {
  readonly json?: boolean;
  readonly peek?: boolean;
  readonly stalled?: boolean;
  /** How long to wait for a task, in milliseconds. */
  readonly wait?: number;
  /** The process that lives as long as somebody works on the task. */
  readonly pid?: number;
}

/** A net under the watching of folders, which a network file system may not tell of. */
const LOOK_AGAIN_MS = 5000;

/** One `next`. Answers the exit code; throws what the user must mend. */
export async function next(deps: AgentDeps, options: NextOptions): Promise<ExitCode> {
  const found = await awaited(deps, options.wait ?? 0, () => tryOnce(deps, options));
  if ('unreadable' in found) return sayNothing(deps, found);
  if (!options.json) {
    deps.print(`${deps.mailbox.path}/${found.path}\n`);
    return EXIT.ok;
  }
  const document = describeTask(deps, found);
  // Somebody moved it away a moment ago.
  if (document === null) return sayNothing(deps, { waiting: 0, unreadable: [] });
  deps.print(`${jsonText(document, 2)}\n`);
  return EXIT.ok;
}

/** Tries until something is found or the time is over; whatever changes in the mailbox is a reason to try again. */
export async function awaited<T extends object>(
  deps: AgentDeps,
  ms: number,
  attempt: () => T | Nothing,
): Promise<T | Nothing> {
  const until = deps.ticks() + ms;
  for (;;) {
    const found = attempt();
    const left = until - deps.ticks();
    if (!isNothing(found) || left <= 0 || deps.isInterrupted()) return found;
    await deps.waitForChange(Math.min(left, LOOK_AGAIN_MS));
  }
}

/** Says on stderr that there is no task, and answers exit 6. Throws exit 1 when there are task files that this user may not read. */
export function sayNothing({ mailbox, say }: AgentDeps, { waiting, unreadable }: Nothing): ExitCode {
  const [first] = unreadable;
  if (first !== undefined) {
    throw new UserError(`${unreadable.length} task files in ${mailbox.path} cannot be read by this user: ${first}`, {
      exitCode: EXIT.failure,
      code: 'no_rights',
      hint: 'let the group of the folder in: deploy/README.md, "Agents as users of their own"',
    });
  }
  say(`no new task for ${mailbox.agent}${waiting > 0 ? `; ${waiting} wait after a failed run` : ''}`);
  return EXIT.noTask;
}

function tryOnce(deps: AgentDeps, { peek, stalled, pid }: NextOptions): Sighting | Nothing {
  const reach: Reach = stalled ? 'stalled' : 'new';
  if (peek) return peekNext(deps, reach);
  const found = takeNext(deps, { reach, holder: pid === undefined ? null : holderOf(deps, pid), blocksLost: false });
  return isNothing(found) ? found : found.task;
}

function holderOf({ processOf }: AgentDeps, pid: number) {
  const holder = processOf(pid);
  if (holder) return holder;
  throw new UserError(`there is no process ${pid}`, {
    exitCode: EXIT.usage,
    code: 'usage',
    hint: '--pid names a process that lives as long as somebody works on the task, such as the shell: --pid $$',
  });
}

function isNothing(found: object): found is Nothing {
  return 'unreadable' in found;
}
