// Remedies are written where something fails, which does not know how the command was called. Typed as they stand they would be for
// the configuration that is found without being named: another office, to whose server a token would go.

import { shellWord } from './shell-word.ts';

const COMMAND =
  /(?<![\w./-])(sudo )?dispatcher(?= (?:doctor|init|token|systemd|dispatch|status|resume|pause|explain|report|dashboard|store|next|done|block|release)\b)/gu;

export interface Configurations {
  /** The configuration as it was named; null: it is found without. */
  readonly named: string | null;
  /** The file that is used, where root, in a home folder and an environment of its own, would not find it; else null. */
  readonly forRoot: string | null;
}

/** A remedy whose commands are for the configuration that is used now. */
export function remedyFor(text: string, { named, forRoot }: Configurations): string {
  if (text === 'dispatcher') return named === null ? text : `dispatcher --config ${shellWord(named)}`;
  return text.replaceAll(COMMAND, (command, sudo: string | undefined) => {
    const config = named ?? (sudo === undefined ? null : forRoot);
    return config === null ? command : `${command} --config ${shellWord(config)}`;
  });
}
