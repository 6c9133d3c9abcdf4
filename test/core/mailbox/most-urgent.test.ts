// The tasks of a mailbox in the order of their urgency, against the straightforward way: read all files, sort.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { indexText, type IndexedHead, parseIndex } from '../../../src/core/mailbox/head-index.ts';
import { type IndexedRows, mostUrgentFirst } from '../../../src/core/mailbox/most-urgent.ts';
import { taskNames } from '../../../src/core/mailbox/settings.ts';
import { byUrgency, type HeadFacts, type Sighting, sightingOf } from '../../../src/core/mailbox/urgency.ts';

const names = taskNames({ taskFile: '{owner}/{repo}/issue-{number}.md' });
const sighted = (path: string, facts: HeadFacts): Sighting | null => {
  const task = sightingOf(path, facts, names);
  return task?.stage === 'new' ? task : null;
};

/** A file, and what the index says of it: `untold` is not in it. */
interface Given {
  readonly path: string;
  /** Null: it went while it was looked for. */
  readonly now: HeadFacts | null;
  readonly told: HeadFacts | 'untold';
}

// Few values, so that many are equals. Some are no tasks, and some lie where somebody put them.
const facts = (path: string): fc.Arbitrary<HeadFacts> =>
  fc.record({
    isTask: fc.boolean(),
    ref: fc.constant(`acme/app#${/\d+/u.exec(path)?.[0] ?? 0}`),
    rank: fc.integer({ min: 0, max: 3 }),
    createdAt: fc.integer({ min: 0, max: 2 }),
  });
const given = (path: string): fc.Arbitrary<Given> =>
  fc.record({
    path: fc.constant(path),
    now: fc.option(facts(path), { freq: 5 }),
    told: fc.oneof(facts(path), fc.constant<'untold'>('untold')),
  });
const PATHS = ['acme/app/', 'acme/web/', 'acme/', '', 'mine/'].flatMap((folder) =>
  [1, 2, 3, 4, 10].map((number) => `${folder}issue-${number}.md`),
);
const mailbox = fc.subarray(PATHS).chain((paths) => fc.tuple(...paths.map((path) => given(path))));

interface Found {
  readonly order: readonly Sighting[];
  readonly asked: readonly string[];
}

// As from disk: rows through the text of an index, whose folders are those of the paths.
function found(files: readonly Given[]): Found {
  const folders = new Map<string, [string, IndexedHead][]>();
  for (const { path, told } of files) {
    const prefix = path.slice(0, path.lastIndexOf('/') + 1);
    if (told === 'untold') continue;
    folders.set(prefix, [...(folders.get(prefix) ?? []), [path.slice(prefix.length), { stamp: '1:2:3', facts: told }]]);
  }
  const indexed = [...parseIndex(indexText(folders))].map(([prefix, folder]): IndexedRows => ({
    prefix,
    folder,
    passed: new Set(),
  }));
  const read = new Map(
    files.flatMap(({ path, now, told }) => (told === 'untold' && now ? [[path, { facts: now }] as const] : [])),
  );
  const asked: string[] = [];
  const readAgain = (path: string): HeadFacts | null => {
    asked.push(path);
    return files.find((file) => file.path === path)?.now ?? null;
  };
  return { order: [...mostUrgentFirst({ indexed, read }, { sighted, readAgain })], asked };
}

const truth = (files: readonly Given[]): readonly Sighting[] =>
  files.flatMap(({ path, now }) => (now && sighted(path, now)) ?? []).toSorted(byUrgency);

const isWanted = (path: string, head: HeadFacts | 'untold' | null): boolean =>
  head !== null && head !== 'untold' && sighted(path, head) !== null;

test('is the order of what the files say, where they say what the index does, or something less urgent by now', () => {
  const notMoreUrgent = mailbox.map((files) =>
    files.map((file): Given => {
      const { path, now, told } = file;
      if (now === null || told === 'untold') return file;
      const isLess = told.rank - now.rank || told.createdAt - now.createdAt;
      return isLess <= 0 && isWanted(path, told) === isWanted(path, now) ? file : { ...file, told: now };
    }),
  );
  fc.assert(
    fc.property(notMoreUrgent, (files) => {
      const { order, asked } = found(files);
      const right = truth(files);
      expect(order.map((task) => [task.rank, task.createdAt, task.home])).toEqual(
        right.map((task) => [task.rank, task.createdAt, task.home]),
      );
      expect(new Set(order)).toEqual(new Set(right));
      expect(new Set(asked).size).toBe(asked.length);
    }),
    { numRuns: 500 },
  );
});

test('whatever the index says, each is offered once, as its file says, if the index says that it is one at all', () => {
  fc.assert(
    fc.property(mailbox, (files) => {
      const right = truth(files.filter(({ path, told }) => told === 'untold' || isWanted(path, told)));
      expect(found(files).order.toSorted((a, b) => byUrgency(a, b) || (a.path < b.path ? -1 : 1))).toEqual(
        right.toSorted((a, b) => byUrgency(a, b) || (a.path < b.path ? -1 : 1)),
      );
    }),
    { numRuns: 500 },
  );
});

test('of ten thousand in the index one is read for the first one', () => {
  const heads = Array.from({ length: 10_000 }, (_, number): [string, IndexedHead] => [
    `issue-${number}.md`,
    { stamp: '', facts: { isTask: true, ref: `acme/app#${number}`, rank: number % 4, createdAt: 20_000 - number } },
  ]);
  const folder = parseIndex(indexText(new Map([['acme/app/', heads]]))).get('acme/app/');
  const asked: string[] = [];
  const readAgain = (path: string): HeadFacts | null => {
    asked.push(path);
    return heads.find(([name]) => path === `acme/app/${name}`)?.[1].facts ?? null;
  };
  const indexed = folder === undefined ? [] : [{ prefix: 'acme/app/', folder, passed: new Set<string>() }];
  const [first] = mostUrgentFirst({ indexed, read: new Map() }, { sighted, readAgain });
  expect(first?.path).toBe('acme/app/issue-9996.md');
  expect(asked).toEqual(['acme/app/issue-9996.md']);
});
