import { describe, expect, test } from 'vitest';
import {
  EMPTY_STATE,
  lastDispatchAt,
  newerVersion,
  parseState,
  type State,
  withoutStaleTurns,
} from '../../../src/core/state/state.ts';
import { aTrackedTask, iso, keyOf, NOON } from '../../support/builders.ts';

const LAST = { at: iso(NOON), ref: 'acme/app#2', pending: null, uptime: { bootId: 'one', ms: 5 } };
const TURN = { askedAt: iso(NOON), dueAt: iso(NOON), tries: 1, message: 'x' };
const HOLD = { ...TURN, hold: { reason: 'blocked' as const, updatedAt: NOON, waitsFor: ['acme/app#1'] } };
const FULL: State = {
  ...EMPTY_STATE,
  lastDispatch: LAST,
  turns: { [`read ${keyOf(7)}`]: TURN, [`hold ${keyOf(8)}`]: HOLD },
  tasks: { [keyOf(1)]: aTrackedTask() },
};

describe('a state file', () => {
  test('reads back', () => {
    expect(parseState(FULL)).toEqual(FULL);
    const { uptime: _uptime, ...last } = LAST;
    expect(parseState({ ...FULL, lastDispatch: last })).toMatchObject({ lastDispatch: { uptime: null } });
  });

  test.for([
    ['another version', { ...FULL, version: 3 }],
    ['a date that is none', { ...FULL, vanishedSince: 'yesterday' }],
    ['a dispatch without its time', { ...FULL, lastDispatch: { ...LAST, at: '' } }],
    ['an unknown reason', { ...FULL, turns: { x: { ...TURN, hold: { ...HOLD.hold, reason: 'why' } } } }],
    ['nothing', undefined],
  ])('with %s is none', ([, raw]) => {
    expect(parseState(raw)).toBeUndefined();
  });

  test.for([
    [{ version: 3 }, 3],
    [{ version: 2 }, undefined],
    [{ version: 1 }, undefined],
    [{ version: '3' }, undefined],
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

  test('forgets the turns of candidates and tasks that are no more', () => {
    const turns = { ...FULL.turns, [`news ${keyOf(1)}`]: TURN, [`hook ${keyOf(2)}`]: TURN };
    const kept = (keys: readonly string[], state: State = FULL, since: number | null = null) =>
      Object.keys(withoutStaleTurns({ ...state, turns }, { keys: new Set(keys), since }).turns);
    expect(kept([keyOf(8)])).toEqual([`hold ${keyOf(8)}`, `news ${keyOf(1)}`]);
    expect(kept([], { ...FULL, tasks: null })).toEqual([`news ${keyOf(1)}`, `hook ${keyOf(2)}`]);
    // Of what may be there, and is not listed, what was asked long ago.
    const askedAt = Date.parse(TURN.askedAt);
    expect(kept([keyOf(8)], FULL, askedAt + 1)).toEqual(kept([keyOf(8)]));
    expect(kept([], FULL, askedAt)).toContain(`hold ${keyOf(8)}`);
  });
});
