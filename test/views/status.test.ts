import { describe, expect, test } from 'vitest';
import { Chalk } from 'chalk';
import stringWidth from 'string-width';
import type { Snapshot } from '../../src/core/health/snapshot.ts';
import type { Pause } from '../../src/core/state/pause.ts';
import type { PassHistory } from '../../src/core/state/last-pass.ts';
import type { Taken } from '../../src/core/mailbox/claim.ts';
import { NO_WORK, type WorkRecord } from '../../src/core/mailbox/work-record.ts';
import { type TaskFile, workedTask } from '../../src/core/task/status.ts';
import { statusScreen, statusTsv } from '../../src/views/status.ts';
import { aPass, aPause, aRest, aRow, aSnapshot, aTaskFile, iso, MINUTE, NOON } from '../support/builders.ts';

const FILE = aTaskFile();

const screen = (shown: Snapshot, width = 80, unicode = true) =>
  statusScreen(shown, { now: NOON, width, chalk: new Chalk({ level: 0 }), unicode });
const LAST = { at: iso(NOON - 39_000), ref: 'acme/app#2', pending: null, uptime: null };

describe('on a terminal', () => {
  test('health, slot, and a table for each agent', () => {
    const rows = [
      aRow({}),
      aRow({
        key: '9',
        ref: 'acme/app#9',
        title: '修复数据库错误'.repeat(8),
        priority: 'LOW',
        outcome: 'waiting',
      }),
    ];
    const shown = aSnapshot({ lastPass: aPass({ rows }), lastDispatch: LAST }, [FILE], ['greta', 'hans']);
    expect(screen(shown)).toMatchInlineSnapshot(`
      "● ok: last pass 39s ago, dispatched acme/app#2
      next slot in 21s, 2 waiting, oldest HIGH 3h

      greta  0 new, 0 waiting
        Nothing dispatched, nothing waiting.

      hans  1 new, 2 waiting
        PRIORITY  ISSUE       TITLE                                       STATE    AGE
        CRITICAL  acme/app#2  silent DB errors                            new      39s
        HIGH      acme/app#7  Retry webhooks on 5xx                       next     3h
        LOW       acme/app#9  修复数据库错误修复数据库错误修复数据库错…   waiting  3h
      "
    `);
    for (const line of screen(shown).split('\n')) expect(stringWidth(line)).toBeLessThanOrEqual(80);
  });

  test('narrower than 60 cells: two lines a task', () => {
    expect(screen(aSnapshot({ lastPass: aPass(), lastDispatch: LAST }, [FILE]), 40)).toMatchInlineSnapshot(`
      "● ok: last pass 39s ago, dispatched acme/app#2
      next slot in 21s, 1 waiting, oldest HIGH 3h

      hans  1 new, 1 waiting
        CRITICAL acme/app#2  new 39s
          silent DB errors
        HIGH acme/app#7  next 3h
          Retry webhooks on 5xx
      "
    `);
  });

  test('without UTF-8: ASCII signs', () => {
    expect(screen(aSnapshot({ lastPass: aPass() }), 80, false)).toMatch(/^\* ok: /u);
  });

  test('a task file that an agent has spoilt is shown with what is known', () => {
    expect(
      screen(aSnapshot({ lastPass: aPass({ rows: [] }) }, [aTaskFile({ issue: 3, title: '', priority: 'HUGE' })])),
    ).toContain('unknown');
  });

  test('a backlog that is longer than what is listed is counted, and what it was passed over for', () => {
    const held = aRest({ outcome: 'skipped', reason: 'held', count: 5 });
    const text = screen(aSnapshot({ lastPass: aPass({ rest: [aRest(), held] }) }));
    expect(text).toContain('and 4805 more that wait or were passed over');
    expect(text).toContain('Skipped: held 5.');
    expect(text).toContain('4801 waiting');
  });

  test('the last five finished tasks are shown, the others counted', () => {
    const files = Array.from({ length: 8 }, (_, index) =>
      aTaskFile({ issue: index, ref: `acme/app#${index}`, title: 'x', priority: 'LOW' }, true),
    );
    const text = screen(aSnapshot({ lastPass: aPass({ rows: [] }) }, files));
    expect(text.match(/ done /gu)).toHaveLength(5);
    expect(text).toContain('and 3 more done');
  });
});

