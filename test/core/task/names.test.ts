// Small things: how long, which folder, which file, what a front matter is.

import { describe, expect, test } from 'vitest';
import { elapsedBetween, fromRfc3339, shortDuration } from '../../../src/core/clock.ts';
import { parseFrontMatter, renderFrontMatter } from '../../../src/core/task/front-matter.ts';
import { isReceipt, receiptHead, receiptStart } from '../../../src/core/task/receipt.ts';
import { isSafeFolderName, taskFileName } from '../../../src/core/task/file-name.ts';

test.for([
  [-5000, '0s'],
  [499, '0s'],
  [99_000, '99s'],
  [100_000, '1m'],
  [3_599_000, '59m'],
  [3_600_000, '1h'],
  [86_399_000, '23h'],
  [86_400_000, '1d'],
  [10 * 86_400_000, '10d'],
] as const)('%i ms are told as %s', ([ms, text]) => {
  expect(shortDuration(ms)).toBe(text);
});

test('a text that is no date is none', () => {
  expect(fromRfc3339('never')).toBeUndefined();
  expect(fromRfc3339('1970-01-01T00:00:01Z')).toBe(1000);
});

describe('the time between two readings of the uptime', () => {
  const at = (ms: number, bootId = 'one') => ({ bootId, ms });
  test.for([
    { between: [at(5), at(17)], ms: 2 },
    { between: [at(5), at(5)], ms: 0 },
    { between: [at(5), at(9)], ms: 0 },
    { between: [at(5), at(4)], ms: undefined },
    { between: [at(5), at(7, 'two')], ms: undefined },
    { between: [null, at(7)], ms: undefined },
    { between: [at(5), null], ms: undefined },
  ] as const)('$between: $ms', ({ between: [earlier, later], ms }) => {
    expect(elapsedBetween(earlier, later)).toBe(ms);
  });
});

test.for([
  ['hans', true],
  ['h', true],
  ['a.b-c_1', true],
  ['a'.repeat(100), true],
  ['a'.repeat(101), false],
  ['', false],
  ['Hans', false],
  ['.hans', false],
  ['-hans', false],
  ['hans.', false],
  ['ha ns', false],
  ['hans/..', false],
  ['hans\n', false],
  ['..', false],
] as const)('%j can name a folder: %s', ([name, safe]) => {
  expect(isSafeFolderName(name)).toBe(safe);
});

test('a task file is named by what its pattern asks for', () => {
  const name = (taskFile: string) => taskFileName({ taskFile }, { repository: 'acme/app', number: 5 });
  expect(name('issue-{number}.md')).toBe('issue-5.md');
  expect(name('{owner}/{repo}/{repo}-{number}.{number}.md')).toBe('acme/app/app-5.5.md');
});

describe('a front matter', () => {
  test.for([
    ['---\na: 1\n---\nb: 2\n', { a: 1 }],
    ['---\na: 1\n---', { a: 1 }],
    ['---\n---\n', {}],
    ['---\na: 1\nno JSON: {\nplain\n: 3\n---\n', { a: 1, '': 3 }],
  ] as const)('%j holds what is JSON', ([text, fields]) => {
    expect(Object.fromEntries(parseFrontMatter(text) ?? [])).toEqual(fields);
  });

  test.for(['', 'a: 1', ' ---\na: 1\n---\n', '---\na: 1\n', '---\na: 1\n----\n', 'x\n---\na: 1\n---\n'])(
    '%j is none',
    (text) => {
      expect(parseFrontMatter(text)).toBeUndefined();
    },
  );

  test('escapes what YAML forbids, to four digits', () => {
    expect(renderFrontMatter({ a: '\u007F\u0085\u2028\uFEFF' })).toBe('---\na: "\\u007f\\u0085\\u2028\\ufeff"\n---\n');
  });
});

test('the comment of a receipt is known by its beginning', () => {
  const head = receiptHead('hans', '5ea1');
  expect(head).toBe('<!-- dispatcher:receipt hans 5ea1 -->');
  expect(isReceipt(`${head}\nSent.`)).toBe(true);
  expect(isReceipt(`> ${head}`)).toBe(false);
  // Those without a seal, of earlier versions, are found as well; those of agents with a longer name are not.
  for (const [body, isFound] of [
    [head, true],
    ['<!-- dispatcher:receipt hans -->', true],
    [receiptHead('hansi', '5ea1'), false],
  ] as const)
    expect(body.startsWith(receiptStart('hans'))).toBe(isFound);
});
