import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { byUrgency, candidatesOf } from '../../../src/core/issue/candidate.ts';
import { decide } from '../../../src/core/choice/choice.ts';
import { nextFreeSlot } from '../../../src/core/choice/slot.ts';
import type { Facts } from '../../../src/core/issue/eligibility.ts';
import type { Issue } from '../../../src/core/issue/issue.ts';
import { rank } from '../../../src/core/issue/priority.ts';
import {
  aCandidate,
  aConfig,
  anIssue,
  aPause,
  aTrackedTask,
  iso,
  MINUTE,
  NOON,
  someFacts,
  keyOf,
} from '../../support/builders.ts';

const decideFor = (issues: readonly Issue[], facts: Facts = someFacts(), lastDispatchAt: number | null = null) =>
  decide(candidatesOf(issues, aConfig()), facts, lastDispatchAt, NOON);

describe('order', () => {
  test.for<{ rule: string; issues: Issue[]; chosen: number }>([
    {
      rule: 'a critical issue goes before an older normal one',
      issues: [anIssue({ number: 1, createdAt: 0 }), anIssue({ number: 2, labels: ['critical'] })],
      chosen: 2,
    },
    {
      rule: 'the older of two equals goes first',
      issues: [anIssue({ number: 1, createdAt: 20 }), anIssue({ number: 2, createdAt: 10 })],
      chosen: 2,
    },
    {
      rule: 'of the same age, the repository decides',
      issues: [
        anIssue({ number: 1, id: 1, repository: 'acme/b' }),
        anIssue({ number: 9, id: 2, repository: 'acme/a' }),
      ],
      chosen: 9,
    },
    { rule: 'then the number', issues: [anIssue({ number: 12 }), anIssue({ number: 3 })], chosen: 3 },
  ])('$rule', ({ issues, chosen }) => {
    expect(decideFor(issues).chosen?.issue.number).toBe(chosen);
  });
});

describe('outcomes', () => {
  const hans = aConfig({ agents: new Map([['hans', { maxTasks: 2, template: null, attempts: 3 }]]) });

  test.for<{ rule: string; issue?: Partial<Issue>; facts: Partial<Facts>; reason: string }>([
    { rule: 'its file is in the folder', facts: { existing: () => 'dispatched' }, reason: 'dispatched' },
    { rule: 'its file is in done/', facts: { existing: () => 'done' }, reason: 'done' },
    {
      rule: 'its agent is not configured',
      issue: { assignees: ['bob'] },
      facts: { config: hans },
      reason: 'unknown_agent',
    },
    {
      rule: 'its login leaves the folder',
      issue: { assignees: ['../evil'] },
      facts: {},
      reason: 'unsafe_name',
    },
    { rule: 'its folder cannot be used', facts: { trouble: () => 'mend it' }, reason: 'folder_unusable' },
    { rule: 'its login is a dot', issue: { assignees: ['..'] }, facts: {}, reason: 'unsafe_name' },
    {
      rule: 'it carries a hold label in any case',
      issue: { labels: ['bug', ' On Hold '] },
      facts: { config: aConfig({ holdLabels: ['on hold'] }) },
      reason: 'held',
    },
    { rule: 'everything is paused', facts: { pauses: [aPause()] }, reason: 'paused' },
    { rule: 'its agent is paused', facts: { pauses: [aPause({ agent: 'hans' })] }, reason: 'paused' },
    {
      rule: 'it failed and is backed off',
      facts: {
        heldBack: new Map([[keyOf(1), { message: 'broken', reason: 'failed' as const }]]),
      },
      reason: 'failed',
    },
    {
      rule: 'its author is not trusted',
      issue: { author: 'Mallory' },
      facts: { config: aConfig({ trust: { authors: ['alice'], commenters: null, assigners: null } }) },
      reason: 'held',
    },
    {
      rule: 'its file was deleted three times',
      facts: { tracked: () => aTrackedTask({ dispatches: 4 }) },
      reason: 'held',
    },
    {
      rule: 'its agent takes other labels only',
      issue: { labels: ['Kind/Feature'] },
      facts: { config: aConfig({ agentLabels: new Map([['hans', ['kind/bug']]]) }) },
      reason: 'not_for_agent',
    },
    {
      rule: 'its agent has as many tasks as it may',
      facts: { config: hans, openTasks: () => 2 },
      reason: 'agent_busy',
    },
  ])('a candidate is skipped with the reason $reason when $rule', ({ issue, facts, reason }) => {
    const decision = decideFor([anIssue(issue)], someFacts(facts));
    expect(decision.chosen).toBeNull();
    expect(decision.rows.map((row) => row.outcome)).toMatchObject([{ kind: 'skipped', reason }]);
  });

  test.for<{ rule: string; facts: Partial<Facts> }>([
    {
      rule: 'another agent takes other labels only',
      facts: { config: aConfig({ agentLabels: new Map([['greta', ['x']]]) }) },
    },
    { rule: 'another agent is paused', facts: { pauses: [aPause({ agent: 'greta' })] } },
    { rule: 'the pause is over', facts: { pauses: [aPause({ until: iso(NOON) })] } },
    {
      rule: 'another one failed',
      facts: { heldBack: new Map([[keyOf(2), { message: 'x', reason: 'failed' as const }]]) },
    },
    {
      rule: 'its author is trusted, in any case',
      facts: { config: aConfig({ trust: { authors: ['alice'], commenters: null, assigners: null } }) },
    },
    { rule: 'its file was deleted twice', facts: { tracked: () => aTrackedTask({ dispatches: 3 }) } },
    { rule: 'its agent may have any number', facts: { openTasks: () => 99 } },
    { rule: 'its agent has room for one more', facts: { config: hans, openTasks: () => 1 } },
  ])('a candidate is chosen when $rule', ({ facts }) => {
    expect(decideFor([anIssue()], someFacts(facts)).chosen).not.toBeNull();
  });

  test('an issue with two assignees makes two candidates', () => {
    const decision = decideFor([anIssue({ assignees: ['Hans', 'greta'] })]);
    expect(decision.rows.map((row) => [row.candidate.agent, row.outcome.kind])).toEqual([
      ['greta', 'chosen'],
      ['hans', 'next'],
    ]);
  });
});

