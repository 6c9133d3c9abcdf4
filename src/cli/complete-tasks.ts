// What may stand for a task behind `done`, `block` and `release`, from the agent's own folder: its user need not be able to
// read the configuration. Whoever wrote the files there chose the names, and the shell puts a word on the line as it is.

import type { Stage } from '../core/mailbox/place.ts';
import { cleanLine } from '../core/task/untrusted.ts';
import type { AgentOptions } from '../deps/agent.ts';
import type { World } from '../deps/world.ts';

/** A word, and what is said of it. */
export interface Offer {
  readonly value: string;
  readonly description: string;
}

const STAGES: Readonly<Record<string, readonly Stage[]>> = {
  done: ['doing', 'new'],
  block: ['doing', 'new'],
  release: ['doing', 'blocked', 'done'],
};
const MOST = 100;
const PLAIN_REF = /^(?:[a-z][a-z0-9-]*:)?[A-Za-z0-9][A-Za-z0-9._-]{0,99}\/[A-Za-z0-9._-]{1,100}#\d{1,15}$/u;

/** The tasks that a command may mean, those that are taken first. None for other commands, or where nothing can be read. */
export async function taskOffers(world: World, options: AgentOptions, command: string): Promise<readonly Offer[]> {
  const stages = STAGES[command];
  if (stages === undefined) return [];
  try {
    const [{ agentDeps }, { describeTask }] = await Promise.all([
      import('../deps/agent.ts'),
      import('../agent/describe.ts'),
    ]);
    const deps = await agentDeps(world, options);
    const { tasks } = deps.mailbox.look(stages);
    const named = tasks
      .filter(({ ref }) => PLAIN_REF.test(ref))
      .toSorted(
        (a, b) => stages.indexOf(a.stage) - stages.indexOf(b.stage) || a.rank - b.rank || a.createdAt - b.createdAt,
      );
    return named.slice(0, MOST).map((task) => ({
      value: task.ref,
      description: cleanLine(`${task.stage} ${describeTask(deps, task)?.title ?? ''}`, 60),
    }));
  } catch {
    return [];
  }
}

/** The agents that have a folder, where the configuration cannot be read. */
export async function agentOffers(world: World, options: AgentOptions): Promise<readonly Offer[]> {
  try {
    const { agentsHere } = await import('../deps/agent.ts');
    return (await agentsHere(world, options)).map((value) => ({ value, description: '' }));
  } catch {
    return [];
  }
}
