import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Answer,
  answered,
  byTurn,
  isDue,
  type TurnKind,
  turnKey,
  type Turns,
} from '../../../src/core/choice/turns.ts';
import { heldBackBy, wasAsked } from '../../../src/core/choice/asking.ts';
import { aCandidate, keyOf, MINUTE, NOON } from '../../support/builders.ts';

const failed: Answer = { kind: 'failed', message: 'broken' };
const YEAR = 525_600 * MINUTE;

/** Minutes until it is due again, as far as a day. */
function wait(turns: Turns, kind: TurnKind, asked: number): number {
  for (let minutes = 0; minutes <= 24 * 60; minutes += 1)
    if (isDue(turns, kind, 'x', asked + minutes * MINUTE)) return minutes;
  return Number.POSITIVE_INFINITY;
}

describe('a turn', () => {
  test.for<{ kind: TurnKind; waits: readonly number[] }>([
    { kind: 'read', waits: [1, 2, 4, 8, 15, 15] },
    { kind: 'news', waits: [1, 2, 4, 8, 15] },
    { kind: 'hook', waits: [1, 2, 4, 8, 15] },
    { kind: 'archive', waits: [1, 2, 4, 8, 16, 32, 60, 60] },
    { kind: 'receipt', waits: [1, 2, 4, 8, 16, 32, 60] },
    // The first end of a pass may have had any reason; after that it costs whole passes.
    { kind: 'hang', waits: [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1440] },
  ])('of kind $kind that fails comes again after $waits minutes', ({ kind, waits }) => {
    let turns: Turns = {};
    const seen = waits.map(() => {
      turns = answered(turns, kind, 'x', failed, NOON);
      return wait(turns, kind, NOON);
    });
    expect(seen).toEqual(waits);
  });

  test('is due when it was never asked, and again when it went well', () => {
    expect(isDue({}, 'news', 'x', NOON)).toBe(true);
    expect(isDue(answered({}, 'news', 'x', { kind: 'done' }, NOON), 'news', 'x', NOON)).toBe(true);
  });

  test('that is settled is forgotten; others are not touched', () => {
    const turns = answered(answered({}, 'read', 'x', failed, NOON), 'read', 'y', failed, NOON);
    expect(Object.keys(answered(turns, 'read', 'x', { kind: 'settled' }, NOON))).toEqual([turnKey('read', 'y')]);
  });

  test('11.7 asked about under a clock that was a year ahead is due once the clock is mended', () => {
    const turns = answered({}, 'hold', 'x', { kind: 'later', afterMs: 5 * MINUTE }, NOON + YEAR);
    expect(isDue(turns, 'hold', 'x', NOON)).toBe(true);
  });

  test('11.7 asked under a clock that was ahead comes after what was never asked, and before all else', () => {
    const before = answered({}, 'hook', 'a', failed, NOON - 60 * MINUTE);
    const turns = answered(before, 'hook', 'b', failed, NOON + 60 * MINUTE);
    const order = (['a', 'b', 'c'] as const).map((subject) => ['hook', subject] as const).toSorted(byTurn(turns, NOON));
    expect(order.map(([, subject]) => subject)).toEqual(['c', 'b', 'a']);
  });

  test('that asks for a longer wait than there is waits for the longest', () => {
    const turns = { [turnKey('hold', 'x')]: { askedAt: iso(NOON), dueAt: iso(NOON + YEAR), tries: 0, message: null } };
    expect(isDue(turns, 'hold', 'x', NOON + 5 * MINUTE - 1)).toBe(false);
    expect(isDue(turns, 'hold', 'x', NOON + 5 * MINUTE)).toBe(true);
  });

  test('whatever the answers, everybody who is due is asked within as many rounds as there are others', () => {
    let waited = 0;
    const answers = fc.constantFrom<Answer>(failed, { kind: 'done' }, { kind: 'later', afterMs: MINUTE });
    const office = fc.record({
      count: fc.integer({ min: 1, max: 12 }),
      share: fc.integer({ min: 1, max: 3 }),
      answers: fc.array(answers, { minLength: 1, maxLength: 30 }),
      jumps: fc.array(fc.integer({ min: -YEAR, max: YEAR }), { maxLength: 3 }),
    });
    fc.assert(
      fc.property(office, ({ count, share, answers: given, jumps }) => {
        const subjects = Array.from({ length: count }, (_, index) => String(index));
        const asked = new Map<string, number>();
        let turns: Turns = {};
        let now = NOON;
        // The longest wait of the kind, in rounds, and then each once.
        const rounds = 16 + Math.ceil(count / share);
        for (let round = 0; round < 4 * rounds; round += 1) {
          now += round < jumps.length ? (jumps[round] ?? 0) : MINUTE;
          const due = subjects
            .filter((subject) => isDue(turns, 'read', subject, now))
            .map((subject): [TurnKind, string] => ['read', subject]);
          for (const [, subject] of due.toSorted(byTurn(turns, now)).slice(0, share)) {
            asked.set(subject, round);
            turns = answered(turns, 'read', subject, given[(round + Number(subject)) % given.length] ?? failed, now);
          }
          const longest = subjects.map((subject) => round - (asked.get(subject) ?? -1));
          waited = Math.max(waited, round < rounds ? 0 : Math.max(...longest) - rounds);
        }
        return waited <= 0;
      }),
    );
    expect(waited).toBe(0);
  });
});

