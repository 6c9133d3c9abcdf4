import type { Command, OptionValues } from 'commander';
import type { ExitCode } from '../core/errors.ts';

/** Runs a command's code and hands its exit code on. */
export type Runner = (
  act: (options: OptionValues) => Promise<ExitCode>,
) => (options: unknown, command: Command) => Promise<void>;

/** A command and all below it. */
export function everyCommand(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap((each) => everyCommand(each))];
}
