import { describe, expect, test } from 'vitest';
import { type Claim, claimText, parseClaim, type Processes, stallOf } from '../../../src/core/mailbox/claim.ts';
import { MINUTE, NOON } from '../../support/builders.ts';

const machine = { host: 'builder', bootId: 'boot-1', pidNamespace: 'pid:[1]' };
const aClaim = (overrides: Partial<Claim> = {}): Claim => ({
  at: new Date(NOON - MINUTE).toISOString(),
  user: 'hans',
  machine,
  holder: { pid: 7, startedAt: 100 },
  group: null,
  ...overrides,
});

describe('whether anybody is left who works on a taken task', () => {
  const ALIVE = new Set(['7:100', 'group 9:200']);
  const processes: Processes = {
    machine,
    isAlive: ({ pid, startedAt }, isGroup) => ALIVE.has(`${isGroup ? 'group ' : ''}${pid}:${startedAt}`),
  };
  const gone = { pid: 8, startedAt: 100 };

  test.for<{ rule: string; claims: readonly Claim[]; movedAt?: number; stall: string | null }>([
    { rule: 'its process lives', claims: [aClaim()], stall: null },
    { rule: 'its process is gone', claims: [aClaim({ holder: gone })], stall: 'gone' },
    {
      rule: 'its number belongs to a later process',
      claims: [aClaim({ holder: { pid: 7, startedAt: 99 } })],
      stall: 'gone',
    },
    {
      rule: 'the worker was killed, and its command still runs',
      claims: [aClaim({ holder: gone, group: { pid: 9, startedAt: 200 } })],
      stall: null,
    },
    {
      rule: 'worker and command are gone',
      claims: [aClaim({ holder: gone, group: { pid: 9, startedAt: 1 } })],
      stall: 'gone',
    },
    {
      rule: 'the machine was started again',
      claims: [aClaim({ machine: { ...machine, bootId: 'boot-0' } })],
      stall: 'gone',
    },
    {
      rule: 'another machine has it: nobody here can tell',
      claims: [aClaim({ holder: gone, machine: { ...machine, host: 'other' } })],
      stall: null,
    },
    {
      rule: 'another container has it: nobody here can tell',
      claims: [aClaim({ holder: gone, machine: { ...machine, pidNamespace: 'pid:[2]' } })],
      stall: null,
    },
    { rule: 'its taker gave no process', claims: [aClaim({ holder: null })], stall: null },
    { rule: 'one of several takers lives', claims: [aClaim({ holder: gone }), aClaim()], stall: null },
    {
      rule: 'it is taken for longer than allowed',
      claims: [aClaim({ at: new Date(NOON - 61 * MINUTE).toISOString() })],
      stall: 'overdue',
    },
    { rule: 'plain mv tells nobody, and was just now', claims: [], movedAt: NOON - MINUTE, stall: null },
    { rule: 'plain mv tells nobody, and was long ago', claims: [], movedAt: NOON - 61 * MINUTE, stall: 'overdue' },
    {
      rule: 'a claim of the future counts from now',
      claims: [aClaim({ at: new Date(NOON + 1000 * MINUTE).toISOString() })],
      stall: null,
    },
  ])('$rule: $stall', ({ claims, movedAt = NOON, stall }) => {
    expect(stallOf(claims, movedAt, { processes, now: NOON, stalledAfterMs: 60 * MINUTE })).toBe(stall);
  });
});

test('a claim is read back as it was written', () => {
  const claim = aClaim({ group: { pid: 9, startedAt: null } });
  expect(parseClaim(claimText(claim))).toEqual(claim);
});

test.for([
  '',
  '{',
  'null',
  '[]',
  '{"schema":"dispatcher.claim/1"}',
  '{"schema":"dispatcher.claim/1","at":"never"}',
  '"x"',
])('what an agent wrote there itself, %s, is no claim', (text) => {
  expect(parseClaim(text)).toBeNull();
});

test('nothing in a claim steers a terminal, and no wrong process is asked for', () => {
  const text = JSON.stringify({
    schema: 'dispatcher.claim/1',
    at: '2026-01-01T00:00:00Z',
    user: 'ha\u001b]0;x\u0007ns\n',
    machine: 'x',
    holder: { pid: -1 },
    group: { pid: 1.5 },
  });
  expect(parseClaim(text)).toEqual({
    at: '2026-01-01T00:00:00.000Z',
    user: 'ha]0;xns',
    machine: { host: '', bootId: '', pidNamespace: '' },
    holder: null,
    group: null,
  });
});
