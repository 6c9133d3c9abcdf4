import { expect, test } from 'vitest';
import {
  afterAttempt,
  afterHandBack,
  afterRelease,
  isDue,
  NO_WORK,
  parseWork,
  type WorkEvent,
  type WorkRecord,
  workText,
} from '../../../src/core/mailbox/work-record.ts';
import { MINUTE, NOON } from '../../support/builders.ts';

const anEvent = (overrides: Partial<WorkEvent> = {}): WorkEvent => ({
  at: new Date(NOON).toISOString(),
  by: 'hans',
  outcome: 'failed',
  reason: 'exit 1',
  pullRequest: null,
  note: null,
  ...overrides,
});

const afterFailures = (count: number): WorkRecord =>
  Array.from({ length: count }).reduce<WorkRecord>(
    (record) => afterAttempt(record, anEvent(), { now: NOON, most: 100 }).record,
    NO_WORK,
  );

test('failed runs wait for 1, 2, 4, 8, 15 and 15 minutes', () => {
  const minutes = [1, 2, 3, 4, 5, 6].map((count) => (Date.parse(afterFailures(count).retryAt ?? '') - NOON) / MINUTE);
  expect(minutes).toEqual([1, 2, 4, 8, 15, 15]);
});

test('the last run that is allowed is final, and waits for nothing', () => {
  expect(afterAttempt(afterFailures(2), anEvent(), { now: NOON, most: 3 })).toMatchObject({
    isFinal: true,
    record: { attempts: 3, retryAt: null },
  });
});

test('a task is offered when its back-off is over, and never later than that after the clock was set back', () => {
  const record = afterFailures(2);
  expect([1, 2].map((minutes) => isDue(record, NOON + minutes * MINUTE))).toEqual([false, true]);
  expect(isDue(record, NOON - 60 * MINUTE)).toBe(true);
  expect(isDue(NO_WORK, NOON)).toBe(true);
});

test('who hands it back himself begins anew; who gives it back leaves what was tried', () => {
  expect(afterHandBack(afterFailures(2), anEvent({ outcome: 'blocked' }))).toMatchObject({
    attempts: 0,
    retryAt: null,
  });
  expect(afterRelease(afterFailures(2), anEvent({ outcome: 'released' }))).toMatchObject({
    attempts: 2,
    retryAt: null,
  });
});

test('a record is read back as it was written, keeps its last twenty events, and each text short', () => {
  const record = afterAttempt(afterFailures(25), anEvent({ reason: 'x\n'.repeat(9000) }), {
    now: NOON,
    most: 100,
  }).record;
  expect(parseWork(workText(record))).toEqual(record);
  expect(record.events).toHaveLength(20);
  expect(record.events.at(-1)?.reason?.length).toBeLessThan(2001);
  expect(record.events.at(-1)?.reason).not.toContain('\n');
});

test.for(['', '{}', '[1]', '{"schema":"dispatcher.work/2","attempts":2}'])('%s is no record', (text) => {
  expect(parseWork(text)).toEqual(NO_WORK);
});

test('what an agent wrote there itself is taken for what it is', () => {
  const text = JSON.stringify({
    schema: 'dispatcher.work/1',
    attempts: 'many',
    retryAt: 'never',
    events: [null, { at: 'x' }, { at: '2026-01-01T00:00:00Z', outcome: 'done', reason: '\u001b[2J', pullRequest: 5 }],
  });
  expect(parseWork(text)).toEqual({
    attempts: 0,
    retryAt: null,
    events: [{ at: '2026-01-01T00:00:00.000Z', by: '', outcome: 'done', reason: '[2J', pullRequest: null, note: null }],
  });
});