describe('the slot', () => {
  test.for([
    { when: 'nothing was ever dispatched', last: null, opens: NOON },
    { when: 'the last dispatch is 59.999 s ago', last: NOON - 59_999, opens: NOON + 1 },
    { when: 'it is exactly one window ago', last: NOON - MINUTE, opens: NOON },
    { when: 'it is long ago', last: 0, opens: NOON },
    { when: 'it lies in the future', last: NOON + 10 * MINUTE, opens: NOON + MINUTE },
  ])('opens at the right moment when $when', ({ last, opens }) => {
    expect(nextFreeSlot(last, MINUTE, NOON)).toBe(opens);
  });

  test('a pass that finds it opening within 5 s chooses all the same', () => {
    expect(decideFor([anIssue()], someFacts(), NOON - 55_000).chosen).not.toBeNull();
    expect(decideFor([anIssue()], someFacts(), NOON - 54_999)).toMatchObject({
      chosen: null,
      slotOpensAt: NOON + 5001,
    });
  });

  test('while it is closed the most urgent one is next, and the others wait', () => {
    const decision = decideFor([anIssue({ number: 1 }), anIssue({ number: 2, labels: ['high'] })], someFacts(), NOON);
    expect(decision.next?.issue.number).toBe(2);
    expect(decision.rows.map((row) => row.outcome.kind)).toEqual(['next', 'waiting']);
  });
});

