import { describe, expect, test } from 'vitest';
import { notListed } from '../../../src/core/health/agent-status.ts';
import { nextChangeAt, snapshotOf } from '../../../src/core/health/snapshot.ts';
import { NO_PASSES } from '../../../src/core/state/last-pass.ts';
import {
  aConfig,
  aDispatchRecord,
  aPass,
  aPause,
  aRest,
  aRow,
  aSnapshot,
  aTaskFile,
  iso,
  MINUTE,
  NOON,
} from '../../support/builders.ts';

const skippedRow = (reason: string) =>
  aRow({ key: `9:${reason}`, ref: 'acme/app#9', issue: 9, outcome: 'skipped', reason, detail: 'why', file: '/x.md' });

describe('a candidate that was passed over', () => {
  test.for(['held', 'paused', 'failed', 'agent_busy'])(
    '%s: is in the table of its agent, with the reason',
    (reason) => {
      const [agent] = aSnapshot({ lastPass: aPass({ rows: [skippedRow(reason)] }) }).agents;
      expect(agent).toMatchObject({ counts: { skipped: 1 }, tasks: [{ state: 'skipped', reason, detail: 'why' }] });
    },
  );

  test.for(['unknown_agent', 'unsafe_name'])('%s: has no table, and is listed', (reason) => {
    const snapshot = aSnapshot({ lastPass: aPass({ rows: [{ ...skippedRow(reason), agent: 'mallory' }] }) });
    expect(snapshot.agents.map((agent) => agent.name)).toEqual(['hans']);
    expect(snapshot.skipped).toMatchObject([
      { agent: 'mallory', reason, url: 'https://git.example.com/acme/app/issues/9' },
    ]);
  });
});

test('the oldest one is the oldest of all that wait, however urgent', () => {
  const rows = [
    aRow(),
    aRow({ key: '8', ref: 'acme/app#8', priority: 'LOW', outcome: 'waiting', createdAt: iso(0), file: '/y.md' }),
  ];
  expect(aSnapshot({ lastPass: aPass({ rows }) }).oldestWaiting).toMatchObject({ ref: 'acme/app#8', priority: 'LOW' });
});

describe('time alone makes another picture', () => {
  test.for([
    {
      when: 'when the slot opens',
      state: { lastDispatch: { at: iso(NOON - 39_000), ref: null, pending: null, uptime: null } },
      at: NOON + 21_000,
    },
    { when: 'when the last pass is late', state: {}, at: NOON - 39_000 + 90_001 },
    {
      when: 'when it is stale',
      state: { lastPass: aPass({ finishedAt: iso(NOON - 2 * MINUTE) }) },
      at: NOON - 2 * MINUTE + 180_001,
    },
  ])('$when', ({ state, at }) => {
    expect(nextChangeAt(aSnapshot({ lastPass: aPass(), ...state }))).toBe(at);
  });

  test('when the day ends', () => {
    const snapshot = aSnapshot({});
    expect(nextChangeAt(snapshot)).toBe(new Date(NOON).setHours(24, 0, 0, 0));
  });
});

