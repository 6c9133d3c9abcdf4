// Commands, options and help. A command's own code is loaded when it is asked for.

import { Command, type OptionValues } from 'commander';
import { EXIT, type ExitCode, UserError } from '../core/errors.ts';
import { cleanLine } from '../core/untrusted.ts';
import type { World } from '../deps/world.ts';
import { examples, EXIT_CODES } from '../views/help.ts';
import { durationMs, issueNumber, oneOf, portNumber } from './arguments.ts';
import { dispatchCommand, type DispatchOptions } from './dispatch-command.ts';

/** Runs a command's code and hands its exit code on. */
type Runner = (
  act: (options: OptionValues) => Promise<ExitCode>,
) => (options: unknown, command: Command) => Promise<void>;

/** The whole command line of the program. `finish` is told the exit code of the command that ran. */
export function createProgram(world: World, finish: (code: ExitCode) => void): Command {
  const program = new Command('dispatcher')
    .description('Turns Gitea and Forgejo issues assigned to AI coding agents into task files.')
    .version(world.version, '-V, --version')
    .option('-c, --config <file>', 'the configuration to use')
    .option('-q, --quiet', 'print nothing but errors and what was asked for')
    .option('-v, --verbose', 'print each request, and stack traces')
    .option('--color <when>', 'auto, always or never', oneOf(['auto', 'always', 'never']))
    .helpOption('-h, --help')
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('beforeAll', ({ command }) => examples(command.name()))
    .addHelpText('afterAll', EXIT_CODES);
  const runs: Runner = (act) => async (_options, command) => finish(await act(command.optsWithGlobals()));
  addDispatch(program, world, finish);
  addReaders(program, world, runs);
  addOrders(program, world, runs);
  addCare(program, world, runs);
  addSystemd(program, world, runs);
  for (const command of everyCommand(program)) {
    command.exitOverride().configureOutput({ writeOut: world.stdout.write, writeErr: world.stderr.write });
  }
  return program;
}

/** A command and all below it. */
function everyCommand(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap((each) => everyCommand(each))];
}

function addDispatch(program: Command, world: World, finish: (code: ExitCode) => void): void {
  program
    .command('dispatch', { isDefault: true })
    .description('one pass: poll, choose the most urgent issue, write its task file (what the timer runs)')
    .option('--issue <number>', 'dispatch this issue now, out of turn', issueNumber)
    .option('--repo <owner/name>', 'the repository of --issue, where several are configured')
    .option('--agent <login>', 'the agent of --issue, where several are assigned')
    .option('--force', 'with --issue: lift rate limit, already dispatched, pause, hold label and cap')
    .option('-n, --dry-run', 'print the decision and the file; write nothing')
    .allowExcessArguments()
    .action(async (options: DispatchOptions, command: Command) => {
      const [word] = command.args;
      if (word !== undefined) throw await unknownCommand(word, program);
      finish(await dispatchCommand(world, command.optsWithGlobals(), options));
    });
}

// Those that only look.
function addReaders(program: Command, world: World, runs: Runner): void {
  program
    .command('status')
    .description('what is dispatched, waiting and next for each agent; reads local files only')
    .option('--agent <login>', 'only this agent')
    .option('--json', 'one JSON document (schemaVersion 1)')
    .option('-w, --watch', 'show it again every 2 s')
    .option('--exit-status', 'exit 3 unless the passes are healthy')
    .action(
      runs(async (options) => {
        const [{ status }, { statusDeps }] = await Promise.all([
          import('../commands/status.ts'),
          import('../deps/status.ts'),
        ]);
        return status(statusDeps(world, options), options);
      }),
    );
  program
    .command('explain')
    .description('why each issue was chosen or passed over in the last pass')
    .option('--issue <number>', 'the whole story of this issue', issueNumber)
    .option('--repo <owner/name>', 'the repository of --issue')
    .option('--agent <login>', 'only this agent')
    .option('--json', 'the rows of the last pass as JSON')
    .action(
      runs(async (options) => {
        const [{ explain }, { explainDeps }] = await Promise.all([
          import('../commands/explain.ts'),
          import('../deps/status.ts'),
        ]);
        return explain(explainDeps(world, options), options);
      }),
    );
  program
    .command('dashboard')
    .description('a read-only web page of the same, live; reads local files only')
    .option('--host <address>', 'the address to listen on (default: dashboard.host, or 127.0.0.1)')
    .option('--port <number>', 'the port (default: dashboard.port, or 8098); 0 for any', portNumber)
    .action(
      runs(async (options) => {
        const [{ dashboard }, { dashboardDeps }] = await Promise.all([
          import('../commands/dashboard.ts'),
          import('../deps/dashboard.ts'),
        ]);
        return dashboard(dashboardDeps(world, options), options);
      }),
    );
}

// Those that set it up, and keep it so.
function addCare(program: Command, world: World, runs: Runner): void {
  program
    .command('doctor')
    .description('checks everything that a pass needs; each failure ends with what to type')
    .option('--json', 'one JSON document (schemaVersion 1)')
    .action(
      runs(async (options) => {
        const [{ doctor }, { doctorDeps }] = await Promise.all([
          import('../commands/doctor.ts'),
          import('../deps/doctor.ts'),
        ]);
        return doctor(doctorDeps(world, options), options);
      }),
    );
}

function addSystemd(program: Command, world: World, runs: Runner): void {
  const group = program
    .command('systemd')
    .description('units that run a pass every minute, with the paths of this installation and configuration');
  const acts = {
    print: ['print them, write nothing', 'printUnits'],
    install: ['write them, and have systemd read them', 'installUnits'],
    uninstall: ['stop and remove them; says what stays', 'uninstallUnits'],
  } as const;
  for (const [name, [description, act]] of Object.entries(acts)) {
    const command = group
      .command(name)
      .description(description)
      .option('--user', 'for your own user, without root')
      .option('--run-as <account>', 'who the service runs as (default: the owner of the workspace)')
      .option('--directory <folder>', 'write there and call no systemctl, for packages')
      .action(
        runs(async (options) => {
          const [commands, { systemdDeps }] = await Promise.all([
            import('../commands/systemd.ts'),
            import('../deps/systemd.ts'),
          ]);
          return commands[act](systemdDeps(world, options), options);
        }),
      );
    if (name === 'install') command.option('--now', 'start the timer as well');
  }
}

function addOrders(program: Command, world: World, runs: Runner): void {
  program
    .command('pause')
    .description('dispatch nothing, to anybody or to one agent, until resumed')
    .option('--agent <login>', 'only this agent')
    .option('--reason <text>', 'why; status and dashboard show it')
    .option('--for <duration>', 'end by itself after 30m, 2h, ...', durationMs)
    .action(
      runs(async (options) => {
        const [{ pause }, { pauseDeps }] = await Promise.all([
          import('../commands/pause.ts'),
          import('../deps/pause.ts'),
        ]);
        return pause(pauseDeps(world, options), options);
      }),
    );
  program
    .command('resume')
    .description('take back every pause, or that of one agent')
    .option('--agent <login>', 'only this agent')
    .action(
      runs(async (options) => {
        const [{ resume }, { pauseDeps }] = await Promise.all([
          import('../commands/pause.ts'),
          import('../deps/pause.ts'),
        ]);
        return resume(pauseDeps(world, options), options);
      }),
    );
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
