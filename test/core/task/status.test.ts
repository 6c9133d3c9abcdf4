import { describe, expect, test } from 'vitest';
import { fileTask, inTurn, rowTask } from '../../../src/core/task/status.ts';
import { aRow, aTaskFile, iso, MINUTE, NOON, aServer } from '../../support/builders.ts';

describe('the task of a row', () => {
  test('has what the pass recorded, and the address of the issue', () => {
    const { key: _key, agent: _agent, outcome: _outcome, ...recorded } = aRow();
    expect(rowTask([aServer()], aRow())).toEqual({
      ...recorded,
      url: 'https://git.example.com/acme/app/issues/7',
      state: 'next',
      file: null,
      dispatchedAt: null,
      stage: null,
      stalled: null,
      takenBy: null,
      takenAt: null,
    });
  });

  test.for([
    ['chosen', 'waiting'],
    ['waiting', 'waiting'],
    ['skipped', 'skipped'],
  ] as const)('%s is shown as %s: there is no file', ([outcome, state]) => {
    expect(rowTask([aServer()], aRow({ outcome })).state).toBe(state);
  });
});

describe('the task of a file', () => {
  const FIELDS = {
    ref: 'acme/app#2',
    issue: 2,
    repository: 'acme/app',
    title: 'x\u001B[31m',
    url: 'https://x/2',
    priority: 'HIGH',
    prioritySource: 'label:p',
    dispatchedAt: iso(NOON),
    createdAt: iso(0),
  };

  test('has what its front matter tells, cleaned', () => {
    expect(fileTask('/f.md', 'done', new Map(Object.entries(FIELDS)))).toEqual({
      ...FIELDS,
      title: 'x[31m',
      state: 'done',
      reason: null,
      detail: null,
      file: '/f.md',
      stage: 'done',
      stalled: null,
      takenBy: null,
      takenAt: null,
    });
    expect(fileTask('/f.md', 'new', new Map())).toMatchObject({ state: 'dispatched', stage: 'new' });
  });

  test('what an agent spoilt is unknown, and the rest is not', () => {
    const spoilt = { ...FIELDS, issue: '2', title: '', url: 7, priority: 'URGENT', createdAt: 'never' };
    expect(fileTask('/f.md', 'new', new Map(Object.entries(spoilt)))).toMatchObject({
      ref: 'acme/app#2',
      issue: null,
      title: null,
      url: null,
      priority: null,
      createdAt: null,
      dispatchedAt: FIELDS.dispatchedAt,
    });
  });
});

test('first what the agent has, then what comes, what was passed over, what is done; each most urgent, then oldest', () => {
  const file = (priority: string | null, createdAt: string | null, done = false) =>
    aTaskFile({ ref: `${done} ${priority} ${createdAt}`, issue: 1, priority, createdAt }, done).task;
  const row = (outcome: 'next' | 'waiting' | 'skipped', age: number) =>
    rowTask([aServer()], aRow({ ref: `${outcome} ${age}`, outcome, createdAt: iso(NOON - age * MINUTE) }));
  const sorted = [
    file(null, iso(1)),
    file('HIGH', null),
    file('HIGH', iso(NOON)),
    file('NORMAL', iso(5)),
    file('LOW', iso(2)),
    row('waiting', 9),
    row('next', 8),
    row('skipped', 99),
    file('CRITICAL', iso(0), true),
  ];
  const expected = [1, 2, 3, 0, 4, 5, 6, 7, 8].map((index) => sorted[index]?.ref);
  expect(inTurn(sorted).map(({ ref }) => ref)).toEqual(expected);
  expect(inTurn(sorted.toReversed()).map(({ ref }) => ref)).toEqual(expected);
});
