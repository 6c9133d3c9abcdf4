import { describe, expect, test } from 'vitest';
import { decide } from '../../../src/core/choice/choice.ts';
import { type Heartbeat, nextHeartbeat, rowRecords, rowsText } from '../../../src/core/state/last-pass.ts';
import { aCandidate, aPass, iso, keyOf, MINUTE, NOON, someFacts } from '../../support/builders.ts';

describe('a finished pass', () => {
  const began = iso(NOON - 40_000);
  const after = (before: Heartbeat | null, pass: Parameters<typeof aPass>[0]): Heartbeat => {
    const { rows: _rows, ...record } = aPass(pass);
    return nextHeartbeat(before, record, { rows: 'r', strangers: [] });
  };

  test('counts failures in a row, since when, and forgets them with the first good one', () => {
    const one = after(null, { outcome: 'failed' });
    expect(one).toMatchObject({ consecutiveFailures: 1, failingSince: began, lastSuccessAt: null });
    const two = after(one, { outcome: 'failed', startedAt: iso(NOON) });
    expect(two).toMatchObject({ consecutiveFailures: 2, failingSince: began });
    const good = after(two, {});
    expect(good).toMatchObject({ consecutiveFailures: 0, failingSince: null, lastSuccessAt: aPass().finishedAt });
    expect(after(good, { outcome: 'failed' }).lastSuccessAt).toBe(aPass().finishedAt);
  });
});

describe('the rows of a decision', () => {
  const facts = someFacts({ existing: ({ issue }) => (issue.number === 2 ? 'done' : null) });
  const issues = [aCandidate({ number: 1, title: 'a\nb' }), aCandidate({ number: 2 }), aCandidate({ number: 3 })];
  const decision = decide(issues, facts, null, NOON);
  const records = rowRecords(decision, ({ candidate }) => `/x/${candidate.issue.number}`, [], NOON);

  test('are kept with outcome and reason, cleaned', () => {
    expect(records).toMatchObject([
      { key: keyOf(1), ref: 'acme/app#1', title: 'a b', outcome: 'chosen', reason: null, detail: null, file: '/x/1' },
      { key: keyOf(2), outcome: 'skipped', reason: 'done', detail: expect.stringContaining('done/') },
      { key: keyOf(3), outcome: 'next', since: iso(NOON) },
    ]);
  });

  test('know since when: as long as outcome and reason are the same', () => {
    const early = iso(NOON - MINUTE);
    const before = records.map((row) => ({ ...row, since: early }));
    const since = (rows: typeof before) => rowRecords(decision, () => null, rows, NOON).map((row) => row.since);
    expect(since(before)).toEqual([early, early, early]);
    expect(since(before.map((row) => ({ ...row, outcome: 'waiting' })))).toEqual([iso(NOON), iso(NOON), iso(NOON)]);
    expect(since(before.map((row) => ({ ...row, reason: 'held' })))).toEqual([iso(NOON), iso(NOON), iso(NOON)]);
    expect(since(before.toReversed())).toEqual([early, early, early]);
  });

  test('are told apart by a text: another outcome, reason, priority or change of an issue is another one', () => {
    const text = rowsText(decision);
    expect(rowsText(decide(issues, facts, null, NOON + 5))).toBe(text);
    expect(rowsText(decide(issues, facts, NOON, NOON))).not.toBe(text);
    expect(rowsText(decide(issues, someFacts(), null, NOON))).not.toBe(text);
    const changed = [aCandidate({ number: 1, updatedAt: NOON }), ...issues.slice(1)];
    expect(rowsText(decide(changed, facts, null, NOON))).not.toBe(text);
  });
});
