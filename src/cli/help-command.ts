import { Argument, type Command } from 'commander';
import { EXIT, UserError } from '../core/errors.ts';
import { cleanLine } from '../core/task/untrusted.ts';
import type { World } from '../deps/world.ts';
import { TOPICS } from '../views/help.ts';

/** `help`, for commands and topics. */
export function addHelp(program: Command, world: World): void {
  program
    .helpCommand(false)
    .command('help')
    .description(`help for a command, or for ${[...TOPICS.keys()].join(', ')}`)
    .addArgument(new Argument('[words...]', 'a command or a topic'))
    .action(async (words: readonly string[]) => {
      const [topic = ''] = words;
      const text = await TOPICS.get(topic)?.(async (name) => packagedText(name));
      if (text !== undefined) return world.stdout.write(`${text.trim()}\n`);
      let command = program;
      for (const word of words) command = await commandNamed(command, word);
      command.outputHelp();
    });
}

async function packagedText(name: string): Promise<string> {
  const [{ readFileSync }, { packaged }] = await Promise.all([import('node:fs'), import('../deps/world.ts')]);
  return readFileSync(packaged(name), 'utf8');
}

async function commandNamed(parent: Command, word: string): Promise<Command> {
  const found = parent.commands.find((command) => command.name() === word);
  if (found) return found;
  const { closest } = await import('fastest-levenshtein');
  const names = [...parent.commands.map((command) => command.name()), ...TOPICS.keys()];
  throw new UserError(`there is no help for ${cleanLine(word, 60)}`, {
    exitCode: EXIT.usage,
    code: 'usage',
    hint: `did you mean: dispatcher help ${closest(word, names)}`,
  });
}
