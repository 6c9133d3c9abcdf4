// A command line in, an exit code out; every error is printed here. Commands and options: cli/program.ts.

import { CommanderError } from 'commander';
import { createProgram } from './cli/program.ts';
import { EXIT, type ExitCode, exitCodeOf, hintOf, messageOf, UserError } from './core/errors.ts';
import { remedyFor } from './core/remedy.ts';
import { visibleText } from './core/task/untrusted.ts';
import type { GlobalOptions, World } from './deps/world.ts';
import { isJournal } from './io/log.ts';

/** Runs one command line and answers its exit code. Never throws, never exits. */
export async function run(argv: readonly string[], world: World): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok;
  const program = createProgram(world, (code) => (exitCode = code), argv);
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!world.interrupted.aborted) {
      const verbose = argv.includes('-v') || argv.includes('--verbose');
      exitCode = report(error, world, { ...program.opts<GlobalOptions>(), verbose });
    }
  }
  if (world.interrupted.aborted) {
    world.stderr.write('dispatcher: interrupted\n');
    return EXIT.interrupted;
  }
  return exitCode;
}

function report(error: unknown, world: World, { config, verbose }: GlobalOptions): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage; // it has printed already
  const known = error instanceof UserError;
  const hint = hintOf(error);
  const lines = [
    `dispatcher: ${messageOf(error)}`,
    ...(hint === null ? [] : [`  fix: ${remedyFor(hint, { named: config ?? null, forRoot: null })}`]),
    ...(known || hint !== null
      ? []
      : [`  this is unexpected (dispatcher ${world.version}, node ${process.versions.node}); with -v it says more`]),
    ...(verbose && error instanceof Error
      ? [error.stack ?? '', ...(error.cause ? [`cause: ${messageOf(error.cause)}`] : [])]
      : []),
  ];
  const prefix = isJournal(world.stderr.fd, world.environment) ? '<3>' : '';
  for (const line of lines.join('\n').split('\n')) world.stderr.write(`${prefix}${visibleText(line)}\n`);
  return exitCodeOf(error);
}
