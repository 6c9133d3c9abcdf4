import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { followHistory, openHistory, readMemory } from '../../src/io/state/history.ts';
import { openJournal } from '../../src/io/state/journal.ts';
import { aDispatchRecord, iso, MINUTE, NOON } from '../support/builders.ts';

const DAY = 24 * 60 * MINUTE;
const KEEP = 5 * DAY;

function stateFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dispatcher-history-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}
const days = (folder: string): readonly string[] =>
  readdirSync(join(folder, 'history'))
    .filter((name) => name !== 'memory.json')
    .toSorted();
const kinds = (folder: string): readonly string[] => followHistory(folder)().map(({ event }) => event);
const look = (folder: string, now: number): void =>
  openHistory(folder, KEEP).seen({ now, places: null, waiting: [], pass: null });

test('one file for each day, and old days go by their age', () => {
  const folder = stateFolder();
  for (let minute = 0; minute <= 9 * 24 * 60; minute += 10) look(folder, NOON + minute * MINUTE);
  expect(days(folder)).toEqual([12, 13, 14, 15, 16, 17, 18].map((day) => `2026-04-${day}.jsonl`).slice(1));
});

test('what the old journals tell is read in, once, and no further back than is kept', () => {
  const folder = stateFolder();
  openJournal({ stateDirectory: folder }).append(aDispatchRecord({ at: iso(NOON - 10 * DAY), issueId: 1 }));
  openJournal({ stateDirectory: folder }).append(aDispatchRecord({ at: iso(NOON - 2 * DAY) }));
  openJournal({ stateDirectory: folder }).append(aDispatchRecord({ at: iso(NOON - DAY), issueId: 3 }));
  const archived = { ref: 'acme/app#3', issueId: 3, agent: 'hans', reason: 'closed', from: '/a', to: '/b' } as const;
  openJournal({ stateDirectory: folder }).appendArchived({ ...archived, at: iso(NOON - DAY / 2) });
  look(folder, NOON);
  look(folder, NOON + MINUTE);
  expect(kinds(folder)).toEqual(['dispatched', 'dispatched', 'archived', 'sample']);
  // What is still out is looked for: the first look finds that it is done.
  expect(Object.keys(readMemory(folder).tasks)).toEqual(['1:hans', '2:hans']);
});

test('a dispatch that the journal has already is not told twice', () => {
  const folder = stateFolder();
  const record = aDispatchRecord();
  openJournal({ stateDirectory: folder }).append(record);
  openHistory(folder, KEEP).dispatched(record);
  openHistory(folder, KEEP).dispatched(record);
  expect(kinds(folder)).toEqual(['dispatched']);
});

test('a half-written line spoils only itself', () => {
  const folder = stateFolder();
  look(folder, NOON);
  appendFileSync(join(folder, 'history/2026-04-09.jsonl'), '{"at":"2026-04-09T12:01:00Z","event":"fai');
  look(folder, NOON + 10 * MINUTE);
  expect(kinds(folder)).toEqual(['sample', 'sample']);
});

test('without its memory the history stays, and goes on', () => {
  const folder = stateFolder();
  openJournal({ stateDirectory: folder }).append(aDispatchRecord());
  look(folder, NOON);
  writeFileSync(join(folder, 'history/memory.json'), '{"version":1,');
  look(folder, NOON + 10 * MINUTE);
  rmSync(join(folder, 'history/memory.json'));
  look(folder, NOON + 20 * MINUTE);
  expect(kinds(folder)).toEqual(['dispatched', 'sample', 'sample', 'sample']);
});

test('a link in the place of a day is not followed', () => {
  const folder = stateFolder();
  mkdirSync(join(folder, 'history'));
  symlinkSync(join(folder, 'elsewhere'), join(folder, 'history/2026-04-09.jsonl'));
  expect(() => look(folder, NOON)).toThrow(/ELOOP/u);
  expect(existsSync(join(folder, 'elsewhere'))).toBe(false);
});

test('a reader that stays reads only what changed, and answers the same list when nothing did', () => {
  const folder = stateFolder();
  for (let day = 0; day < 3; day += 1) look(folder, NOON + day * DAY);
  const read = followHistory(folder);
  const before = read();
  expect(read()).toBe(before);
  look(folder, NOON + 3 * DAY);
  expect(read()).toHaveLength(before.length + 1);
  expect(read().slice(0, -1)).toEqual(before);
});

test('what is no history is no error: nothing there, a foreign file, an unreadable line', () => {
  const folder = stateFolder();
  expect(kinds(folder)).toEqual([]);
  look(folder, NOON);
  writeFileSync(join(folder, 'history/notes.txt'), 'hello');
  writeFileSync(join(folder, 'history/2026-04-08.jsonl'), '\u0000\u0001\n[]\nnull\n');
  expect(kinds(folder)).toEqual(['sample']);
  expect(readFileSync(join(folder, 'history/notes.txt'), 'utf8')).toBe('hello');
});
