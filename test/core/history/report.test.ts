import { describe, expect, test } from 'vitest';
import type { HistoryEvent } from '../../../src/core/history/event.ts';
import { coveredMs, durationsOf } from '../../../src/core/history/figures.ts';
import { reportOf } from '../../../src/core/history/report.ts';
import { anOfficeHistory, aDispatched, aMove, pastOf } from '../../support/history.ts';
import { MINUTE, NOON } from '../../support/builders.ts';

const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe('runs', () => {
  const story = (...events: HistoryEvent[]) =>
    pastOf(events).runs.map((run) => [
      run.ending,
      run.to === null ? null : (run.to - NOON) / HOUR,
      run.spans
        .map(({ place, from, to }) => `${place} ${(from - NOON) / HOUR}-${to === null ? '' : (to - NOON) / HOUR}`)
        .join(', '),
    ]);
  const start = aDispatched();

  test.for<{ rule: string; events: HistoryEvent[]; runs: unknown[] }>([
    { rule: 'one that is there', events: [start], runs: [[null, null, 'new 0-']] },
    {
      rule: 'taken, stuck, given back, finished',
      events: [
        start,
        aMove('taken', 1),
        aMove('blocked', 2),
        aMove('released', 4),
        aMove('taken', 5),
        aMove('done', 6),
      ],
      runs: [['done', 6, 'new 0-1, doing 1-2, blocked 2-4, new 4-5, doing 5-6']],
    },
    {
      rule: 'told twice',
      events: [start, start, aMove('taken', 1), aMove('taken', 2)],
      runs: [[null, null, 'new 0-1, doing 1-']],
    },
    {
      rule: 'archived after it was done',
      events: [start, aMove('done', 1), aMove('archived', 2)],
      runs: [['done', 1, 'new 0-1']],
    },
    { rule: 'archived before', events: [start, aMove('archived', 2)], runs: [['closed', 2, 'new 0-2']] },
    {
      rule: 'deleted and sent again',
      events: [start, aMove('gone', 1), aDispatched({ at: NOON + 2 * HOUR, attempt: 2, since: null })],
      runs: [
        ['gone', 1, 'new 0-1'],
        [null, null, 'new 2-'],
      ],
    },
    {
      rule: 'sent again by force',
      events: [start, aDispatched({ at: NOON + 2 * HOUR })],
      runs: [
        ['again', 2, 'new 0-2'],
        [null, null, 'new 2-'],
      ],
    },
    {
      rule: 'taken out of done/',
      events: [start, aMove('done', 1), aMove('released', 2)],
      runs: [[null, null, 'new 0-1, new 2-']],
    },
    {
      rule: 'not after it was archived',
      events: [start, aMove('archived', 1), aMove('taken', 2)],
      runs: [['closed', 1, 'new 0-1']],
    },
    { rule: 'dispatched before the history began', events: [aMove('done', 1)], runs: [] },
  ])('$rule', ({ events, runs }) => {
    expect(story(...events)).toEqual(runs);
  });

  test('an end before the beginning, by a clock that was set back, is no negative time', () => {
    expect(story(start, aMove('done', -3))).toEqual([['done', 0, 'new 0-0']]);
  });
});

describe('figures', () => {
  test.for<{ ms: number[]; figures: object }>([
    { ms: [], figures: { count: 0, median: null, p95: null, longest: null } },
    { ms: [7000], figures: { count: 1, median: 7, p95: 7, longest: 7 } },
    { ms: [3000, 1000, 2000, 4000], figures: { count: 4, median: 2, p95: 4, longest: 4 } },
    {
      ms: Array.from({ length: 100 }, (_, index) => (100 - index) * 1000),
      figures: { count: 100, median: 50, p95: 95, longest: 100 },
    },
  ])('of $ms.length durations', ({ ms, figures }) => {
    expect(durationsOf(ms)).toEqual(figures);
  });

  test('time that several stretches cover counts once, and only within the time asked for', () => {
    const stretches = [
      { from: 50, to: 60 },
      { from: -10, to: 5 },
      { from: 55, to: 70 },
      { from: 90, to: 200 },
      { from: 56, to: 57 },
    ];
    expect(coveredMs(stretches, 0, 100)).toBe(5 + 20 + 10);
  });
});