describe('the picture of a state', () => {
  const record = (index: number) => ({
    ...aDispatchRecord({ ref: `acme/app#${index}`, at: iso(NOON - index * MINUTE) }),
  });
  const pictured = (sources: Partial<Parameters<typeof snapshotOf>[0]>, at = NOON) =>
    snapshotOf(
      {
        config: aConfig(),
        version: '1.0.0',
        pauses: [],
        state: NO_PASSES,
        files: [],
        stallOf: () => null,
        dispatches: [],
        midnight: NOON - 12 * 60 * MINUTE,
        warnings: [],
        ...sources,
      },
      at,
    );

  test('of nothing', () => {
    expect(pictured({})).toEqual({
      schemaVersion: 1,
      generatedAt: iso(NOON),
      version: '1.0.0',
      server: 'https://git.example.com',
      health: 'never_run',
      cause: 'never_run',
      timer: null,
      timerUnit: null,
      lastPass: null,
      lastSuccessAt: null,
      consecutiveFailures: 0,
      failingSince: null,
      pauses: [],
      slot: { opensAt: iso(NOON), free: true, lastDispatchAt: null },
      counts: {
        waiting: 0,
        dispatched: 0,
        done: 0,
        new: 0,
        doing: 0,
        stalled: 0,
        blocked: 0,
        skipped: 0,
        dispatchedToday: 0,
      },
      next: null,
      oldestWaiting: null,
      agents: [],
      skipped: [],
      rest: [],
      recent: [],
      warnings: [],
      hosts: null,
    });
  });

  test('tells the slot, free from the moment on at which it opens', () => {
    const state = { ...NO_PASSES, lastDispatch: { at: iso(NOON), ref: null, pending: null, uptime: null } };
    const slot = { opensAt: iso(NOON + MINUTE), lastDispatchAt: iso(NOON) };
    expect(pictured({ state }, NOON + MINUTE - 1).slot).toEqual({ ...slot, free: false });
    expect(pictured({ state }, NOON + MINUTE).slot).toEqual({ ...slot, free: true });
  });

  test('counts what was dispatched since midnight, and shows the last 50, newest first', () => {
    const dispatches = Array.from({ length: 60 }, (_, index) => record(59 - index));
    const { counts, recent } = pictured({ dispatches, midnight: NOON - 30 * MINUTE });
    expect(counts.dispatchedToday).toBe(31);
    expect(recent.map(({ ref }) => ref)).toEqual(Array.from({ length: 50 }, (_, index) => `acme/app#${index}`));
    expect(pictured({ dispatches: [{ ...record(1), at: 'once' }] }).counts.dispatchedToday).toBe(0);
  });

  test('has the warnings of reading and of the last pass, and how long that took', () => {
    const state = { ...NO_PASSES, lastPass: aPass({ warnings: ['b'] }) };
    expect(pictured({ state, warnings: ['a'] }).warnings).toEqual(['a', 'b']);
    expect(pictured({ state }).lastPass).toEqual({
      startedAt: iso(NOON - 40_000),
      finishedAt: iso(NOON - 39_000),
      outcome: 'dispatched',
      ref: 'acme/app#2',
      error: null,
      durationMs: 1000,
    });
  });

  test('a row whose file is there is told by the file; what is dispatched or done is not passed over', () => {
    const file = aTaskFile();
    const rows = [
      aRow({ ref: 'acme/app#2', issue: 2, file: file.task.file }),
      aRow({ key: 'a', ref: 'acme/app#3', outcome: 'skipped', reason: 'dispatched', file: '/3' }),
      aRow({ key: 'b', ref: 'acme/app#4', outcome: 'skipped', reason: 'done', file: '/4' }),
      aRow({ key: 'c', ref: 'acme/app#5', outcome: 'chosen', file: '/5' }),
      aRow({ key: 'd', ref: 'acme/app#6', outcome: 'skipped', reason: 'unsafe_name', agent: '..', file: null }),
    ];
    const { agents, counts, skipped } = pictured({
      state: { ...NO_PASSES, lastPass: aPass({ rows }) },
      files: [file, aTaskFile({ ref: 'acme/app#1', issue: 1 }, true)],
    });
    expect(agents).toMatchObject([
      {
        name: 'hans',
        directory: '/srv/acme/.agent-tasks/hans',
        counts: { next: 0, waiting: 0, dispatched: 1, done: 1, skipped: 0 },
        tasks: [{ ref: 'acme/app#2' }, { ref: 'acme/app#1' }],
      },
    ]);
    expect(counts).toMatchObject({ waiting: 0, dispatched: 1, done: 1, skipped: 1 });
    expect(skipped.map(({ ref }) => ref)).toEqual(['acme/app#6']);
  });

  test('has a table for each configured agent, each with a file, and each with a task, in the order of their names', () => {
    const config = aConfig({ agents: new Map([['zoe', { maxTasks: null, template: null, attempts: 3 }]]) });
    const state = { ...NO_PASSES, lastPass: aPass({ rows: [aRow({ agent: 'greta' })] }) };
    expect(pictured({ config, state, files: [aTaskFile()] }).agents.map(({ name }) => name)).toEqual([
      'greta',
      'hans',
      'zoe',
    ]);
  });

  test('counts what the rows leave out, in all and for its agent, and knows the oldest of it', () => {
    const rest = [
      aRest(),
      aRest({ priority: 'LOW', count: 7, oldest: { ref: 'acme/app#300', createdAt: iso(NOON - 9000 * MINUTE) } }),
      aRest({ outcome: 'skipped', reason: 'held', count: 5 }),
      aRest({ outcome: 'skipped', reason: 'done', count: 900 }),
      aRest({ outcome: 'skipped', reason: 'unknown_agent', agent: 'alice', count: 3 }),
    ];
    const shown = pictured({ state: { ...NO_PASSES, lastPass: aPass({ rest }) } });
    expect(shown.counts).toMatchObject({ waiting: 4808, skipped: 8 });
    expect(shown.agents).toMatchObject([{ name: 'hans', counts: { next: 1, waiting: 4807, skipped: 5 } }]);
    expect(shown.agents.map((agent) => notListed(agent))).toEqual([4812]);
    expect(shown.oldestWaiting).toMatchObject({ ref: 'acme/app#300', priority: 'LOW' });
    expect(shown.rest.map(({ count }) => count)).toEqual([4800, 7, 5, 3]);
  });

  test('changes when a pause ends', () => {
    const pauses = [aPause({ until: iso(NOON + 5000) }), aPause({ agent: 'hans' })];
    expect(nextChangeAt(pictured({ pauses }))).toBe(NOON + 5000);
  });
});
