import { Chalk, type ChalkInstance } from 'chalk';

interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly isTTY: boolean;
  /** `auto`, `always` or `never`, from the command line. */
  readonly wanted: string | undefined;
}

/** Colours for one stream. Decided here once: chalk by itself does not honour `NO_COLOR`. */
export function paletteFor({ environment, isTTY, wanted }: Surroundings): ChalkInstance {
  return new Chalk({ level: isColoured({ environment, isTTY, wanted }) ? 1 : 0 });
}

function isColoured({ environment, isTTY, wanted }: Surroundings): boolean {
  if (wanted === 'always') return true;
  if (wanted === 'never') return false;
  if (environment['NO_COLOR']) return false;
  if (environment['FORCE_COLOR'] || environment['CLICOLOR_FORCE']) return environment['FORCE_COLOR'] !== '0';
  return isTTY && environment['TERM'] !== 'dumb';
}

/** Whether the terminal's character set is UTF-8, as the locale says. */
export function isUnicode(environment: Readonly<Record<string, string | undefined>>): boolean {
  const locale = environment['LC_ALL'] || environment['LC_CTYPE'] || environment['LANG'] || '';
  return /utf-?8/iu.test(locale);
}
