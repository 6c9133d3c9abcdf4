// Shell completion: a few lines of shell ask the hidden command __complete for every word. What it offers comes from the
// commands themselves and from local files. (Generators that were looked at evaluate words in the shell.)

import { Argument, type Command, type Option } from 'commander';
import { EXIT } from '../core/errors.ts';
import { cleanLine } from '../core/task/untrusted.ts';
import { type GlobalOptions, packaged, type World } from '../deps/world.ts';
import { TOPICS } from '../views/help.ts';
import type { Runner } from './runner.ts';

const SHELLS = ['bash', 'zsh', 'fish'];

interface Offer {
  readonly value: string;
  readonly description: string;
}

/** Names and numbers that only the local files know. */
interface LocalWords {
  readonly agents: () => readonly Offer[];
  readonly repositories: () => readonly Offer[];
  readonly issues: () => readonly Offer[];
}

/** `completion`, and what its scripts ask. */
export function addCompletion(program: Command, world: World, runs: Runner): void {
  const command = program
    .command('completion')
    .description('the script that completes commands, options, agents, repositories and issues')
    .addArgument(new Argument('<shell>').choices(SHELLS));
  command.action(async (shell: string, options: unknown) =>
    runs(async () => {
      const { readFileSync } = await import('node:fs');
      world.stdout.write(readFileSync(packaged(`deploy/completions/dispatcher.${shell}`), 'utf8'));
      return EXIT.ok;
    })(options, command),
  );
  program
    .command('__complete', { hidden: true })
    .argument('[words...]')
    .allowUnknownOption()
    .action(async (words: readonly string[], options: GlobalOptions) => {
      const local = await localWords(world, { ...options, ...configOf(words) });
      for (const { value, description } of offers(program, words, local)) {
        world.stdout.write(description === '' ? `${value}\n` : `${value}\t${description}\n`);
      }
    });
}

/** What may stand in place of the last word. */
function offers(program: Command, words: readonly string[], local: LocalWords): readonly Offer[] {
  const typed = words.at(-1) ?? '';
  const before = words.slice(0, -1).filter((word) => word !== '=');
  const { command, awaiting, rest } = walk(program, before);
  const [, option = '', value] = /^(--[a-z-]+)=(.*)$/u.exec(typed) ?? [];
  if (value !== undefined) {
    const found = optionNamed(program, command, option);
    return found ? valuesOf(found, local).map((offer) => ({ ...offer, value: `${option}=${offer.value}` })) : [];
  }
  const all = awaiting
    ? valuesOf(awaiting, local)
    : typed.startsWith('-')
      ? optionsOf(program, command)
      : wordsOf(command, rest);
  return all.filter(({ value }) => value.startsWith(typed) && PLAIN.test(value));
}

// An agent may write into its task files what it likes, and bash puts the word on the command line as it is.
const PLAIN = /^[A-Za-z0-9._/-]+$/u;

interface Walked {
  readonly command: Command;
  /** The option whose value comes next. */
  readonly awaiting: Option | undefined;
  /** Words behind the command that are neither options nor their values. */
  readonly rest: number;
}

function walk(program: Command, words: readonly string[]): Walked {
  let walked: Walked = { command: program, awaiting: undefined, rest: 0 };
  for (const word of words) {
    const { command, awaiting, rest } = walked;
    if (awaiting) walked = { command, awaiting: undefined, rest };
    else if (word.startsWith('-')) {
      const option = optionNamed(program, command, word);
      walked = { command, awaiting: option?.required ? option : undefined, rest };
    } else {
      const next = command.commands.find((each) => each.name() === word);
      walked = next
        ? { command: next, awaiting: undefined, rest: 0 }
        : { command, awaiting: undefined, rest: rest + 1 };
    }
  }
  return walked;
}

function optionNamed(program: Command, command: Command, name: string): Option | undefined {
  return [...command.options, ...program.options].find(({ long, short }) => name === long || name === short);
}

function optionsOf(program: Command, command: Command): readonly Offer[] {
  const options = command === program ? program.options : [...command.options, ...program.options];
  return [
    ...options.flatMap(({ long, description }) => (long ? [{ value: long, description }] : [])),
    { value: '--help', description: 'display help for command' },
  ];
}

function wordsOf(command: Command, rest: number): readonly Offer[] {
  if (rest > 0) return [];
  const commands = command.createHelp().visibleCommands(command);
  const offered = commands.map((each) => ({ value: each.name(), description: each.description() }));
  if (command.name() === 'completion') return SHELLS.map((value) => ({ value, description: '' }));
  if (command.name() !== 'help') return offered;
  const others = command.parent?.commands.filter((each) => !each.name().startsWith('_')) ?? [];
  return [
    ...others.map((each) => ({ value: each.name(), description: each.description() })),
    ...[...TOPICS.keys()].map((value) => ({ value, description: '' })),
  ];
}

function valuesOf(option: Option, local: LocalWords): readonly Offer[] {
  const plain = (values: readonly string[]): readonly Offer[] => values.map((value) => ({ value, description: '' }));
  const values: Readonly<Record<string, () => readonly Offer[]>> = {
    '--agent': local.agents,
    '--repo': local.repositories,
    '--repository': local.repositories,
    '--issue': local.issues,
    '--color': () => plain(['auto', 'always', 'never']),
    '--for': () => plain(['30m', '2h', '1d']),
    '--since': () => plain(['24h', '7d', '30d']),
  };
  return values[option.long ?? '']?.() ?? [];
}

function configOf(words: readonly string[]): GlobalOptions {
  const index = words.findIndex((word) => word === '-c' || word === '--config');
  const file = words[index + 1];
  return index >= 0 && file ? { config: file } : {};
}

// Without a usable configuration there is simply nothing to offer.
async function localWords(world: World, options: GlobalOptions): Promise<LocalWords> {
  try {
    const [{ statusDeps }, { takeSnapshot }] = await Promise.all([
      import('../deps/status.ts'),
      import('../commands/take-snapshot.ts'),
    ]);
    const deps = statusDeps(world, options);
    const snapshot = takeSnapshot(deps);
    const tasks = snapshot.agents.flatMap((agent) => agent.tasks);
    const named = deps.config.repositories.flatMap(({ owner, name }) => (name === null ? [] : [`${owner}/${name}`]));
    return {
      agents: () => snapshot.agents.map(({ name }) => ({ value: name, description: '' })),
      repositories: () =>
        [...new Set([...named, ...tasks.flatMap((task) => task.repository ?? [])])].map((value) => ({
          value,
          description: '',
        })),
      issues: () =>
        tasks.flatMap(({ state, issue, title, priority }) =>
          issue === null || state === 'dispatched' || state === 'done'
            ? []
            : [{ value: String(issue), description: cleanLine(`${priority ?? ''} ${title ?? ''}`, 60) }],
        ),
    };
  } catch {
    return { agents: () => [], repositories: () => [], issues: () => [] };
  }
}
