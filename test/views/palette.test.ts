import { expect, test } from 'vitest';
import { isUnicode, paletteFor } from '../../src/views/palette.ts';
import { terminalWidth } from '../../src/views/terminal.ts';

const coloured = (environment: Record<string, string>, isTTY = true, wanted?: string): boolean =>
  paletteFor({ environment, isTTY, wanted }).red('x') !== 'x';

test.for<[string, Record<string, string>, boolean, string | undefined, boolean]>([
  ['a terminal', {}, true, undefined, true],
  ['a pipe', {}, false, undefined, false],
  ['NO_COLOR', { NO_COLOR: '1' }, true, undefined, false],
  ['an empty NO_COLOR', { NO_COLOR: '' }, true, undefined, true],
  ['NO_COLOR and FORCE_COLOR', { NO_COLOR: '1', FORCE_COLOR: '1' }, true, undefined, false],
  ['FORCE_COLOR in a pipe', { FORCE_COLOR: '1' }, false, undefined, true],
  ['FORCE_COLOR=0', { FORCE_COLOR: '0' }, true, undefined, false],
  ['a dumb terminal', { TERM: 'dumb' }, true, undefined, false],
  ['--color always in a pipe', { NO_COLOR: '1' }, false, 'always', true],
  ['--color never on a terminal', { FORCE_COLOR: '1' }, true, 'never', false],
])('colour with %s: %j', ([, environment, isTTY, wanted, expected]) => {
  expect(coloured(environment, isTTY, wanted)).toBe(expected);
});

test.for<[Record<string, string>, boolean]>([
  [{ LANG: 'de_DE.UTF-8' }, true],
  [{ LANG: 'C.utf8' }, true],
  [{ LANG: 'de_DE.UTF-8', LC_ALL: 'C' }, false],
  [{}, false],
])('the character set of %j is UTF-8: %s', ([environment, expected]) => {
  expect(isUnicode(environment)).toBe(expected);
});

test.for<[number | undefined, Record<string, string>, number]>([
  [120, { COLUMNS: '60' }, 120],
  [0, { COLUMNS: '60' }, 60],
  [undefined, {}, 80],
])('a terminal of %s columns with %j is %s wide', ([columns, environment, expected]) => {
  expect(terminalWidth({ environment, stdout: { isTTY: true, columns } })).toBe(expected);
});
