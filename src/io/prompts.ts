// Questions on a terminal.

import { confirm, multiselect, password, text } from '@clack/prompts';
import { EXIT, UserError } from '../core/errors.ts';

export interface Choice {
  readonly value: string;
  readonly hint: string;
}

/** Questions to a person. Each throws exit 130 when the person gives up. */
export interface Prompter {
  readonly text: (message: string, suggested?: string) => Promise<string>;
  readonly secret: (message: string) => Promise<string>;
  readonly several: (message: string, choices: readonly Choice[]) => Promise<readonly string[]>;
  readonly confirm: (message: string) => Promise<boolean>;
}

const SHOWN_AT_ONCE = 12;

/** Asks on the terminal that stdin and stdout are. */
export function terminalPrompter(): Prompter {
  return {
    text: async (message, suggested) =>
      answered<string>(
        await text({
          message,
          ...(suggested === undefined ? {} : { initialValue: suggested }),
          validate: (value) => (value?.trim() ? undefined : 'Type something, or Ctrl-C to give up.'),
        }),
      ),
    secret: async (message) => answered<string>(await password({ message })),
    several: async (message, choices) =>
      answered<readonly string[]>(
        await multiselect({
          message: `${message} (space selects, enter goes on)`,
          options: choices.map(({ value, hint }) => ({ value, label: value, hint })),
          required: false,
          maxItems: SHOWN_AT_ONCE,
        }),
      ),
    confirm: async (message) => answered<boolean>(await confirm({ message })),
  };
}

function answered<T>(answer: T | symbol): T {
  if (typeof answer !== 'symbol') return answer;
  throw new UserError('given up; nothing was written', { exitCode: EXIT.interrupted, code: 'interrupted' });
}
