import { describe, expect, test } from 'vitest';
import { decide } from '../../../src/core/choice/choice.ts';
import {
  EMPTY_STATE,
  failuresOf,
  lastDispatchAt,
  newerVersion,
  parseState,
  rowRecords,
  type State,
  withFailure,
  withHold,
  withoutStaleFailures,
  withPass,
} from '../../../src/core/state/state.ts';
import { aCandidate, aPass, aRow, aTrackedTask, iso, MINUTE, NOON, someFacts } from '../../support/builders.ts';

const LAST = { at: iso(NOON), ref: 'acme/app#2', pending: null, uptime: { bootId: 'one', ms: 5 } };
const FULL: State = {
  ...EMPTY_STATE,
  lastDispatch: LAST,
  lastPass: aPass({ rows: [aRow({ since: iso(NOON) })] }),
  failures: { '7:hans': { ref: 'acme/app#7', count: 1, message: 'x', retryAt: iso(NOON), reason: 'blocked' } },
  tasks: { '1:hans': aTrackedTask() },
};

describe('a state file', () => {
  test('reads back, and one of an older version has what it did not know filled in', () => {
    expect(parseState(FULL)).toEqual(FULL);
    const { tasks: _tasks, vanishedSince: _since, ...older } = FULL;
    const { uptime: _uptime, ...last } = LAST;
    expect(parseState({ ...older, lastDispatch: last })).toMatchObject({
      tasks: null,
      vanishedSince: null,
      lastDispatch: { uptime: null },
    });
  });

  test.for([
    ['another version', { ...FULL, version: 2 }],
    ['a date that is none', { ...FULL, lastSuccessAt: 'yesterday' }],
    ['a dispatch without its time', { ...FULL, lastDispatch: { ...LAST, at: '' } }],
    ['an unknown reason', { ...FULL, failures: { x: { ...FULL.failures['7:hans'], reason: 'why' } } }],
    ['nothing', undefined],
  ])('with %s is none', ([, raw]) => {
    expect(parseState(raw)).toBeUndefined();
  });

  test.for(['failed', 'blocked', 'held'] as const)('knows the reason %s', (reason) => {
    const failures = { x: { ref: 'a', count: 1, message: 'm', retryAt: iso(NOON), reason } };
    expect(parseState({ ...FULL, failures })?.failures).toEqual(failures);
    expect(failuresOf({ ...FULL, failures }).get('x')).toEqual({ count: 1, message: 'm', retryAt: NOON, reason });
  });

  test.for([
    [{ version: 2 }, 2],
    [{ version: 1 }, undefined],
    [{ version: '2' }, undefined],
    [{}, undefined],
    [null, undefined],
    ['version', undefined],
    [undefined, undefined],
  ])('%o was written by a newer dispatcher: %s', ([raw, newer]) => {
    expect(newerVersion(raw)).toBe(newer);
  });

  test('tells the last dispatch', () => {
    expect(lastDispatchAt(FULL)).toBe(NOON);
    expect(lastDispatchAt(EMPTY_STATE)).toBeNull();
  });
});

describe('a failure', () => {
  const row = { key: '7:hans', ref: 'acme/app#7' };

  test('is tried again after 1, 2, 4, 8 and from then on 15 minutes', () => {
    let state: State = EMPTY_STATE;
    const waits = Array.from({ length: 30 }, () => {
      state = withFailure(state, row, 'broken', NOON);
      return (Date.parse(state.failures['7:hans']?.retryAt ?? '') - NOON) / MINUTE;
    });
    expect(waits.slice(0, 6)).toEqual([1, 2, 4, 8, 15, 15]);
    expect(waits.at(-1)).toBe(15);
    expect(state.failures['7:hans']).toMatchObject({ ref: 'acme/app#7', count: 30, message: 'broken' });
    expect(failuresOf(state).get('7:hans')?.reason).toBe('failed');
  });

  test('that is a hold is asked about again after five minutes', () => {
    const candidate = aCandidate({ number: 7 });
    const state = withHold(FULL, candidate, { reason: 'held', message: 'by the server' }, NOON);
    expect(Object.keys(state.failures)).toEqual(['7:hans']);
    expect(state).toMatchObject({ lastDispatch: LAST });
    expect(failuresOf(state).get('7:hans')).toEqual({
      count: 0,
      message: 'by the server',
      retryAt: NOON + 5 * MINUTE,
      reason: 'held',
    });
    expect(state.failures['7:hans']?.ref).toBe('acme/app#7');
  });

  test('is forgotten with its candidate', () => {
    const both = withFailure(withFailure(EMPTY_STATE, row, 'x', NOON), { key: '8:hans', ref: 'b' }, 'y', NOON);
    expect(Object.keys(withoutStaleFailures(both, new Set(['8:hans'])).failures)).toEqual(['8:hans']);
  });
});

describe('a finished pass', () => {
  const failed = aPass({ outcome: 'failed' });
  const began = iso(NOON - 40_000);

  test('counts failures in a row, since when, and forgets them with the first good one', () => {
    const one = withPass(EMPTY_STATE, failed);
    expect(one).toMatchObject({ lastPass: failed, consecutiveFailures: 1, failingSince: began, lastSuccessAt: null });
    const two = withPass(one, { ...failed, startedAt: iso(NOON) });
    expect(two).toMatchObject({ consecutiveFailures: 2, failingSince: began });
    const good = withPass(two, aPass());
    expect(good).toMatchObject({ consecutiveFailures: 0, failingSince: null, lastSuccessAt: aPass().finishedAt });
    expect(withPass(good, failed).lastSuccessAt).toBe(aPass().finishedAt);
  });
});

describe('the rows of a decision', () => {
  const held = someFacts({ existing: ({ issue }) => (issue.number === 2 ? 'done' : null) });
  const decision = decide(
    [aCandidate({ number: 1, title: 'a\nb' }), aCandidate({ number: 2 }), aCandidate({ number: 3 })],
    held,
    null,
    NOON,
  );
  const records = rowRecords(decision, ({ candidate }) => `/x/${candidate.issue.number}`, [], NOON);

  test('are kept with outcome and reason, cleaned', () => {
    expect(records).toMatchObject([
      { key: '1:hans', ref: 'acme/app#1', title: 'a b', outcome: 'chosen', reason: null, detail: null, file: '/x/1' },
      { key: '2:hans', outcome: 'skipped', reason: 'done', detail: expect.stringContaining('done/') },
      { key: '3:hans', outcome: 'next', since: iso(NOON) },
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
});