const iso = (at: number): string => new Date(at).toISOString();

describe('candidates that failed or were held', () => {
  const occasion = { now: NOON, mayAsk: true, isOpen: () => true };
  const many = Array.from({ length: 10 }, (_, index) => aCandidate({ number: index + 1 }));
  const holdOf = (hold: { updatedAt?: number; waitsFor?: string[] } = {}): Answer => ({
    kind: 'later',
    afterMs: 5 * MINUTE,
    message: 'waits',
    hold: { reason: 'blocked', updatedAt: hold.updatedAt ?? many[0]!.issue.updatedAt, waitsFor: hold.waitsFor ?? [] },
  });
  const allAsked = (kind: 'read' | 'hold', ago: number): Turns =>
    many.reduce<Turns>(
      (turns, { key }, index) =>
        answered(turns, kind, key, kind === 'read' ? failed : holdOf(), NOON - ago - index * 1000),
      {},
    );
  const free = (turns: Turns, given: Partial<typeof occasion> = {}): readonly number[] => {
    const heldBack = heldBackBy(turns, many, { ...occasion, ...given });
    return many.filter(({ key }) => !heldBack.has(key)).map(({ issue }) => issue.number);
  };

  test('that were never asked are not held back', () => {
    expect(free({})).toHaveLength(10);
    expect(wasAsked({}, keyOf(1))).toBe(false);
    expect(wasAsked(allAsked('hold', 0), keyOf(1))).toBe(true);
  });

  test('wait; the reason is the one of then', () => {
    expect(heldBackBy(allAsked('read', 0), many, occasion).get(keyOf(1))).toEqual({
      reason: 'failed',
      message: 'broken',
    });
    expect(heldBackBy(allAsked('hold', 0), many, occasion).get(keyOf(1))).toEqual({
      reason: 'blocked',
      message: 'waits',
    });
  });

  test('are asked again a few at a time, least recently asked first', () => {
    expect(free(allAsked('read', 10 * MINUTE))).toEqual([9, 10]);
    expect(free(allAsked('hold', 10 * MINUTE))).toEqual([7, 8, 9, 10]);
  });

  test('are not asked while no slot is free', () => {
    expect(free(allAsked('hold', 10 * MINUTE), { mayAsk: false })).toEqual([]);
  });

  test('11.8 are asked at once when what they hang on has changed', () => {
    const [first] = many;
    const held = (hold: { updatedAt?: number; waitsFor?: string[] }) =>
      answered(allAsked('hold', 0), 'hold', first!.key, holdOf(hold), NOON);
    expect(free(held({}))).toEqual([]);
    expect(free(held({ updatedAt: NOON - 1 }))).toEqual([1]);
    expect(free(held({ waitsFor: ['acme/app#9'] }))).toEqual([]);
    expect(free(held({ waitsFor: ['acme/app#9'] }), { isOpen: () => false })).toEqual([1]);
  });
});
