import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { HistoryEvent } from '../../src/core/history/event.ts';
import type { Past } from '../../src/core/history/past.ts';
import { appendHistory, openHistory, readMemory } from '../../src/io/state/history.ts';
import { followPast, readHistory, readPast } from '../../src/io/state/past.ts';
import { openJournal } from '../../src/io/state/journal.ts';
import { aDispatchRecord, iso, MINUTE, NOON } from '../support/builders.ts';
import { aDispatched, anOfficeHistory, pastOf, writeHistory } from '../support/history.ts';

const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
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
const kinds = (folder: string): readonly string[] => readHistory(folder).map(({ event }) => event);
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

describe('a reader that stays', () => {
  /** Twelve days of three agents, in files, and what a reader that stays says of them. */
  function twelveDays() {
    const folder = stateFolder();
    const events = anOfficeHistory({ days: 12, agents: 3, from: NOON - 12 * DAY });
    writeHistory(folder, events);
    const read = followPast(folder);
    const append = (...more: HistoryEvent[]): void => appendHistory(folder, more);
    /** What it says is what one says that has just come. */
    const check = (): Past => {
      expect(read()).toEqual(readPast(folder));
      return read();
    };
    const fileOf = (day: number): string => join(folder, 'history', `${iso(NOON - day * DAY).slice(0, 10)}.jsonl`);
    return { folder, events, read, append, check, fileOf };
  }
  const newTask = (hours: number): HistoryEvent => aDispatched({ at: NOON + hours * HOUR, key: `new-${hours}:hans` });

  test('answers the same as long as nothing changed, and all that the events tell', () => {
    const { read, events } = twelveDays();
    const before = read();
    expect(read()).toBe(before);
    expect(before).toEqual(pastOf(events));
  });

  test('sees a new event at once, today and on the days after, and leaves what it answered before as it was', () => {
    const { append, check, read } = twelveDays();
    const before = structuredClone(read());
    const held = read();
    for (let hours = 1; hours < 24 * 10; hours += 7) {
      append(newTask(hours));
      expect(check().runs.at(-1)?.key).toBe(`new-${hours}:hans`);
    }
    expect(held).toEqual(before);
  });

  test('a task of long ago that moves now is another one in the new answer alone', () => {
    const { append, check, read } = twelveDays();
    const held = read();
    const index = held.runs.findIndex(({ to }) => to === null);
    const open = held.runs[index];
    if (!open) throw new Error('in this history no task is open');
    append({ at: NOON + HOUR, event: 'done', key: open.key, ref: open.ref, agent: open.agent });
    expect(check().runs[index]).toMatchObject({ key: open.key, ending: 'done', to: NOON + HOUR });
    expect(open.ending).toBe(null);
    expect(held.runs[index]).toBe(open);
  });

  test.for([0, 1, 5, 10])('sees that the file of %d days ago was written anew, in its place or by another', (day) => {
    const { check, fileOf, append } = twelveDays();
    const before = check();
    const lines = readFileSync(fileOf(day), 'utf8').split('\n');
    writeFileSync(fileOf(day), lines.slice(3).join('\n'));
    const shorter = check();
    expect(shorter).not.toEqual(before);
    writeFileSync(`${fileOf(day)}.new`, lines.join('\n'));
    renameSync(`${fileOf(day)}.new`, fileOf(day));
    expect(check()).toEqual(before);
    append(newTask(1));
    expect(check().runs).toHaveLength(before.runs.length + 1);
  });

  test('sees that old days went, that one came in between, and that all are gone', () => {
    const { check, fileOf, folder, append } = twelveDays();
    check();
    rmSync(fileOf(11));
    rmSync(fileOf(10));
    check();
    const text = readFileSync(fileOf(6), 'utf8');
    rmSync(fileOf(6));
    check();
    append(newTask(2));
    writeFileSync(fileOf(6), text);
    expect(check().runs.at(-1)?.key).toBe('new-2:hans');
    rmSync(join(folder, 'history'), { recursive: true });
    expect(check()).toMatchObject({ since: null, runs: [], samples: [] });
  });

  test('days in the future, of a clock that was ahead, hide none of today', () => {
    const { check, append } = twelveDays();
    for (const year of [1, 2, 3]) append(aDispatched({ at: NOON + year * 365 * DAY, key: `${year}:hans` }));
    check();
    for (let hours = 1; hours < 24 * 9; hours += 11) {
      append(newTask(hours));
      expect(check().runs.at(-4)?.key).toBe(`new-${hours}:hans`);
    }
  });
});

test('the events of a day come in the order of time, whoever wrote them; what stands in the file of another day is none', () => {
  const folder = stateFolder();
  mkdirSync(join(folder, 'history'));
  appendHistory(folder, [
    { at: NOON + HOUR, event: 'failed', code: 'late' },
    { at: NOON, event: 'failed', code: 'early' },
  ]);
  appendFileSync(join(folder, 'history/2026-04-09.jsonl'), '{"at":"2026-04-08T23:59:59.999Z","event":"failed"}\n');
  expect(readPast(folder)).toMatchObject({ since: NOON, passes: [{ code: 'early' }, { code: 'late' }] });
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
