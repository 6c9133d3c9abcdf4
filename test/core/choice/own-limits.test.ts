import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decide } from '../../../src/core/choice/choice.ts';
import { judgeOverride } from '../../../src/core/choice/override.ts';
import { closedLimit, ownLimits, ownSlotOpensAt } from '../../../src/core/choice/own-limits.ts';
import { EMPTY_STATE, lastOfScope, withAppearance } from '../../../src/core/state/state.ts';
import { aCandidate, aConfig, iso, MINUTE, NOON, someFacts } from '../../support/builders.ts';

const config = aConfig({
  rateLimits: {
    agents: new Map([['hans', 10 * MINUTE]]),
    repositories: new Map([
      ['acme/app', 5 * MINUTE],
      ['labs/*', 2 * MINUTE],
    ]),
  },
});

const last =
  (times: Readonly<Record<string, number>>) =>
  (scope: string): number | null =>
    times[scope] ?? null;

test('a candidate is under the limit of its agent and that of its repository, whatever its letters are', () => {
  expect(ownLimits(config, aCandidate({ repository: 'Acme/App' }))).toEqual([
    { scope: 'agent hans', name: 'hans', ms: 10 * MINUTE },
    { scope: 'repository acme/app', name: 'acme/app', ms: 5 * MINUTE },
  ]);
  // Each repository of an owner by itself.
  expect(ownLimits(config, aCandidate({ repository: 'labs/tool', assignees: ['greta'] }))).toEqual([
    { scope: 'repository labs/tool', name: 'labs/tool', ms: 2 * MINUTE },
  ]);
  // Of several servers one has a name in front, and a window of its own.
  expect(ownLimits(config, aCandidate({ repository: 'team:labs/tool', assignees: ['greta'] }))).toEqual([
    { scope: 'repository team:labs/tool', name: 'team:labs/tool', ms: 2 * MINUTE },
  ]);
  expect(ownLimits(config, aCandidate({ repository: 'else/where', assignees: ['greta'] }))).toEqual([]);
});

describe('a decision', () => {
  const [own, other] = [
    aCandidate({ number: 1, id: 1, labels: ['critical'] }),
    aCandidate({ number: 2, id: 2, repository: 'else/where', assignees: ['greta'] }),
  ];
  const decided = (lastOf: Readonly<Record<string, number>>) =>
    decide([own, other], someFacts({ config, lastOf: last(lastOf) }), null, NOON);

  test('passes over what its own limit closes, says until when, and the next one goes', () => {
    const { rows, chosen } = decided({ 'agent hans': NOON - 4 * MINUTE });
    expect(chosen?.key).toBe(other.key);
    expect(rows[0]?.outcome).toEqual({
      kind: 'skipped',
      reason: 'rate_limited',
      detail: `hans gets at most one task every 10m; the next one after ${iso(NOON + 6 * MINUTE)}`,
    });
  });

  test('waits for one that opens within the patience of a pass', () => {
    const { chosen, slotOpensAt } = decided({ 'repository acme/app': NOON - 5 * MINUTE + 4000 });
    expect([chosen?.key, slotOpensAt]).toEqual([own.key, NOON + 4000]);
  });

  test('lets everything go when all limits are open', () => {
    const { chosen, slotOpensAt } = decided({ 'agent hans': NOON - 10 * MINUTE, 'repository acme/app': 0 });
    expect([chosen?.key, slotOpensAt]).toEqual([own.key, NOON]);
  });

  test('by hand is refused, and with --force it goes', () => {
    const facts = someFacts({ config, lastOf: last({ 'repository acme/app': NOON }) });
    expect(judgeOverride(own, facts, null, NOON, false)).toMatchObject({
      kind: 'refused',
      canForce: true,
      gates: [expect.stringMatching(/^rate_limited: acme\/app gets at most one task every 5m/u)],
    });
    expect(judgeOverride(own, facts, null, NOON, true)).toMatchObject({ kind: 'dispatch', slotOpensAt: NOON });
  });
});

test('what is remembered keeps each scope for as long as a limit may need it, and nothing where there is none', () => {
  const appeared = (at: number) => ({ at: iso(at), ref: null, pending: null, uptime: null });
  expect(withAppearance(EMPTY_STATE, appeared(NOON), { scopes: [], ms: 0 })).not.toHaveProperty('lastOf');
  const scopes = ['agent hans'];
  const first = withAppearance(EMPTY_STATE, appeared(NOON), { scopes, ms: 10 * MINUTE });
  expect(lastOfScope(first)('agent hans')).toBe(NOON);
  expect(lastOfScope(first)('agent greta')).toBeNull();
  const other = { scopes: ['agent greta'], ms: 10 * MINUTE };
  expect(Object.keys(withAppearance(first, appeared(NOON + 9 * MINUTE), other).lastOf ?? {})).toHaveLength(2);
  expect(Object.keys(withAppearance(first, appeared(NOON + 10 * MINUTE), other).lastOf ?? {})).toEqual(['agent greta']);
  // Of a state that was lost: that file may have been anybody's.
  expect(lastOfScope({ lastOf: { '*': { at: iso(NOON), uptime: null } } })('agent hans')).toBe(NOON);
});

test('what a limit closes opens exactly when its slot does', () => {
  fc.assert(
    fc.property(fc.integer({ min: -20 * MINUTE, max: 20 * MINUTE }), (ago) => {
      const times = last({ 'agent hans': NOON - ago });
      const candidate = aCandidate({ repository: 'else/where' });
      const opensAt = ownSlotOpensAt(config, candidate, times, NOON);
      expect(opensAt).toBeGreaterThanOrEqual(NOON);
      expect(closedLimit(config, candidate, times, NOON) === undefined).toBe(opensAt - NOON <= 5000);
    }),
  );
});

test('a limit of a repository holds on when its server gets a name, or loses it', () => {
  const last = (at: number) => ({ at: iso(at), uptime: null });
  const before = lastOfScope({ lastOf: { 'repository acme/app': last(NOON), 'agent acme/app': last(NOON + 1) } });
  expect(before('repository team:acme/app')).toBe(NOON);
  expect(before('repository team:acme/api')).toBeNull();
  const several = { 'repository team:acme/app': last(NOON), 'repository home:acme/app': last(NOON + MINUTE) };
  expect(lastOfScope({ lastOf: several })('repository acme/app')).toBe(NOON + MINUTE);
  // Another server's is none of its business.
  expect(lastOfScope({ lastOf: several })('repository other:acme/app')).toBeNull();
});