describe('a report', () => {
  const events = anOfficeHistory({ days: 20, agents: 4 });
  const to = NOON + 20 * DAY;
  const scope = { from: to - 7 * DAY, to, agent: null };
  const report = reportOf(pastOf(events), scope, []);
  const inWeek = (event: HistoryEvent): boolean => event.at >= scope.from && event.at <= to;

  // The same numbers by brute force: from the lines, without runs.
  const lines = (kind: string, agent: string) =>
    events.filter((event) => event.event === kind && inWeek(event) && 'agent' in event && event.agent === agent);
  const firstEnds = (agent: string): number[] =>
    events.flatMap((begin, index) => {
      if (begin.event !== 'dispatched' || begin.agent !== agent) return [];
      const end = events
        .slice(index + 1)
        .find(
          (event) =>
            'key' in event &&
            event.key === begin.key &&
            ['done', 'archived', 'gone', 'dispatched'].includes(event.event),
        );
      return end && inWeek(end) && (end.event === 'done' || (end.event === 'archived' && end.reason === 'closed'))
        ? [end.at - begin.at]
        : [];
    });
  const rankOf = (values: readonly number[], share: number): number | null => {
    const sorted = values.toSorted((a, b) => a - b);
    const found = sorted.find((value) => sorted.filter((other) => other <= value).length >= share * sorted.length);
    return found === undefined ? null : Math.round(found / 1000);
  };

  test('counts what the lines of each agent tell', () => {
    expect(report.agents.length).toBe(4);
    for (const agent of report.agents) {
      const dispatches = lines('dispatched', agent.name);
      expect(agent).toMatchObject({
        dispatched: dispatches.length,
        repeated: dispatches.filter((event) => event.event === 'dispatched' && event.attempt > 1).length,
        blocked: lines('blocked', agent.name).length,
        finished: firstEnds(agent.name).length,
      });
      expect(agent.dispatched).toBeGreaterThan(10);
      const waits = dispatches.flatMap((event) =>
        event.event === 'dispatched' && event.since !== null ? [event.at - event.since] : [],
      );
      expect(agent.waited).toEqual({
        count: waits.length,
        median: rankOf(waits, 0.5),
        p95: rankOf(waits, 0.95),
        longest: rankOf(waits, 1),
      });
      const work = firstEnds(agent.name);
      expect(agent.worked).toEqual({
        count: work.length,
        median: rankOf(work, 0.5),
        p95: rankOf(work, 0.95),
        longest: rankOf(work, 1),
      });
      const sum = (key: 'dispatched' | 'finished' | 'blocked' | 'repeated') =>
        agent.priorities.reduce((total, row) => total + row[key], 0);
      expect([sum('dispatched'), sum('finished'), sum('blocked'), sum('repeated')]).toEqual([
        agent.dispatched,
        agent.finished,
        agent.blocked,
        agent.repeated,
      ]);
    }
    expect(report.total.dispatched).toBe(report.agents.reduce((sum, agent) => sum + agent.dispatched, 0));
  });

  test('the share without work is what a look at every minute finds', () => {
    for (const agent of report.agents) {
      const runs = pastOf(events).runs.filter((run) => run.agent === agent.name);
      let free = 0;
      for (let at = scope.from + MINUTE / 2; at < to; at += MINUTE) {
        const busy = runs.some(({ spans }) =>
          spans.some((span) => span.place !== 'blocked' && span.from <= at && (span.to ?? to) > at),
        );
        free += busy ? 0 : 1;
      }
      expect(agent.idle).toBeCloseTo(free / (7 * 24 * 60), 2);
    }
  });

  test('failed passes are counted in the time, outages that reach into it are named', () => {
    const failed = events.filter((event) => event.event === 'failed' && inWeek(event));
    expect(failed.length).toBeGreaterThan(0);
    expect(report.passes.failed).toBe(failed.length);
    expect(report.passes.outages.reduce((sum, { failures }) => sum + failures, 0)).toBeGreaterThanOrEqual(
      failed.length,
    );
  });

  test('the steps add up to the whole, and there is one for each day', () => {
    expect(report.steps.length).toBe(8);
    expect(report.steps.reduce((sum, step) => sum + step.dispatched, 0)).toBe(report.total.dispatched);
    expect(report.steps.reduce((sum, step) => sum + step.finished, 0)).toBe(report.total.finished);
  });

  test('each point of the waiting is a sample that was taken, the last of its stretch', () => {
    const samples = new Map(
      events.flatMap((event) =>
        event.event === 'sample' ? [[new Date(event.at).toISOString(), event.waiting] as const] : [],
      ),
    );
    expect(report.waiting.length).toBeGreaterThan(100);
    expect(report.waiting.length).toBeLessThanOrEqual(240);
    for (const { at, ...counts } of report.waiting) {
      const sums = [0, 0, 0, 0];
      for (const [, ...each] of samples.get(at)!.matchAll(/=(\d),(\d),(\d),(\d)/gu))
        each.forEach((count, index) => (sums[index]! += Number(count)));
      expect(Object.values(counts)).toEqual(sums);
    }
  });

  test('of one agent it is the same row', () => {
    const one = reportOf(pastOf(events), { ...scope, agent: 'agent-2' }, ['agent-1', 'agent-2']);
    expect(one.agents).toEqual(report.agents.filter(({ name }) => name === 'agent-2'));
    expect(one.total.dispatched).toBe(one.agents[0]?.dispatched);
  });

  test('agents to whom nothing happened stand in it; an empty history is no error', () => {
    const empty = reportOf(pastOf([]), scope, ['hans']);
    expect(empty).toMatchObject({
      since: null,
      total: { dispatched: 0, waited: { count: 0, median: null } },
      agents: [{ name: 'hans', idle: 1 }],
      waiting: [],
    });
  });
});