describe('health', () => {
  const error = {
    code: 'gitea_unauthorized',
    message: 'Gitea refused the token (401)',
    hint: 'make a new one',
  };
  test.for<{ state: Partial<PassHistory>; pauses?: Pause[]; health: string; says: string; fix: string | null }>([
    {
      state: {},
      health: 'never_run',
      says: '○ never run: no pass has run yet',
      fix: 'dispatcher dispatch --dry-run',
    },
    {
      state: { lastPass: aPass() },
      health: 'ok',
      says: '● ok: last pass 39s ago, dispatched acme/app#2',
      fix: null,
    },
    {
      state: { lastPass: aPass({ finishedAt: iso(NOON - 91_000) }) },
      health: 'late',
      says: '▲ late: last pass 91s ago',
      fix: 'systemctl list-timers',
    },
    {
      state: { lastPass: aPass({ finishedAt: iso(NOON - 181_000) }) },
      health: 'stale',
      says: '✖ stale: last pass 3m ago',
      fix: 'see that something starts a pass every minute',
    },
    {
      state: {
        lastPass: aPass({ outcome: 'failed', error }),
        consecutiveFailures: 3,
        failingSince: iso(NOON - 3 * MINUTE),
      },
      health: 'failing',
      says: '✖ failing: 3 passes in a row, since 3m: Gitea refused the token (401)',
      fix: 'make a new one',
    },
    {
      state: { lastPass: aPass() },
      pauses: [aPause()],
      health: 'paused',
      says: '‖ paused since 1h, by ana: release freeze',
      fix: 'dispatcher resume',
    },
  ])('$health says what is the matter and what to do', ({ state, pauses = [], health, says, fix }) => {
    const shown = aSnapshot(state, [], ['hans'], pauses);
    expect(shown.health).toBe(health);
    const [first, second] = screen(shown).split('\n');
    expect(first).toContain(says);
    if (fix === null) expect(second).not.toContain('fix:');
    else expect(second).toContain(`  fix: `);
    expect(screen(shown)).toContain(fix ?? '');
  });

  test('an agent that is paused by itself has a line of its own, with when that ends', () => {
    const pauses = [aPause({ agent: 'hans', until: iso(NOON + 5 * MINUTE) })];
    expect(screen(aSnapshot({ lastPass: aPass() }, [], ['hans'], pauses))).toContain(
      '\n‖ hans is paused since 1h, for another 5m, by ana: release freeze; resume: dispatcher resume --agent hans\n',
    );
  });
});

describe('how far the agents are', () => {
  const worked = (stage: 'doing' | 'blocked', taken: Taken | null, events: WorkRecord['events'] = []): TaskFile => ({
    agent: 'hans',
    taken,
    task: workedTask({ ...FILE.task, stage }, taken, { ...NO_WORK, events }),
  });
  const machine = { host: 'builder', bootId: 'b', pidNamespace: 'p' };
  const claim = { at: iso(NOON - 180 * MINUTE), user: 'hans', machine, holder: { pid: 7, startedAt: 1 }, group: null };
  const taken = { claims: [claim], movedAt: NOON - 180 * MINUTE };
  const shown = (file: TaskFile, stall: 'gone' | 'overdue' | null): string => {
    const snapshot = aSnapshot(
      { lastPass: aPass({ rows: [] }), lastDispatch: LAST },
      [file],
      ['hans'],
      [],
      () => stall,
    );
    return screen(snapshot).split('\n').slice(3).join('\n');
  };

  test('taken: since when', () => {
    expect(shown(worked('doing', taken), null)).toMatchInlineSnapshot(`
      "hans  0 new, 1 doing, 0 waiting
        PRIORITY  ISSUE       TITLE             STATE  AGE
        CRITICAL  acme/app#2  silent DB errors  doing  3h
      "
    `);
  });

  test('stalled: who had it, and how to take it over', () => {
    expect(shown(worked('doing', taken), 'gone')).toMatchInlineSnapshot(`
      "hans  0 new, 1 doing (1 stalled), 0 waiting
        PRIORITY  ISSUE       TITLE             STATE    AGE
        CRITICAL  acme/app#2  silent DB errors  stalled  3h
        acme/app#2 is stalled: taken 3h ago by hans@builder, process 7, who is gone. Take it over: dispatcher next --stalled
      "
    `);
  });

  test('blocked: what its agent asks', () => {
    const event = {
      at: iso(NOON),
      by: 'hans',
      outcome: 'blocked',
      reason: 'which table?',
      pullRequest: null,
      note: null,
    } as const;
    expect(shown(worked('blocked', null, [event]), null)).toMatchInlineSnapshot(`
      "hans  0 new, 1 blocked, 0 waiting
        PRIORITY  ISSUE       TITLE             STATE    AGE
        CRITICAL  acme/app#2  silent DB errors  blocked  39s
        acme/app#2 is blocked: which table?
      "
    `);
  });
});

describe('for programs', () => {
  test('a line a task: tabs, full values, RFC 3339', () => {
    expect(statusTsv(aSnapshot({ lastPass: aPass() }, [FILE]))).toBe(
      `hans\tCRITICAL\tacme/app#2\tsilent DB errors\tnew\t${iso(NOON - 39_000)}\nhans\tHIGH\tacme/app#7\tRetry webhooks on 5xx\tnext\t${iso(NOON - 180 * MINUTE)}\n`,
    );
  });

  test('the document has typed values, and null for what is unknown', () => {
    const shown = aSnapshot({ lastPass: aPass(), lastDispatch: LAST }, [FILE]);
    expect(shown).toMatchObject({
      schemaVersion: 1,
      health: 'ok',
      slot: { free: false, opensAt: iso(NOON + 21_000) },
      counts: { waiting: 1, dispatched: 1, done: 0, skipped: 0, dispatchedToday: 0 },
      next: { ref: 'acme/app#7', agent: 'hans', priority: 'HIGH' },
      oldestWaiting: { ref: 'acme/app#7', priority: 'HIGH' },
    });
    expect(shown.agents[0]?.tasks[0]).toMatchObject({ state: 'dispatched', url: null });
    expect(JSON.stringify(shown)).not.toContain('""');
  });

  test('a waiting task whose file has appeared since the pass is not shown twice', () => {
    const shown = aSnapshot({ lastPass: aPass() }, [aTaskFile({ issue: 7, ref: 'acme/app#7' })]);
    expect(shown.agents[0]?.tasks.map((task) => task.state)).toEqual(['dispatched']);
  });
});
