import { describe, expect, test } from 'vitest';
import {
  archivedEvent,
  dispatchedEvent,
  type HistoryEvent,
  waitingCounts,
  waitingText,
} from '../../../src/core/history/event.ts';
import type { Whereabouts } from '../../../src/core/mailbox/place.ts';
import { eventLine, parseEvents } from '../../../src/core/history/lines.ts';
import { BOUNDS, classOf } from '../../../src/core/history/histogram.ts';
import {
  type Memory,
  NO_MEMORY,
  observed,
  type Sight,
  withArchived,
  withDispatch,
} from '../../../src/core/history/observe.ts';
import { aDispatchRecord, iso, MINUTE, NOON } from '../../support/builders.ts';

const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const aSight = (overrides: Partial<Sight> = {}): Sight => ({
  now: NOON,
  places: new Map(),
  waiting: [],
  pass: null,
  ...overrides,
});
const at = (place: Whereabouts, since: number | null = null): Sight['places'] =>
  new Map([['2:hans', { place, since }]]);
const dispatched = (memory: Memory = NO_MEMORY, overrides = {}): Memory =>
  withDispatch(memory, dispatchedEvent(aDispatchRecord(overrides)));
const taskEvents = (events: readonly HistoryEvent[]) =>
  events.filter(({ event }) => event !== 'sample').map(({ event, at: when }) => [event, when - NOON]);

describe('what became of a task is read off the place of its file', () => {
  test.for<{ from: Whereabouts; to: Whereabouts; event: string | null }>([
    { from: 'new', to: 'new', event: null },
    { from: 'new', to: 'doing', event: 'taken' },
    { from: 'new', to: 'done', event: 'done' },
    { from: 'doing', to: 'blocked', event: 'blocked' },
    { from: 'blocked', to: 'new', event: 'released' },
    { from: 'doing', to: 'done', event: 'done' },
    { from: 'new', to: 'gone', event: 'gone' },
    { from: 'done', to: 'new', event: 'released' },
  ])('$from → $to: $event', ({ from, to, event }) => {
    const before = observed(dispatched(), aSight({ places: at(from) })).memory;
    const seen = observed(before, aSight({ now: NOON + MINUTE, places: at(to) }));
    expect(taskEvents(seen.events)).toEqual(event === null ? [] : [[event, MINUTE]]);
  });

  test.for<{ rule: string; since: number | null; when: number }>([
    { rule: 'the file tells when it was moved', since: NOON + HOUR, when: HOUR },
    { rule: 'not before the task was dispatched: the clock was set', since: NOON - HOUR, when: 2 * HOUR },
    { rule: 'not after now', since: NOON + 3 * HOUR, when: 2 * HOUR },
    { rule: 'where nothing tells, it is when the pass saw it', since: null, when: 2 * HOUR },
  ])('$rule', ({ since, when }) => {
    const { events } = observed(dispatched(), aSight({ now: NOON + 2 * HOUR, places: at('done', since) }));
    expect(taskEvents(events)).toEqual([['done', when]]);
  });

  test('a pass that does not know what is dispatched takes nothing for gone', () => {
    const { events, memory } = observed(dispatched(), aSight({ places: null }));
    expect(taskEvents(events)).toEqual([]);
    expect(Object.keys(memory.tasks)).toEqual(['2:hans']);
  });

  test('what is not tracked any more is forgotten', () => {
    expect(observed(dispatched(), aSight()).memory.tasks).toEqual({});
  });
});

