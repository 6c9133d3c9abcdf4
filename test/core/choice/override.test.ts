import { expect, test } from 'vitest';
import type { Facts } from '../../../src/core/issue/eligibility.ts';
import { judgeOverride } from '../../../src/core/choice/override.ts';
import { aCandidate, aConfig, aPause, MINUTE, NOON, someFacts, keyOf } from '../../support/builders.ts';

const team = aConfig({
  agents: new Map([['hans', { maxTasks: 1, template: null, attempts: 3 }]]),
  holdLabels: ['hold'],
});

test.for<{ gate: string; facts: Partial<Facts>; last?: number; says: string }>([
  {
    gate: 'the rate limit',
    facts: {},
    last: NOON - 20_000,
    says: 'rate limit: one task every 60s, next slot in 40s',
  },
  {
    gate: 'a task file that is there',
    facts: { existing: () => 'dispatched' },
    says: 'dispatched: hans has its task file',
  },
  {
    gate: 'a finished task',
    facts: { existing: () => 'done' },
    says: 'done: hans has moved its task file to done/',
  },
  { gate: 'a pause', facts: { pauses: [aPause()] }, says: 'paused: everything is paused by ana: release freeze' },
  { gate: 'a hold label', facts: {}, says: 'held: label hold' },
  {
    gate: 'the cap of the agent',
    facts: { openTasks: () => 1 },
    says: 'agent_busy: hans has 1 of at most 1 tasks',
  },
])('$gate refuses without force, and is lifted and named with it', ({ gate, facts, last = null, says }) => {
  const candidate = aCandidate({ labels: gate === 'a hold label' ? ['hold'] : [] });
  const all = someFacts({ config: team, ...facts });
  expect(judgeOverride(candidate, all, last, NOON, false)).toEqual({
    kind: 'refused',
    gates: [says],
    canForce: true,
  });
  expect(judgeOverride(candidate, all, last, NOON, true)).toEqual({
    kind: 'dispatch',
    lifted: [says],
    slotOpensAt: NOON,
  });
});

test.for([
  { login: 'bob', says: 'unknown_agent: bob is not among the configured agents' },
  { login: '..', says: 'unknown_agent: .. is not among the configured agents' },
])('force never lifts an agent that is not known or not safe: $login', ({ login, says }) => {
  const candidate = aCandidate({ assignees: [login] });
  for (const force of [false, true]) {
    const verdict = judgeOverride(candidate, someFacts({ config: team }), null, NOON, force);
    expect(verdict).toMatchObject({ kind: 'refused', canForce: false });
    expect(verdict.kind === 'refused' && verdict.gates).toContain(says);
  }
});

test('a slot that opens within 5 s is waited for without force, and not with it', () => {
  const last = NOON - MINUTE + 5000;
  expect(judgeOverride(aCandidate(), someFacts(), last, NOON, false)).toEqual({
    kind: 'dispatch',
    lifted: [],
    slotOpensAt: NOON + 5000,
  });
  expect(judgeOverride(aCandidate(), someFacts(), last, NOON, true)).toMatchObject({
    slotOpensAt: NOON,
    lifted: [expect.stringContaining('rate limit')],
  });
});

test('a task that failed before is tried at once', () => {
  const heldBack = new Map([[keyOf(1), { message: 'broken', reason: 'failed' as const }]]);
  expect(judgeOverride(aCandidate(), someFacts({ heldBack }), null, NOON, false)).toMatchObject({
    kind: 'dispatch',
    lifted: [],
  });
});

test('an unsafe name alone is enough, and no force helps', () => {
  expect(judgeOverride(aCandidate({ assignees: ['..'] }), someFacts(), null, NOON, true)).toEqual({
    kind: 'refused',
    gates: ['unsafe_name: the login cannot be a folder name'],
    canForce: false,
  });
});
