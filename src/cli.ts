// Commands, options and help; every error is printed here. A command's own code is loaded when it is asked for.

import { Command, CommanderError, InvalidArgumentError } from 'commander';
import type { DispatchDeps } from './commands/dispatch-deps.ts';
import { EXIT, type ExitCode, hintOf, messageOf, UserError } from './core/errors.ts';
import { cleanLine } from './core/untrusted.ts';
import type { GlobalOptions, World } from './deps.ts';
import { isJournal } from './io/log.ts';
import { examples, EXIT_CODES } from './views/help.ts';

interface DispatchOptions {
  readonly issue?: number;
  readonly repo?: string;
  readonly agent?: string;
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

/** Runs one command line and answers its exit code. Never throws, never exits. */
export async function run(argv: readonly string[], world: World): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok;
  const program = createProgram(world, (code) => (exitCode = code));
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!world.interrupted.aborted) exitCode = report(error, world, argv.includes('-v') || argv.includes('--verbose'));
  }
  if (world.interrupted.aborted) {
    world.stderr.write('dispatcher: interrupted\n');
    return EXIT.interrupted;
  }
  return exitCode;
}

function createProgram(world: World, finish: (code: ExitCode) => void): Command {
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
  program
    .command('dispatch', { isDefault: true })
    .description('one pass: poll, choose the most urgent issue, write its task file (what the timer runs)')
    .option('--issue <number>', 'dispatch this issue now, out of turn', positiveNumber)
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
  program
    .command('status')
    .description('what is dispatched, waiting and next for each agent; reads local files only')
    .option('--agent <login>', 'only this agent')
    .option('--json', 'one JSON document (schemaVersion 1)')
    .option('-w, --watch', 'show it again every 2 s')
    .option('--exit-status', 'exit 3 unless the passes are healthy')
    .action(async (_options: unknown, command: Command) => {
      const [{ status }, { statusDeps }] = await Promise.all([import('./commands/status.ts'), import('./deps.ts')]);
      finish(await status(statusDeps(world, command.optsWithGlobals()), command.optsWithGlobals()));
    });
  program
    .command('pause')
    .description('dispatch nothing, to anybody or to one agent, until resumed')
    .option('--agent <login>', 'only this agent')
    .option('--reason <text>', 'why; status and dashboard show it')
    .option('--for <duration>', 'end by itself after 30m, 2h, ...', durationOf)
    .action(async (_options: unknown, command: Command) => {
      const [{ pause }, { pauseDeps }] = await Promise.all([import('./commands/pause.ts'), import('./deps.ts')]);
      finish(await pause(pauseDeps(world, command.optsWithGlobals()), command.optsWithGlobals()));
    });
  program
    .command('resume')
    .description('take back every pause, or that of one agent')
    .option('--agent <login>', 'only this agent')
    .action(async (_options: unknown, command: Command) => {
      const [{ resume }, { pauseDeps }] = await Promise.all([import('./commands/pause.ts'), import('./deps.ts')]);
      finish(await resume(pauseDeps(world, command.optsWithGlobals()), command.optsWithGlobals()));
    });
  program
    .command('dashboard')
    .description('a read-only web page of the same, live; reads local files only')
    .option('--host <address>', 'the address to listen on (default: dashboard.host, or 127.0.0.1)')
    .option('--port <number>', 'the port (default: dashboard.port, or 8098); 0 for any', portNumber)
    .action(async (_options: unknown, command: Command) => {
      const [{ dashboard }, { dashboardDeps }] = await Promise.all([
        import('./commands/dashboard.ts'),
        import('./deps.ts'),
      ]);
      finish(await dashboard(dashboardDeps(world, command.optsWithGlobals()), command.optsWithGlobals()));
    });
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({ writeOut: world.stdout.write, writeErr: world.stderr.write });
  }
  return program;
}

async function dispatchCommand(world: World, globals: GlobalOptions, options: DispatchOptions): Promise<ExitCode> {
  const { issue, repo, agent, force = false, dryRun = false } = options;
  if (issue === undefined) {
    const needless = [repo && '--repo', agent && '--agent', force && '--force'].find(Boolean);
    if (needless) {
      throw new UserError(`${needless} needs --issue`, {
        exitCode: EXIT.usage,
        code: 'usage',
        hint: 'dispatcher dispatch --issue 5 ...',
      });
    }
  }
  const { dispatchDeps } = await import('./deps.ts');
  const deps = dispatchDeps(world, globals);
  if (issue === undefined)
    return dryRun ? runDry(world, deps) : (await import('./commands/dispatch.ts')).dispatch(deps);
  const override = { number: issue, repository: repo ?? null, agent: agent ?? null, force };
  if (dryRun) return (await import('./commands/dry-run.ts')).dryRunIssue(deps, override);
  return (await import('./commands/dispatch-issue.ts')).dispatchIssue(deps, override);
}

async function runDry(world: World, deps: DispatchDeps): Promise<ExitCode> {
  const { dryRun } = await import('./commands/dry-run.ts');
  const { terminalWidth } = await import('./views/terminal.ts');
  return dryRun(deps, terminalWidth(world));
}

// A bare word lands at the default command.
async function unknownCommand(word: string, program: Command): Promise<UserError> {
  const { closest } = await import('fastest-levenshtein');
  const names = program.commands.map((command) => command.name());
  return new UserError(`unknown command or argument: ${cleanLine(word, 60)}`, {
    exitCode: EXIT.usage,
    code: 'usage',
    hint: `did you mean: dispatcher ${closest(word, names)}`,
  });
}

function report(error: unknown, world: World, verbose: boolean): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage; // it has printed already
  const known = error instanceof UserError;
  const hint = hintOf(error);
  const lines = [
    `dispatcher: ${messageOf(error)}`,
    ...(hint === null ? [] : [`  fix: ${hint}`]),
    ...(known || hint !== null
      ? []
      : [`  this is unexpected (dispatcher ${world.version}, node ${process.versions.node}); with -v it says more`]),
    ...(verbose && error instanceof Error
      ? [error.stack ?? '', ...(error.cause ? [`cause: ${messageOf(error.cause)}`] : [])]
      : []),
  ];
  const prefix = isJournal(world.stderr.fd, world.environment) ? '<3>' : '';
  for (const line of lines.join('\n').split('\n')) world.stderr.write(`${prefix}${line}\n`);
  return known ? error.exitCode : EXIT.failure;
}

function positiveNumber(text: string): number {
  const number = Number(text.replace(/^#/u, ''));
  if (!Number.isSafeInteger(number) || number < 1)
    throw new InvalidArgumentError('It must be the number of an issue, such as 5.');
  return number;
}

function durationOf(text: string): number {
  const [, count, unit = ''] = /^(\d+)\s*([smhd])$/u.exec(text) ?? [];
  const ms = Number(count) * ({ s: 1, m: 60, h: 3600, d: 86_400 }[unit] ?? 0) * 1000;
  if (!(ms > 0)) throw new InvalidArgumentError('It must be a time such as 30m, 2h or 3d.');
  return ms;
}

function portNumber(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 0 || number > 65_535)
    throw new InvalidArgumentError('It must be a port, such as 8098.');
  return number;
}

function oneOf(words: readonly string[]): (text: string) => string {
  return (text) => {
    if (!words.includes(text)) throw new InvalidArgumentError(`It must be one of ${words.join(', ')}.`);
    return text;
  };
}
