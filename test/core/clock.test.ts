import { expect, test } from 'vitest';
import { parseDuration } from '../../src/core/clock.ts';

test.for([
  ['10ms', 10],
  ['1s', 1000],
  ['2 m', 120_000],
  ['10h', 36_000_000],
  ['3650d', 315_360_000_000],
] as const)('%s are %i ms', ([text, ms]) => {
  expect(parseDuration(text)).toBe(ms);
});

test.for(['', '5', '-1s', '1.5h', '1w', '3651d', '9999999999d', '1'.repeat(400) + 's'])('%j is no duration', (text) => {
  expect(parseDuration(text)).toBeUndefined();
});
