import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dispatch } from '../../src/pass/pass.ts';
import { readMemory } from '../../src/io/state/history.ts';
import { readHistory } from '../../src/io/state/past.ts';
import { aFullIssue, MINUTE, NOON } from '../support/builders.ts';
import { simulation } from '../support/pass.ts';
import { pastOf } from '../support/history.ts';

test('the history tells the life of a task: waited, dispatched, done, archived', async () => {
  let issues = [aFullIssue({ number: 1, id: 1, createdAt: NOON - 30 * MINUTE }), aFullIssue({ number: 2, id: 2 })];
  const { deps, config, clock } = simulation(() => issues, NOON);
  const pass = async (minute: number): Promise<void> => {
    clock.now = NOON + minute * MINUTE;
    await dispatch(deps).catch(() => {});
  };
  mkdirSync(config.stateDirectory);
  await pass(0);
  await pass(1);
  const home = join(config.tasksDirectory, 'hans');
  mkdirSync(join(home, 'done'));
  renameSync(join(home, 'issue-1.md'), join(home, 'done/issue-1.md'));
  await pass(20);
  rmSync(join(home, 'issue-2.md'));
  await pass(21);
  issues = issues.map((issue) => ({ ...issue, state: 'closed' as const }));
  const open = { ...deps, listIssues: async () => ({ issues: [], warnings: [], isUnread: () => false }) };
  clock.now = NOON + 30 * MINUTE;
  await dispatch(open);

  const history = readHistory(config.stateDirectory);
  const stories = pastOf(history).runs.map(({ ref, waitedMs, from, to, ending, attempt }) => [
    ref,
    attempt,
    waitedMs === null ? null : Math.round(waitedMs / MINUTE),
    Math.round((from - NOON) / MINUTE),
    to === null ? null : Math.round((to - NOON) / MINUTE),
    ending,
  ]);
  expect(stories).toEqual([
    ['acme/app#2', 1, 60, 0, 21, 'again'],
    ['acme/app#1', 1, 31, 1, 20, 'done'],
    ['acme/app#2', 2, null, 21, 30, 'closed'],
  ]);
  const samples = history.flatMap((event) => (event.event === 'sample' ? [event.waiting] : []));
  expect(samples[0]).toBe('hans=0,0,1,0');
});

test('failed passes are counted, and the good one ends the outage', async () => {
  const { deps, config, clock } = simulation(() => [], NOON);
  mkdirSync(config.stateDirectory);
  const broken = {
    ...deps,
    listIssues: async () => {
      throw new Error('no');
    },
  };
  for (const minute of [0, 1, 2]) {
    clock.now = NOON + minute * MINUTE;
    await dispatch(minute === 2 ? deps : broken).catch(() => {});
  }
  const told = readHistory(config.stateDirectory).filter(({ event }) => event !== 'sample');
  expect(told).toMatchObject([{ event: 'failed' }, { event: 'failed' }, { event: 'recovered', failures: 2 }]);
});

test('a history that cannot be written costs no dispatch', async () => {
  const { deps, config, clock, events, appearances } = simulation(() => [aFullIssue()], NOON);
  mkdirSync(config.stateDirectory);
  await dispatch(deps);
  rmSync(join(config.stateDirectory, 'history'), { recursive: true });
  mkdirSync(join(config.stateDirectory, 'history/memory.json'), { recursive: true });
  rmSync(join(config.tasksDirectory, 'hans/issue-1.md'));
  clock.now += 5 * MINUTE;
  await dispatch(deps);
  expect(appearances).toHaveLength(2);
  expect(events.filter(({ message }) => message.includes('the history cannot be written'))).not.toEqual([]);
});

test('quiet hours write a sample every ten minutes, and the memory does not grow with the past', async () => {
  const { deps, config, clock } = simulation(() => [], NOON);
  mkdirSync(config.stateDirectory);
  for (let minute = 0; minute < 6 * 60; minute += 1) {
    clock.now = NOON + minute * MINUTE;
    await dispatch(deps);
  }
  expect(readHistory(config.stateDirectory)).toHaveLength(6 * 6);
  expect(readMemory(config.stateDirectory).tasks).toEqual({});
  const folder = join(config.stateDirectory, 'history');
  const bytes = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  expect(bytes).toBeLessThan(4000);
});
