import { describe, expect, test } from 'vitest';
import { nextChangeAt } from '../../src/core/snapshot.ts';
import { aPass, aRow, aSnapshot, iso, MINUTE, NOON } from '../support/builders.ts';

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
