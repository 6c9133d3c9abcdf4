import { describe, expect, test } from 'vitest';
import { decide } from '../../../src/core/choice/choice.ts';
import {
  candidatesIn,
  type DecisionRecord,
  decisionRecord,
  NO_DECISION,
  parseDecision,
  withSince,
} from '../../../src/core/state/decision-record.ts';
import { aCandidate, aRow, iso, keyOf, MINUTE, NOON, someFacts } from '../../support/builders.ts';

describe('the record of a decision', () => {
  const facts = someFacts({ existing: ({ issue }) => (issue.number === 2 ? 'done' : null) });
  const issues = [aCandidate({ number: 1, title: 'a\nb' }), aCandidate({ number: 2 }), aCandidate({ number: 3 })];
  const decision = decide(issues, facts, null, NOON);
  const record = decisionRecord(decision, ({ candidate }) => `/x/${candidate.issue.number}`);

  test('keeps rows with outcome and reason, cleaned', () => {
    expect(withSince(record, NO_DECISION, NOON).rows).toMatchObject([
      { key: keyOf(1), ref: 'acme/app#1', title: 'a b', outcome: 'chosen', reason: null, detail: null, file: '/x/1' },
      { key: keyOf(2), outcome: 'skipped', reason: 'done', detail: expect.stringContaining('done/') },
      { key: keyOf(3), outcome: 'next', since: iso(NOON) },
    ]);
    expect(record.rest).toEqual([]);
  });

  test('knows since when: as long as outcome and reason are the same', () => {
    const early = iso(NOON - MINUTE);
    const before = record.rows.map((row) => ({ ...row, since: early }));
    const since = (rows: DecisionRecord['rows']) =>
      withSince(record, { rows, rest: [] }, NOON).rows.map((row) => row.since);
    expect(since(before)).toEqual([early, early, early]);
    expect(since(before.map((row) => ({ ...row, outcome: 'waiting' })))).toEqual([iso(NOON), iso(NOON), iso(NOON)]);
    expect(since(before.map((row) => ({ ...row, reason: 'held' })))).toEqual([iso(NOON), iso(NOON), iso(NOON)]);
    expect(since(before.toReversed())).toEqual([early, early, early]);
  });

  test('is the same for the same decision a moment later, and another one for another outcome or title', () => {
    const again = (candidates: typeof issues, given = facts, last: number | null = null) =>
      decisionRecord(decide(candidates, given, last, NOON + 5), ({ candidate }) => `/x/${candidate.issue.number}`);
    expect(again(issues)).toEqual(record);
    expect(again(issues, facts, NOON)).not.toEqual(record);
    expect(again(issues, someFacts())).not.toEqual(record);
    expect(again([aCandidate({ number: 1, title: 'another' }), ...issues.slice(1)])).not.toEqual(record);
  });

  test('is what is read back, and so are the rows alone that older versions wrote', () => {
    expect(parseDecision(JSON.parse(JSON.stringify(record)))).toEqual(record);
    expect(parseDecision([aRow()])).toEqual({ rows: [aRow()], rest: [] });
    expect(parseDecision({ rows: 'none' })).toBeUndefined();
  });
});

describe('a backlog of 50,000', () => {
  const createdAt = (number: number): number => NOON - (60_000 - number) * MINUTE;
  const backlog = Array.from({ length: 50_000 }, (_, index) =>
    aCandidate({
      number: index + 1,
      createdAt: createdAt(index + 1),
      labels: index % 10 === 0 ? ['P1'] : index % 3 === 0 ? ['wait'] : [],
      assignees: [index % 2 === 0 ? 'hans' : 'greta'],
    }),
  );
  const decision = decide(backlog, someFacts({ heldBack: heldBack() }), NOON, NOON);
  const record = decisionRecord(decision, () => null);

  function heldBack() {
    const held = backlog.filter(({ issue }) => issue.labels.includes('wait'));
    return new Map(held.map(({ key }) => [key, { reason: 'held' as const, message: 'label wait' }]));
  }

  test('is kept in a file that a look at the status can afford', () => {
    expect(JSON.stringify(record).length).toBeLessThan(250_000);
  });

  test('has its most urgent rows listed for each agent, and all others counted', () => {
    expect(candidatesIn(record)).toBe(50_000);
    for (const agent of ['hans', 'greta']) {
      const all = decision.rows.filter(({ candidate }) => candidate.agent === agent);
      const listed = record.rows.filter((row) => row.agent === agent);
      expect(listed).toHaveLength(200);
      // Up to where the first held one too many is left out.
      expect(listed.slice(0, 100).map(({ key }) => key)).toEqual(
        all.slice(0, 100).map(({ candidate }) => candidate.key),
      );
      expect(listed.filter(({ reason }) => reason === 'held').length).toBeLessThanOrEqual(50);
    }
  });

  test('has of each group left out the number, and the one that was opened first', () => {
    const listed = new Set(record.rows.map(({ key }) => key));
    const groupOf = (agent: string, priority: string, outcome: string, reason: string | null): string =>
      [agent, priority, outcome, reason].join(' ');
    const groups = new Map<string, { count: number; first: number }>();
    for (const { candidate, outcome } of decision.rows.filter((row) => !listed.has(row.candidate.key))) {
      const reason = outcome.kind === 'skipped' ? outcome.reason : null;
      const group = groupOf(candidate.agent, candidate.priority, outcome.kind, reason);
      const { count, first } = groups.get(group) ?? { count: 0, first: Number.POSITIVE_INFINITY };
      groups.set(group, { count: count + 1, first: Math.min(first, candidate.issue.createdAt) });
    }
    expect(groups.size).toBeGreaterThan(3);
    const told = record.rest.map(({ agent, priority, outcome, reason, count, oldest }) => [
      groupOf(agent, priority, outcome, reason),
      { count, first: Date.parse(oldest.createdAt) },
    ]);
    expect(Object.fromEntries(told)).toEqual(Object.fromEntries(groups));
  });
});
