// Commands, options and help. A command's own code is loaded when it is asked for.

import { Command } from 'commander';
import { EXIT, type ExitCode, UserError } from '../core/errors.ts';
import { cleanLine } from '../core/task/untrusted.ts';
import type { World } from '../deps/world.ts';
import { examples, EXIT_CODES } from '../views/help.ts';
import { issueArgument, oneOf } from './arguments.ts';
import { addAgentCommands, addInstructions, addMcp, addWork } from './agent-commands.ts';
import { addCare } from './care.ts';
import { addCompletion } from './completion.ts';
import { dispatchCommand, type DispatchOptions } from './dispatch-command.ts';
import { addHelp } from './help-command.ts';
import { addOrders } from './orders.ts';
import { addReaders } from './readers.ts';
import { addStore } from './store-commands.ts';
import { everyCommand, type Runner } from './runner.ts';

/** Words of a command line that is a pass and nothing else; `isPlainPass` of bin/dispatcher.js has the same. */
const OF_A_PASS = new Set(['dispatch', '--timer', '-q', '--quiet', '-v', '--verbose']);

/**
 * The whole command line of the program. `finish` is told the exit code of the command that ran. `typed`: where those words are a
 * plain pass, as a timer starts it each minute, no other command is made.
 */
export function createProgram(world: World, finish: (code: ExitCode) => void, typed?: readonly string[]): Command {
  const program = new Command('dispatcher')
    .description('Turns Gitea and Forgejo issues assigned to AI coding agents into task files.')
    .version(world.version, '-V, --version')
    .option('-c, --config <file>', 'the configuration to use')
    .option('-q, --quiet', 'print nothing but errors and what was asked for')
    .option('-v, --verbose', 'print each request, and stack traces')
    .option('--color <when>', 'auto, always or never', oneOf(['auto', 'always', 'never']))
    .helpOption('-h, --help')
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('beforeAll', ({ command }) => examples(command.name()) || examples(command.parent?.name() ?? ''))
    .addHelpText('afterAll', EXIT_CODES);
  addDispatch(program, world, finish);
  if (!typed || !isPlainPass(typed)) addOthers(program, world, finish);
  for (const command of everyCommand(program)) {
    command.exitOverride().configureOutput({ writeOut: world.stdout.write, writeErr: world.stderr.write });
  }
  return program;
}

function isPlainPass(typed: readonly string[]): boolean {
  return typed.every(
    (word, index) =>
      OF_A_PASS.has(word) ||
      isConfigOption(word) ||
      word.startsWith('--config=') ||
      isConfigOption(typed[index - 1] ?? ''),
  );
}

function isConfigOption(word: string): boolean {
  return word === '-c' || word === '--config';
}

function addOthers(program: Command, world: World, finish: (code: ExitCode) => void): void {
  const runs: Runner = (act) => async (_options, command) => finish(await act(command.optsWithGlobals()));
  addReaders(program, world, runs);
  addOrders(program, world, runs);
  addAgentCommands(program, world, finish);
  addWork(program, world, finish);
  addMcp(program, world, finish);
  addInstructions(program, world, finish);
  addCare(program, world, runs);
  addStore(program, world, runs);
  addCompletion(program, world, runs);
  addHelp(program, world);
}

function addDispatch(program: Command, world: World, finish: (code: ExitCode) => void): void {
  program
    .command('dispatch', { isDefault: true })
    .description('one pass: poll, choose the most urgent issue, write its task file (what the timer runs)')
    .option('--issue <number>', 'dispatch this issue now, out of turn: 5, or acme/app#5', issueArgument)
    .option('--repo <owner/name>', 'the repository of --issue, where several are configured')
    .option('--agent <login>', 'the agent of --issue, where several are assigned')
    .option('--force', 'with --issue: lift rate limit, already dispatched, pause, hold label and cap')
    .option('-n, --dry-run', 'print the decision and the file; write nothing')
    .option('--timer', 'a timer or cron starts it, and not a person: the task says so')
    .allowExcessArguments()
    .action(async (options: DispatchOptions, command: Command) => {
      const [word] = command.args;
      if (word !== undefined) throw await unknownCommand(word, program);
      finish(await dispatchCommand(world, command.optsWithGlobals(), options));
    });
}

// A bare word lands at the default command.
async function unknownCommand(word: string, program: Command): Promise<UserError> {
  const { closest } = await import('fastest-levenshtein');
  const names = program.commands.map((command) => command.name());
  return new UserError(`unknown command or argument: ${cleanLine(word, 60)}`, {
    exitCode: EXIT.usage,
    code: 'usage',
    hint: /^#?\d+$/u.test(word)
      ? `to dispatch that issue: dispatcher dispatch --issue ${word.replace('#', '')}`
      : `did you mean: dispatcher ${closest(word, names)}`,
  });
}