describe('properties', () => {
  const issue = fc.record({
    id: fc.integer({ min: 1, max: 1000 }),
    repository: fc.constantFrom('acme/app', 'acme/api'),
    number: fc.integer({ min: 1, max: 50 }),
    title: fc.constantFrom('plain', 'CRITICAL: x', '[low] y'),
    labels: fc.array(fc.constantFrom('Priority/High', 'P3', 'Kind/Bug', 'hold'), { maxLength: 3 }),
    assignees: fc.uniqueArray(fc.constantFrom('hans', 'greta', 'bob', '.evil'), { maxLength: 3 }),
    createdAt: fc.integer({ min: 0, max: 5 }),
    updatedAt: fc.constant(0),
    author: fc.constant('alice'),
  });
  const issues = fc.uniqueArray(issue, { selector: (each) => each.id, maxLength: 30 });
  const config = aConfig({
    agents: new Map(['hans', 'greta', '.evil'].map((name) => [name, { maxTasks: null, template: null, attempts: 3 }])),
    holdLabels: ['hold'],
  });
  const facts = someFacts({ config, existing: ({ issue: { id } }) => (id % 3 === 0 ? 'dispatched' : null) });
  const last = fc.option(fc.integer({ min: NOON - 2 * MINUTE, max: NOON + MINUTE }));

  test('the chosen one is never less urgent than another eligible one', () => {
    fc.assert(
      fc.property(issues, (all) => {
        const { chosen, rows } = decideFor(all, facts);
        for (const { candidate, outcome } of rows) {
          if (outcome.kind === 'next' || outcome.kind === 'waiting') {
            expect(rank(chosen!.priority)).toBeLessThanOrEqual(rank(candidate.priority));
            expect(byUrgency(chosen!, candidate)).toBeLessThan(0);
          }
        }
      }),
    );
  });

  test('no candidate is lost, and each has one outcome; at most one is chosen, at most one is next', () => {
    fc.assert(
      fc.property(issues, last, (all, lastDispatchAt) => {
        const { rows } = decideFor(all, facts, lastDispatchAt);
        const expected = all.flatMap((each) => each.assignees.map((login) => keyOf(each.id, login)));
        expect(rows.map((row) => row.candidate.key).toSorted()).toEqual(expected.toSorted());
        const kinds = rows.map((row) => row.outcome.kind);
        expect(kinds.filter((kind) => kind === 'chosen').length).toBeLessThanOrEqual(1);
        expect(kinds.filter((kind) => kind === 'next').length).toBeLessThanOrEqual(1);
        const eligible = kinds.filter((kind) => kind !== 'skipped');
        if (eligible.length > 0) expect(['chosen', 'next']).toContain(eligible[0]);
      }),
    );
  });

  test('the answer does not depend on the order in which issues and assignees come', () => {
    fc.assert(
      fc.property(issues, last, (all, lastDispatchAt) => {
        const turned = all.toReversed().map((each) => ({ ...each, assignees: each.assignees.toReversed() }));
        const keys = (list: readonly Issue[]) =>
          decideFor(list, facts, lastDispatchAt).rows.map((row) => `${row.candidate.key} ${row.outcome.kind}`);
        expect(keys(turned)).toEqual(keys(all));
      }),
    );
  });

  test('the order is total: two different candidates are never equal, and it is transitive', () => {
    const candidate = issue.map((each) => aCandidate({ ...each, assignees: ['hans'] }));
    fc.assert(
      fc.property(candidate, candidate, candidate, (a, b, c) => {
        expect(Math.sign(byUrgency(a, b)) + Math.sign(byUrgency(b, a))).toBe(0);
        if (a.key !== b.key) expect(byUrgency(a, b)).not.toBe(0);
        if (byUrgency(a, b) < 0 && byUrgency(b, c) < 0) expect(byUrgency(a, c)).toBeLessThan(0);
      }),
    );
  });

  test('nothing is chosen while the slot is further away than a pass waits', () => {
    fc.assert(
      fc.property(issues, fc.integer({ min: 0, max: 54_999 }), (all, age) => {
        expect(decideFor(all, facts, NOON - age).chosen).toBeNull();
      }),
    );
  });
});

describe('why a candidate is skipped is said in words', () => {
  const busy = aConfig({ agents: new Map([['hans', { maxTasks: 2, template: null, attempts: 3 }]]) });
  const detailOf = (facts: Partial<Facts>, issue: Partial<Issue> = {}): string | undefined => {
    const [row] = decideFor([anIssue(issue)], someFacts(facts)).rows;
    return row?.outcome.kind === 'skipped' ? row.outcome.detail : undefined;
  };

  test.for<[string, Partial<Facts>, Partial<Issue>]>([
    ['hans has its task file', { existing: () => 'dispatched' }, {}],
    ['hans has moved its task file to done/', { existing: () => 'done' }, {}],
    ['bob is not among the configured agents', { config: busy }, { assignees: ['bob'] }],
    ['the login cannot be a folder name', {}, { assignees: ['..'] }],
    ['hans has 2 of at most 2 tasks', { config: busy, openTasks: () => 2 }, {}],
    ['everything is paused by ana: release freeze', { pauses: [aPause()] }, {}],
    ['label Hold', { config: aConfig({ holdLabels: ['hold'] }) }, { labels: ['Hold'] }],
    [
      'its author Mallory is not among trust.authors',
      { config: aConfig({ trust: { authors: ['alice'], commenters: null, assigners: null } }) },
      { author: 'Mallory' },
    ],
    [
      'its file was deleted again and again; after 3 repetitions only --force sends it',
      { tracked: () => aTrackedTask({ dispatches: 4 }) },
      {},
    ],
  ])('%s', ([detail, facts, issue]) => {
    expect(detailOf(facts, issue)).toBe(detail);
  });

  test('a file that is there is told, not how often it was deleted before', () => {
    expect(detailOf({ existing: () => 'done', tracked: () => aTrackedTask({ dispatches: 4 }) })).toContain('done/');
  });
});

test('without a dispatch before, the slot is free at once', () => {
  expect(nextFreeSlot(null, MINUTE, NOON)).toBe(NOON);
  expect(nextFreeSlot(null, MINUTE, -NOON)).toBe(-NOON);
});

test('two candidates that agree in everything else are told apart by the id of their issue', () => {
  const one = aCandidate({ id: 1 });
  const two = aCandidate({ id: 2 });
  expect(byUrgency(one, two)).toBe(-1);
  expect(byUrgency(two, one)).toBe(1);
  expect(byUrgency(one, one)).toBe(0);
});

test('an agent with labels of its own takes an issue that carries one of them, in any case', () => {
  const config = aConfig({ agentLabels: new Map([['hans', ['bug', 'kind/bug']]]) });
  expect(decideFor([anIssue({ labels: ['x', ' Kind/Bug '] })], someFacts({ config })).chosen).not.toBeNull();
});
