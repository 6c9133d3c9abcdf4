// The man pages, made from the same commands, options, examples and topics as the help. deploy.test.ts keeps the files in
// deploy/man true to this.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command, Option } from 'commander';
import { createProgram } from '../../src/cli/program.ts';
import { everyCommand } from '../../src/cli/runner.ts';
import type { World } from '../../src/deps/world.ts';
import { examples, EXIT_CODES, TOPICS } from '../../src/views/help.ts';

const PROGRAM = createProgram(
  { version: '', stdout: { write: () => {} }, stderr: { write: () => {} } } as unknown as World,
  () => {},
);

/** `dispatcher(1)`: commands, options, environment, files, exit codes. */
export async function commandPage(): Promise<string> {
  const commands = everyCommand(PROGRAM).filter((command) => command !== PROGRAM && !command.name().startsWith('_'));
  return page('DISPATCHER', 1, [
    section(
      'NAME',
      `dispatcher \\- ${text('Gitea and Forgejo issues that are assigned to AI agents become task files')}`,
    ),
    section('SYNOPSIS', `.B dispatcher\n[${text('options')}] [${text('command')}]`),
    section('DESCRIPTION', text(`${PROGRAM.description()} One start is one pass; a timer starts one every minute.`)),
    section('EXAMPLES', literal(indented(examples('dispatcher')))),
    section('OPTIONS', PROGRAM.options.map((option) => optionText(option)).join('\n')),
    section('COMMANDS', commands.map((command) => commandText(command)).join('\n')),
    section('ENVIRONMENT', literal(indented((await topic('environment')) ?? ''))),
    section('EXIT STATUS', literal(indented(EXIT_CODES))),
    section('SEE ALSO', '.BR dispatcher-config (5),\n.BR systemd.timer (5)'),
  ]);
}

/** `dispatcher-config(5)`: the annotated configuration. */
export async function configPage(): Promise<string> {
  return page('DISPATCHER-CONFIG', 5, [
    section('NAME', `dispatcher-config \\- ${text("the dispatcher's configuration")}`),
    section('DESCRIPTION', literal((await topic('config')) ?? '')),
    section('SEE ALSO', '.BR dispatcher (1)'),
  ]);
}

async function topic(name: string): Promise<string | undefined> {
  return TOPICS.get(name)?.(async (file) =>
    readFileSync(fileURLToPath(new URL(`../../${file}`, import.meta.url)), 'utf8'),
  );
}

function page(title: string, number: number, sections: readonly string[]): string {
  return `.\\" Made from the help: npx vitest run --config test/vitest.config.ts test/deploy.test.ts -u\n.TH ${title} ${number} "" "agent-dispatcher"\n${sections.join('')}`;
}

function section(title: string, body: string): string {
  return `.SH ${title}\n${body}\n`;
}

function commandText(command: Command): string {
  const names = [command.name()];
  for (let up = command.parent; up && up !== PROGRAM; up = up.parent) names.unshift(up.name());
  const args = command.registeredArguments.map((each) => `<${each.name()}>`);
  const shown = indented(examples(command.name()));
  return [
    `.SS ${text(['dispatcher', ...names, ...args].join(' '))}`,
    text(command.description()),
    ...(shown === '' ? [] : [literal(shown)]),
    ...command.options.map((option) => optionText(option)),
  ].join('\n');
}

function optionText({ flags, description }: Option): string {
  return `.TP\n.B ${text(flags)}\n${text(description)}`;
}

function literal(lines: string): string {
  return `.nf\n${text(lines.trim())}\n.fi`;
}

// Without the heading, which the page has itself, and without the indentation that sets it off in the help.
function indented(lines: string): string {
  return lines
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.replace(/^ {2}/u, ''))
    .join('\n');
}

// Nothing of a text may be taken for a request or an escape.
function text(raw: string): string {
  return raw
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll(/^([.'])/gmu, '\\&$1');
}