describe('samples', () => {
  test('the waiting are counted by agent and priority, every ten minutes', () => {
    const waiting = [
      { agent: 'hans', priority: 'HIGH' as const },
      { agent: 'greta', priority: 'LOW' as const },
      { agent: 'hans', priority: 'HIGH' as const },
    ];
    let memory = NO_MEMORY;
    const samples: HistoryEvent[] = [];
    for (let minute = 0; minute <= 30; minute += 1) {
      const seen = observed(memory, aSight({ now: NOON + minute * MINUTE, waiting }));
      memory = seen.memory;
      samples.push(...seen.events);
    }
    expect(samples.map((sample) => sample.at - NOON)).toEqual([0, 10, 20, 30].map((minute) => minute * MINUTE));
    expect(samples[0]).toMatchObject({
      waiting: 'hans=0,2,0,0 greta=0,0,0,1',
    });
  });

  test.for<{ text: string; agent: string | null; counts: number[] }>([
    { text: '', agent: null, counts: [0, 0, 0, 0] },
    { text: 'hans=0,2,0,0 greta=1,0,0,1', agent: null, counts: [1, 2, 0, 1] },
    { text: 'hans=0,2,0,0 greta=1,0,0,1', agent: 'greta', counts: [1, 0, 0, 1] },
    { text: 'hans=0,2,0,0', agent: 'greta', counts: [0, 0, 0, 0] },
    { text: 'hans=x,2 =1 ,, a=b=c hans=1,2,3,4,5,6', agent: 'hans', counts: [1, 4, 3, 4] },
  ])('$text of $agent: $counts', ({ text, agent, counts }) => {
    expect(waitingCounts(text, agent)).toEqual(counts);
  });

  test('an agent with any name is found again', () => {
    for (const agent of ['a b=c', '__proto__', 'ü']) {
      expect(waitingCounts(waitingText([{ agent, priority: 'LOW' }]), agent)).toEqual([0, 0, 0, 1]);
    }
  });

  test('after the clock was set back they go on', () => {
    const { memory } = observed(NO_MEMORY, aSight({ now: NOON + DAY }));
    expect(observed(memory, aSight({ now: NOON })).events).toHaveLength(1);
  });
});

describe('failed passes', () => {
  const pass = (minute: number, failure: string | null) => ({ startedAt: iso(NOON + minute * MINUTE), failure });

  test('each is counted once, and the good one after them tells how many there were', () => {
    let memory = NO_MEMORY;
    const events: HistoryEvent[] = [];
    for (const [minute, failure] of [
      [0, null],
      [1, 'gitea_timeout'],
      [2, 'gitea_timeout'],
      [2, 'gitea_timeout'],
      [3, null],
      [4, null],
    ] as const) {
      const seen = observed(memory, aSight({ now: NOON + minute * MINUTE, pass: pass(minute, failure) }));
      memory = seen.memory;
      events.push(...seen.events);
    }
    expect(taskEvents(events)).toEqual([
      ['failed', MINUTE],
      ['failed', 2 * MINUTE],
      ['recovered', 3 * MINUTE],
    ]);
    expect(events.at(-1)).toMatchObject({ failures: 2 });
  });
});

describe('old files', () => {
  const live = (memory: Memory, from: number, minutes: number): { memory: Memory; prunes: number } => {
    let prunes = 0;
    for (let minute = 0; minute <= minutes; minute += 10) {
      const seen = observed(memory, aSight({ now: from + minute * MINUTE }));
      memory = seen.memory;
      prunes += seen.prune ? 1 : 0;
    }
    return { memory, prunes };
  };

  test('go once a day', () => {
    expect(live(NO_MEMORY, NOON, 3 * 24 * 60).prunes).toBe(3);
  });

  test('a clock that is a year ahead for ten hours costs nothing', () => {
    const before = live(NO_MEMORY, NOON, 23 * 60).memory;
    const ahead = live(before, NOON + 365 * DAY, 600);
    expect(ahead.prunes).toBe(0);
    expect(live(ahead.memory, NOON + 23 * HOUR + 600 * MINUTE, 120).prunes).toBe(0);
  });
});

