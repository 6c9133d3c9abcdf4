import { expect, test } from 'vitest';
import { indexText, type IndexedHead, parseIndex } from '../../../src/core/mailbox/head-index.ts';

const head = (rank: number, createdAt: number, ref = 'acme/app#1'): IndexedHead => ({
  stamp: '12:34:56.75',
  facts: { isTask: true, ref, rank, createdAt },
});
const FOLDERS = new Map<string, [string, IndexedHead][]>([
  [
    '',
    [
      ['issue-1.md', head(2, 5)],
      ['issue-2.md', head(0, 9)],
      ['issue-3.md', head(2, 4, '')],
      ['a\tb.md', head(3, 0, 'acme/app\t#1')],
    ],
  ],
  ['acme/app/', [['größe-1.md', head(1, 1)]]],
]);

/** All that an index says. */
const said = (text: string): unknown =>
  [...parseIndex(text)].map(([folder, { names, at }]) => [folder, names.map((name, position) => [name, at(position)])]);

test('says what was written, the most urgent first', () => {
  expect(said(indexText(FOLDERS))).toEqual([
    [
      '',
      [
        ['issue-2.md', head(0, 9)],
        ['issue-3.md', head(2, 4, '')],
        ['issue-1.md', head(2, 5)],
        ['a\tb.md', head(3, 0, 'acme/app\t#1')],
      ],
    ],
    ['acme/app/', [['größe-1.md', head(1, 1)]]],
  ]);
});

test('what no line can hold is left out, and a folder that is empty without it', () => {
  const text = indexText(
    new Map([
      ['', [['issue-1.md', head(1, 1)] as const, ['issue-2.md', head(1, 1, 'acme\n/app#2')] as const]],
      ['a\nb/', [['issue-3.md', head(1, 1)] as const]],
      ['c/', [['x\ny.md', head(1, 1)] as const]],
    ]),
  );
  expect(said(text)).toEqual([['', [['issue-1.md', head(1, 1)]]]]);
});

test('cut off anywhere it says nothing, or what it would have said of the folders that are whole', () => {
  const text = indexText(FOLDERS);
  const whole = JSON.stringify(said(text));
  for (let length = 0; length < text.length; length += 1) {
    const left = JSON.stringify(said(text.slice(0, length)));
    expect(left === '[]' || whole.startsWith(left.slice(0, -1)), `cut off after ${length}`).toBe(true);
  }
});

test('of another kind it says nothing; a row of nonsense says nothing of its file', () => {
  expect(said('')).toEqual([]);
  expect(said('dispatcher.index/1\nissue-1.md\t1:2:3\t1\t0\t0\tacme/app#1\n')).toEqual([]);
  expect(said(indexText(FOLDERS).replaceAll('./', '../'))).toEqual([]);
  const rows = ['1:2:3\t1\tNaN\t1\t#', '1:2:3\t1\t0', 'x', '1:2:3\t0\t1e99\t0\tx'];
  const text = ['dispatcher.index/2', './', 'a.md\nb.md\nc.md\nd.md', rows.join('\n')]
    .map((part) => `${part}\n\n`)
    .join('');
  const nothing = [['', ['a.md', 'b.md', 'c.md', 'd.md'].map((name) => [name, undefined])]];
  expect(said(text)).toEqual(nothing);
  expect(said(text.replace('x\n', ''))).toEqual(nothing);
  // An empty row ends a part: what comes then is no folder.
  expect(said(text.replace('x\n', '\n'))).toEqual([]);
});

test('of many files, each has its own row', () => {
  const heads = Array.from({ length: 1000 }, (_, number): [string, IndexedHead] => [
    `issue-${number}.md`,
    head(0, number),
  ]);
  for (const count of [127, 128, 129, 256, 1000]) {
    const index = parseIndex(
      indexText(
        new Map([
          ['', heads.slice(0, count)],
          ['b/', heads.slice(0, 3)],
        ]),
      ),
    );
    const { names, at } = index.get('') ?? { names: [], at: () => undefined };
    expect(names.map((name, position) => [name, at(position)])).toEqual(heads.slice(0, count));
    expect(at(count)).toBeUndefined();
    expect(index.get('b/')?.at(2)).toEqual(head(0, 2));
  }
});
