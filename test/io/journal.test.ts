import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { DispatchRecord } from '../../src/core/state/dispatch-record.ts';
import { appendDispatch, followDispatches, readDispatches } from '../../src/io/state/journal.ts';
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
    appendDispatch(place, aDispatchRecord({ agent }));
    expect(history(NOON).recent).toEqual(readDispatches(place));
  }
  expect(history(NOON).totals).toEqual([
    { agent: 'hans', priority: 'HIGH', count: 2 },
    { agent: 'greta', priority: 'HIGH', count: 1 },
  ]);
});

test('it keeps the last 500 and all of the last day, and counts all', () => {
  const place = folder();
  const lines = Array.from({ length: 3000 }, (_, index) =>
    JSON.stringify(aDispatchRecord({ at: iso(NOON - index * MINUTE) })),
  );
  writeFileSync(join(place, 'dispatches.jsonl'), `${lines.toReversed().join('\n')}\n`);
  const { recent, totals } = followDispatches(place)(NOON);
  expect(recent).toHaveLength(1440);
  expect(totals).toEqual([{ agent: 'hans', priority: 'HIGH', count: 3000 }]);
});

test('lines that are no entries are left out, and a journal that was replaced is read anew', () => {
  const place = folder();
  appendDispatch(place, aDispatchRecord());
  appendFileSync(join(place, 'dispatches.jsonl'), 'torn\n{"at":1}\n');
  const history = followDispatches(place);
  expect(history(NOON).recent).toHaveLength(1);
  rmSync(join(place, 'dispatches.jsonl'));
  appendDispatch(place, aDispatchRecord({ agent: 'greta' }));
  expect(history(NOON).totals).toEqual([{ agent: 'greta', priority: 'HIGH', count: 1 }]);
});
