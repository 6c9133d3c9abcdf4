// Shell completion: a few lines of shell ask the hidden command __complete for every word. What it offers comes from the
// commands themselves and from local files. (Generators that were looked at evaluate words in the shell.)

import { Argument, type Command, type Option } from 'commander';
import { namedRepositories } from '../core/config/patterns.ts';
import { nameOn } from '../core/config/servers.ts';
import { EXIT } from '../core/errors.ts';
import { cleanLine } from '../core/task/untrusted.ts';
import type { AgentOptions } from '../deps/agent.ts';
import { type GlobalOptions, packaged, type World } from '../deps/world.ts';
import { TOPICS } from '../views/help.ts';
import { agentOffers, type Offer, taskOffers } from './complete-tasks.ts';
import type { Runner } from './runner.ts';

const SHELLS = ['bash', 'zsh', 'fish'];

/** Names and numbers that only the local files know. */
interface LocalWords {
  readonly agents: () => readonly Offer[];
  readonly repositories: () => readonly Offer[];
  readonly issues: () => readonly Offer[];
  readonly servers: () => readonly Offer[];
  /** Of the agent whose command it is. */
  readonly tasks: readonly Offer[];
}

/** `completion`, and what its scripts ask. */
export function addCompletion(program: Command, world: World, runs: Runner): void {
  const command = program
    .command('completion')
    .description('the script that completes commands, options, agents, repositories, issues and tasks')
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
      const place = { ...options, ...placeIn(words) };
      const tasks = await taskOffers(world, place, commandForTask(program, words));
      const local = tasks.length > 0 ? { ...NO_WORDS, tasks } : await localWords(world, place);
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
      : [...wordsOf(command, rest), ...(rest === 0 ? local.tasks : [])];
  return all.filter(({ value }) => value.startsWith(typed) && PLAIN.test(value));
}

// An agent may write into its task files what it likes, and bash puts the word on the command line as it is.
const PLAIN = /^(?:[a-z][a-z0-9-]*:)?[A-Za-z0-9._/-]+(?:#\d+)?$/u;

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
    '--server': local.servers,
    '--color': () => plain(['auto', 'always', 'never']),
    '--for': () => plain(['30m', '2h', '1d']),
    '--since': () => plain(['24h', '7d', '30d']),
  };
  return values[option.long ?? '']?.() ?? [];
}

// The command whose first word is typed; empty when it is an option, the value of one, or a later word.
function commandForTask(program: Command, words: readonly string[]): string {
  const { command, awaiting, rest } = walk(
    program,
    words.slice(0, -1).filter((word) => word !== '='),
  );
  return awaiting || rest > 0 || words.at(-1)?.startsWith('-') ? '' : command.name();
}

// What the line says so far of the configuration, the agent and its folder.
function placeIn(words: readonly string[]): AgentOptions {
  const valueOf = (...names: readonly string[]): string | undefined => {
    const index = words.slice(0, -2).findIndex((word) => names.includes(word));
    return index < 0 ? undefined : words[index + 1];
  };
  const [config, agent, tasks] = [valueOf('-c', '--config'), valueOf('--agent'), valueOf('--tasks')];
  return { ...(config && { config }), ...(agent && { agent }), ...(tasks && { tasks }) };
}

// Without a usable configuration there is simply nothing to offer.
async function localWords(world: World, options: AgentOptions): Promise<LocalWords> {
  try {
    const [{ statusDeps }, { takeSnapshot }] = await Promise.all([
      import('../deps/status.ts'),
      import('../commands/take-snapshot.ts'),
    ]);
    const deps = await statusDeps(world, options);
    const snapshot = takeSnapshot(deps);
    const shown = snapshot.agents.flatMap((agent) => agent.tasks);
    const { servers, repositories } = deps.config;
    const seen = shown.flatMap(({ repository, server = null }) =>
      repository === null ? [] : [nameOn(server, repository)],
    );
    return {
      agents: () => snapshot.agents.map(({ name }) => ({ value: name, description: '' })),
      repositories: () =>
        [...new Set([...namedRepositories(repositories), ...seen])].map((value) => ({
          value,
          description: '',
        })),
      servers: () => servers.flatMap(({ name }) => (name === null ? [] : [{ value: name, description: '' }])),
      issues: () =>
        shown.flatMap(({ state, issue, ref, title, priority }) =>
          issue === null || state === 'dispatched' || state === 'done'
            ? []
            : [
                {
                  value: servers.length > 1 ? (ref ?? '') : String(issue),
                  description: cleanLine(`${priority ?? ''} ${title ?? ''}`, 60),
                },
              ],
        ),
      tasks: [],
    };
  } catch {
    const agents = await agentOffers(world, options);
    return { ...NO_WORDS, agents: () => agents };
  }
}

const NO_WORDS: LocalWords = {
  agents: () => [],
  repositories: () => [],
  issues: () => [],
  servers: () => [],
  tasks: [],
};
