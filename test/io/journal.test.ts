import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { DispatchRecord } from '../../src/core/state/dispatch-record.ts';
import { followDispatches, openJournal, readDispatches } from '../../src/io/state/journal.ts';
import { iso, MINUTE, NOON } from '../support/builders.ts';

const aDispatchRecord = (overrides: Partial<DispatchRecord> = {}): DispatchRecord => ({
  at: iso(NOON),
  ref: 'acme/app#1',
  issueId: 1,
  agent: 'hans',
  title: 'First',
  priority: 'HIGH',
  prioritySource: 'default',
  trigger: 'timer',
  attempt: 1,
  file: '/x.md',
  lifted: [],
  contentHash: 'abc',
  ...overrides,
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'dispatcher-journal-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

test('a follower knows what a reader knows, and what was added since', () => {
  const place = folder();
  const history = followDispatches(place);
  expect(history(NOON)).toEqual({ recent: [], totals: [] });
  for (const agent of ['hans', 'greta', 'hans']) {
    openJournal({ stateDirectory: place }).append(aDispatchRecord({ agent }));
    expect(history(NOON).recent).toEqual(readDispatches(place));
  }
  expect(history(NOON).totals).toEqual([
    { agent: 'hans', priority: 'HIGH', count: 2 },
    { agent: 'greta', priority: 'HIGH', count: 1 },
  ]);
});

test('it keeps the last 500 and all of the last day, which may have 25 hours, and counts all', () => {
  const place = folder();
  const lines = Array.from({ length: 3000 }, (_, index) =>
    JSON.stringify(aDispatchRecord({ at: iso(NOON - index * MINUTE) })),
  );
  writeFileSync(join(place, 'dispatches.jsonl'), `${lines.toReversed().join('\n')}\n`);
  const { recent, totals } = followDispatches(place)(NOON);
  expect(recent).toHaveLength(1500);
  expect(totals).toEqual([{ agent: 'hans', priority: 'HIGH', count: 3000 }]);
});

test('lines that are no entries are left out, and a journal that was replaced is read anew', () => {
  const place = folder();
  openJournal({ stateDirectory: place }).append(aDispatchRecord());
  appendFileSync(join(place, 'dispatches.jsonl'), 'torn\n{"at":1}\n');
  const history = followDispatches(place);
  expect(history(NOON).recent).toHaveLength(1);
  rmSync(join(place, 'dispatches.jsonl'));
  openJournal({ stateDirectory: place }).append(aDispatchRecord({ agent: 'greta' }));
  expect(history(NOON).totals).toEqual([{ agent: 'greta', priority: 'HIGH', count: 1 }]);
});

test('grown it goes on in a new file, which begins with what the old ones add up to', () => {
  const place = folder();
  const journal = openJournal({ stateDirectory: place }, 1000);
  const history = followDispatches(place);
  for (let number = 1; number <= 20; number += 1) {
    journal.append(aDispatchRecord({ at: iso(NOON + number), agent: number % 2 ? 'hans' : 'greta', issueId: number }));
    if (number === 7) expect(history(NOON).totals).toHaveLength(2);
  }
  const names = readdirSync(place).toSorted();
  expect(names.slice(0, 3)).toEqual(['dispatches.jsonl', 'dispatches.jsonl.1', 'dispatches.jsonl.2']);
  const kept = names.flatMap((name) => readFileSync(join(place, name), 'utf8').split('\n'));
  expect(kept.filter((line) => line.includes('"issueId"'))).toHaveLength(20);
  const ten = [
    { agent: 'hans', priority: 'HIGH', count: 10 },
    { agent: 'greta', priority: 'HIGH', count: 10 },
  ];
  expect(history(NOON).totals).toEqual(ten);
  expect(followDispatches(place)(NOON).totals).toEqual(ten);
  expect(journal.read().at(-1)).toMatchObject({ issueId: 20 });
});

test('a follower that begins after a new file was begun knows what a reader knows', () => {
  const place = folder();
  const journal = openJournal({ stateDirectory: place }, 1000);
  for (let number = 1; number <= 8; number += 1) journal.append(aDispatchRecord({ at: iso(NOON + number) }));
  expect(followDispatches(place)(NOON).recent).toEqual(readDispatches(place));
  expect(followDispatches(place, { needs: 'totals' })(NOON).totals).toEqual([
    { agent: 'hans', priority: 'HIGH', count: 8 },
  ]);
});

test('of however many agents, a new file tells its followers what the old ones add up to', () => {
  const place = folder();
  const journal = openJournal({ stateDirectory: place }, 1000);
  const history = followDispatches(place);
  const line = (index: number): string => JSON.stringify(aDispatchRecord({ agent: `agent-${index}`.padEnd(40, '-') }));
  const lines = Array.from({ length: 1000 }, (_, index) => line(index));
  writeFileSync(join(place, 'dispatches.jsonl'), `${lines.join('\n')}\n`);
  expect(history(NOON).totals).toHaveLength(1000);
  journal.append(aDispatchRecord());
  expect(history(NOON).totals).toHaveLength(1001);
  expect(followDispatches(place, { needs: 'totals' })(NOON).totals).toHaveLength(1001);
});

test('a line that was left unfinished is closed, and tells nobody anything', () => {
  const place = folder();
  const journal = openJournal({ stateDirectory: place });
  journal.append(aDispatchRecord({ attempt: 3 }));
  appendFileSync(join(place, 'dispatches.jsonl'), '{"at":');
  journal.append(aDispatchRecord({ issueId: 11 }));
  expect(journal.read().map(({ issueId }) => issueId)).toEqual([1, 11]);
  const attempts = (issueId: number, agent = 'hans', server = 'git.example.com') =>
    journal.attempts({ server, issueId, agent });
  expect([attempts(1), attempts(11), attempts(1, 'greta'), attempts(2)]).toEqual([3, 1, 0, 0]);
  journal.append(aDispatchRecord({ server: 'git.other.org', issueId: 1, attempt: 7 }));
  expect([attempts(1), attempts(1, 'hans', 'git.other.org')]).toEqual([3, 7]);
});

test('one that cannot be read is said, with its remedy', () => {
  const place = folder();
  symlinkSync('dispatches.jsonl', join(place, 'dispatches.jsonl'));
  expect(() => openJournal({ stateDirectory: place }).read()).toThrow(
    expect.objectContaining({
      exitCode: 1,
      code: 'journal_unreadable',
      message: expect.stringContaining(`the journal ${place}/dispatches.jsonl cannot be read: ELOOP`),
      hint: expect.stringContaining('look at what it is'),
    }),
  );
});

test('11.11 one of 130,000 dispatches, as before journals were rotated: a lost state is gathered from it, and it is rotated', () => {
  const place = folder();
  const lines = Array.from({ length: 130_000 }, (_, index) =>
    JSON.stringify(
      aDispatchRecord({ at: iso(NOON + index), issueId: index % 50_000, attempt: 1 + Math.floor(index / 50_000) }),
    ),
  );
  writeFileSync(join(place, 'dispatches.jsonl'), `${lines.join('\n')}\n`);
  const journal = openJournal({ stateDirectory: place });
  expect(journal.read()).toHaveLength(130_000);
  expect(journal.attempts({ server: 'git.example.com', issueId: 7, agent: 'hans' })).toBe(3);
  journal.append(aDispatchRecord({ issueId: 1_000_000 }));
  const [totals, ...newest] = readFileSync(join(place, 'dispatches.jsonl'), 'utf8').trim().split('\n');
  expect(totals).toContain('"count":130000');
  expect(newest).toHaveLength(1);
  expect(journal.read().at(-1)).toMatchObject({ issueId: 1_000_000 });
});