describe('durations are counted for good, whatever becomes of the files', () => {
  test('waited: from the opening to the first dispatch', () => {
    const memory = dispatched(NO_MEMORY, { waitingSince: iso(NOON - 10 * MINUTE) });
    expect(memory.waited).toEqual([
      { agent: 'hans', priority: 'CRITICAL', counts: [0, 0, 1, 0, 0, 0, 0, 0, 0, 0], sum: 600 },
    ]);
    expect(dispatched(memory, { attempt: 2, waitingSince: iso(NOON - DAY) }).waited).toEqual(memory.waited);
  });

  test('worked: to done, or to the archive when the issue was closed before; each task once', () => {
    const done = observed(dispatched(), aSight({ now: NOON + HOUR, places: at('done') })).memory;
    const closed = {
      key: '2:hans',
      at: NOON + 2 * HOUR,
      ref: 'acme/app#2',
      agent: 'hans',
      event: 'archived',
      reason: 'closed',
    } as const;
    expect(done.worked).toMatchObject([{ sum: 3600 }]);
    expect(withArchived(done, closed).worked).toMatchObject([{ sum: 3600 }]);
    expect(withArchived(dispatched(), closed).worked).toMatchObject([{ sum: 7200 }]);
    expect(withArchived(dispatched(), { ...closed, reason: 'unassigned' }).worked).toEqual([]);
  });

  test('a duration at a bound belongs to its class, one above to the next', () => {
    expect(BOUNDS.map((bound) => classOf(bound))).toEqual(BOUNDS.map((_, index) => index));
    expect(BOUNDS.map((bound) => classOf(bound + 0.001))).toEqual(BOUNDS.map((_, index) => index + 1));
  });
});

describe('lines', () => {
  test('an event reads as it was written', () => {
    const events: HistoryEvent[] = [
      dispatchedEvent(aDispatchRecord({ waitingSince: iso(NOON - HOUR) })),
      { at: NOON, event: 'taken', key: '2:hans', ref: 'acme/app#2', agent: 'hans' },
      archivedEvent({
        at: iso(NOON),
        ref: 'acme/app#2',
        issueId: 2,
        agent: 'hans',
        reason: 'closed',
        from: '/a',
        to: '/b',
      }),
      { at: NOON, event: 'failed', code: 'gitea_timeout' },
      { at: NOON, event: 'recovered', failures: 3 },
      { at: NOON, event: 'sample', waiting: 'hans=1,0,2,0' },
    ];
    expect(events.flatMap((event) => parseEvents(eventLine(event)))).toEqual(events);
  });

  test.for([
    '',
    'half a li',
    'null',
    '[]',
    '{"at":"yesterday","event":"failed"}',
    '{"at":"2026-04-09T12:00:00Z","event":"teleported","key":"2:hans"}',
    '{"at":"2026-04-09T12:00:00Z","event":"taken"}',
    '{"at":"2026-04-09T12:00:00Z","event":"dispatched","key":"2:hans","priority":"URGENT","trigger":"timer"}',
  ])('%s is none', (line) => {
    expect(parseEvents(line)).toEqual([]);
  });

  test('what a title would do to a terminal is not kept', () => {
    const line = eventLine(dispatchedEvent(aDispatchRecord({ title: '\u001B[31mred\u202E\n' })));
    expect(JSON.parse(line)).toMatchObject({ title: '[31mred' });
  });
});

test('a file is read at once, and one with a broken line line by line, without that one', () => {
  const lines = [
    '{"at":"2026-04-09T10:00:00.000Z","event":"failed","code":"gitea_unreachable"}',
    '{"at":"2026-04-09T10:01:00.000Z","event":"recovered","failures":1}',
  ];
  const events = lines.flatMap((line) => parseEvents(line));
  expect(events).toHaveLength(2);
  expect(parseEvents(`${lines.join('\n')}\n`)).toEqual(events);
  expect(parseEvents(`${lines.join('\n')}\n{"at":"2026-04-`)).toEqual(events);
  // Neither does a line count that is more than one value, nor one that ends the list.
  expect(parseEvents([lines[0], '1,2', '],[', lines[1]].join('\n'))).toEqual(events);
  expect(parseEvents('')).toEqual([]);
});
