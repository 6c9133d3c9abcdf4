// The agent's side: take a task, hand it back. These run as the agent's own user, and need neither token nor Gitea.

import type { Command, OptionValues } from 'commander';
import type { AgentDeps } from '../agent/agent-deps.ts';
import { EXIT, type ExitCode } from '../core/errors.ts';
import type { World } from '../deps/world.ts';
import { durationMs, processNumber } from './arguments.ts';

type Act = (deps: AgentDeps, options: OptionValues, task: string | undefined) => Promise<ExitCode> | ExitCode;

/** `next`, `done`, `block`, `release`. */
export function addAgentCommands(program: Command, world: World, finish: (code: ExitCode) => void): void {
  const runs = (act: Act) => async (task: string | undefined, options: OptionValues) =>
    finish(await asAgent(world, { ...program.opts(), ...options }, task, act));
  withPlace(program.command('next'))
    .description("takes the agent's most urgent new task: moves it to doing/, prints its path")
    .option('--json', 'the task as one JSON document (schemaVersion 1)')
    .option('--peek', 'only tell which one it would be')
    .option('--wait <duration>', 'when there is none, wait for one: 30m, 2h, ...', durationMs)
    .option(
      '--pid <number>',
      'who lives as long as the task is worked on, such as $$; else nobody can tell',
      processNumber,
    )
    .option('--stalled', 'also a task whose taker is gone or had it for longer than tasks.stalledAfter')
    .action(async (options: OptionValues) =>
      runs(async (deps) => (await import('../agent/next.ts')).next(deps, options))(undefined, options),
    );
  withPlace(program.command('done'))
    .description('hands a task back as finished: moves it to done/')
    .argument('[task]', TASK)
    .option('--pr <url>', 'the pull request that closes the issue')
    .option('--note <text>', 'what should be known of it')
    .action(runs(async (deps, options, task) => (await handing()).handBack(deps, 'done', task, options)));
  withPlace(program.command('block'))
    .description('hands a task back as stuck: moves it to blocked/; status and page show why')
    .argument('[task]', TASK)
    .requiredOption('--reason <text>', 'what is missing, and from whom')
    .action(runs(async (deps, options, task) => (await handing()).handBack(deps, 'block', task, options)));
  withPlace(program.command('release'))
    .description('gives a task back untouched: it is new again')
    .argument('[task]', TASK)
    .option('--reason <text>', 'why')
    .action(runs(async (deps, options, task) => (await handing()).handBack(deps, 'release', task, options)));
}

/** `work`. */
export function addWork(program: Command, world: World, finish: (code: ExitCode) => void): void {
  withPlace(program.command('work'))
    .description('one task, one run: takes the next task, runs a command on it, and hands it back')
    .argument('<command...>', 'the command and its arguments, behind --; the task file is its standard input')
    .option('--timeout <duration>', 'end the run after this time (default: 2h)', durationMs)
    .option('--wait <duration>', 'when there is no task, wait for one: 30m, 2h, ...', durationMs)
    .action(async (command: readonly string[], options: OptionValues) => {
      const all = { ...program.opts(), ...options };
      finish(
        await asAgent(world, all, undefined, async (deps) => {
          const [{ work }, { workDeps }] = await Promise.all([import('../agent/work.ts'), import('../deps/work.ts')]);
          return work(workDeps(world, deps), command, options);
        }),
      );
    });
}

/** `mcp`. */
export function addMcp(program: Command, world: World, finish: (code: ExitCode) => void): void {
  withPlace(program.command('mcp'))
    .description('serves the same verbs to a program that speaks the Model Context Protocol, on stdin and stdout')
    .action(async (options: OptionValues) => {
      const all = { ...program.opts(), ...options };
      finish(
        await asAgent(world, all, undefined, async (deps) => {
          const [{ serveMcp }, { inputEnd, selfProcess }] = await Promise.all([
            import('#mcp'),
            import('../deps/work.ts'),
          ]);
          await serveMcp(deps, { self: selfProcess(), version: world.version, left: inputEnd() });
          return EXIT.ok;
        }),
      );
    });
}

/** `instructions`. */
export function addInstructions(program: Command, world: World, finish: (code: ExitCode) => void): void {
  withPlace(program.command('instructions'))
    .description('prints the lines about its tasks for the AGENTS.md or CLAUDE.md of an agent')
    .action(async (options: OptionValues) =>
      finish(
        await asAgent(
          world,
          { ...program.opts(), ...options },
          undefined,
          async ({ mailbox, tasksDirectory, print }) => {
            const { instructionsText } = await import('../views/instructions.ts');
            print(instructionsText(mailbox.agent, tasksDirectory));
            return EXIT.ok;
          },
        ),
      ),
    );
}

const TASK = 'acme/app#5, 5, or the path of its file (default: $DISPATCHER_FILE, else the one task that is taken)';

async function handing() {
  return import('../agent/hand-back.ts');
}

function withPlace(command: Command): Command {
  return command
    .option('--agent <login>', "whose tasks (default: $DISPATCHER_AGENT, else the user's own name)")
    .option('--tasks <folder>', 'the task folder (default: $DISPATCHER_TASKS, else that of the configuration)');
}

// What the agent's user may not do is told with the way to let him.
async function asAgent(world: World, options: OptionValues, task: string | undefined, act: Act): Promise<ExitCode> {
  const { agentDeps, agentUser, rightsError } = await import('../deps/agent.ts');
  try {
    return await act(await agentDeps(world, options, task), options, task);
  } catch (error) {
    throw rightsError(agentUser(), error);
  }
}
