import { rmSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dispatch } from '../../src/pass/pass.ts';
import type { DispatchDeps } from '../../src/pass/pass-deps.ts';
import { UserError } from '../../src/core/errors.ts';
import { brokenPause } from '../../src/core/state/pause.ts';
import { aFullIssue, keyOf, MINUTE, NOON } from '../support/builders.ts';
import { simulation, withGitea } from '../support/pass.ts';

const manyIssues = (count: number) =>
  Array.from({ length: count }, (_, index) => aFullIssue({ number: index + 1, id: index + 1, createdAt: index }));

/** The shortest time between two appearances. */
const closest = (times: readonly number[]): number =>
  Math.min(...times.slice(1).map((time, index) => time - (times[index] ?? 0)));

describe('the hard limit', () => {
  test('60 timer starts a minute apart, each up to 2 s early or late: 60 dispatches, never two within 60 s', async () => {
    const issues = manyIssues(80);
    // A linear congruence: jitter that looks random and is the same in every run.
    const jitter = (index: number): number => ((index * 1_103_515_245 + 12_345) % 4001) - 2000;
    const { deps, clock, appearances } = simulation(() => issues, NOON);
    for (let index = 0; index < 60; index += 1) {
      clock.now = Math.max(clock.now, NOON + index * MINUTE + jitter(index));
      await dispatch({ ...deps, listIssues: async (mode) => ((clock.now += 150), deps.listIssues(mode)) });
    }
    expect(appearances).toHaveLength(60);
    expect(closest(appearances)).toBeGreaterThanOrEqual(MINUTE);
  });

  test('holds for any times of starting', async () => {
    const issues = manyIssues(40);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 90_000 }), { maxLength: 12 }), async (gaps) => {
        const { deps, clock, appearances } = simulation(() => issues, NOON);
        for (const gap of gaps) {
          clock.now += gap;
          await dispatch(deps);
        }
        expect(closest(appearances)).toBeGreaterThanOrEqual(MINUTE);
      }),
      { numRuns: 15 },
    );
  });

  test('holds for one window after the clock was set back, then goes on', async () => {
    const issues = manyIssues(5);
    const { deps, clock, appearances, events } = simulation(() => issues, NOON);
    await dispatch(deps);
    clock.now = NOON - 24 * 60 * MINUTE;
    await dispatch(deps);
    expect(events.at(-1)?.message).toContain('the clock was set back');
    clock.now += 54_000;
    await dispatch(deps);
    expect(appearances).toHaveLength(1);
    clock.now += 6000;
    await dispatch(deps);
    expect(appearances).toHaveLength(2);
  });

  test.for([
    { set: 'forward by an hour', by: 60 * MINUTE, says: 'set forward by 1h' },
    { set: 'forward by ten years', by: 5_256_000 * MINUTE, says: 'set forward by 3650d' },
    { set: 'back by a day', by: -1440 * MINUTE, says: 'set back by 1d' },
  ])('the clock $set moves no slot while the machine stays up', async ({ by, says }) => {
    const { deps, clock, appearances, events } = simulation(() => manyIssues(5), NOON);
    const at = (sinceDispatch: number): void => {
      clock.now = NOON + by + sinceDispatch;
      clock.uptime = { bootId: 'one', ms: 1000 + sinceDispatch };
    };
    clock.uptime = { bootId: 'one', ms: 1000 };
    await dispatch(deps);
    at(10_000);
    await dispatch(deps);
    expect(events.at(-1)?.message).toContain(says);
    expect(events.at(-1)?.message).toContain('the last dispatch was 10s ago');
    at(54_000);
    await dispatch(deps);
    expect(events.filter(({ name }) => name === 'WARNING')).toHaveLength(1);
    expect(appearances).toHaveLength(1);
    at(56_000);
    await dispatch(deps);
    expect(appearances.map((time) => Math.round((time - NOON) / 100) * 100)).toEqual([0, by + MINUTE]);
  });

  test('what waits for the slot waits until the files show it: the kernel stamps them with the time of its last tick', async () => {
    const { deps, clock, appearances } = simulation(() => manyIssues(2), NOON);
    await dispatch(deps);
    const [first = 0] = appearances;
    clock.now = first + MINUTE - 1000;
    await dispatch(deps);
    expect((appearances[1] ?? 0) - first - MINUTE).toBeGreaterThanOrEqual(20);
  });

  test('across a restart of the machine the clock counts', async () => {
    const { deps, clock, appearances, events } = simulation(() => manyIssues(5), NOON);
    clock.uptime = { bootId: 'one', ms: 1000 };
    await dispatch(deps);
    clock.now += MINUTE;
    clock.uptime = { bootId: 'two', ms: 500 };
    await dispatch(deps);
    expect(appearances).toHaveLength(2);
    expect(events.filter(({ name }) => name === 'WARNING')).toEqual([]);
  });
});

describe('a pass that was stopped', () => {
  const killed = (): never => {
    throw new Error('killed');
  };
  /** A pass that ends after it has taken the slot, as by a kill: nothing is written from then on. */
  const dieAfterTheSlot = async (dying: DispatchDeps): Promise<void> => {
    let writes = 0;
    const write: DispatchDeps['state']['write'] = (state) => ((writes += 1) > 1 ? undefined : dying.state.write(state));
    await dispatch({ ...dying, state: { ...dying.state, write } }).catch(() => {});
  };

  test('after taking the slot and before publishing costs the slot, not the task', async () => {
    const issues = manyIssues(1);
    const { deps, clock, appearances, events } = simulation(() => issues, NOON);
    const draft: DispatchDeps['tasks']['draft'] = (...all) => ({ ...deps.tasks.draft(...all), publish: killed });
    await dieAfterTheSlot({ ...deps, tasks: { ...deps.tasks, draft } });
    clock.now += 30_000;
    await dispatch(deps);
    expect(events).toContainEqual(
      expect.objectContaining({
        name: 'RECOVERED',
        message: expect.stringContaining('its slot is lost, the task is not'),
      }),
    );
    expect(appearances).toHaveLength(0);
    clock.now += 30_000;
    await dispatch(deps);
    expect(appearances).toHaveLength(1);
    expect(deps.journal.read()).toHaveLength(1);
  });

  test('after publishing and before the journal is completed by the next one, which keeps the limit', async () => {
    const issues = manyIssues(2);
    const { deps, clock, appearances, events } = simulation(() => issues, NOON);
    await dieAfterTheSlot({ ...deps, journal: { ...deps.journal, append: killed } });
    expect(deps.journal.read()).toHaveLength(0);
    clock.now += 30_000;
    await dispatch(deps);
    expect(events).toContainEqual(
      expect.objectContaining({
        name: 'RECOVERED',
        message: expect.stringContaining('the record is complete now'),
      }),
    );
    expect(deps.journal.read()).toMatchObject([{ ref: 'acme/app#1', agent: 'hans' }]);
    clock.now += 20_000;
    await dispatch(deps);
    expect(appearances).toHaveLength(1);
  });
});

describe('a task that its agent takes away before it appears', () => {
  const removed = (): never => {
    throw Object.assign(new Error('ENOENT: no such file or directory, link'), { code: 'ENOENT' });
  };

  test('fails the pass with a remedy, costs the slot, and keeps its agent waiting for minutes', async () => {
    const issues = manyIssues(1);
    const { deps, clock, appearances } = simulation(() => issues, NOON);
    const draft: DispatchDeps['tasks']['draft'] = (...all) => ({ ...deps.tasks.draft(...all), publish: removed });
    await expect(dispatch({ ...deps, tasks: { ...deps.tasks, draft } })).rejects.toMatchObject({
      code: 'not_placed',
      message: 'acme/app#1 could not be put into the folder of hans: ENOENT: no such file or directory, link',
      hint: expect.stringMatching(/only hans should write there/u),
    });
    expect(deps.state.read().state.lastDispatch).toMatchObject({ ref: 'acme/app#1', pending: null });
    clock.now += 30_000;
    await dispatch(deps);
    expect(deps.state.decision().rows).toMatchObject([
      {
        reason: 'folder_unusable',
        detail: expect.stringContaining('it waits for some minutes; acme/app#1 could not be put'),
      },
    ]);
    clock.now += 30_000;
    await dispatch(deps);
    expect(appearances).toHaveLength(1);
    expect(deps.state.read().state.turns).toEqual({});
  });

  test('is out when its file is there, whatever failed after that', async () => {
    const issues = manyIssues(1);
    const { deps, appearances, events } = simulation(() => issues, NOON);
    const draft: DispatchDeps['tasks']['draft'] = (...all) => {
      const real = deps.tasks.draft(...all);
      return { ...real, publish: (replace) => (real.publish(replace), removed()) };
    };
    const published = (): ReturnType<DispatchDeps['tasks']['published']> => ({
      dispatchedAt: new Date(NOON).toISOString(),
      appearedAt: NOON,
    });
    await dispatch({ ...deps, tasks: { ...deps.tasks, draft, published } });
    expect(appearances).toHaveLength(1);
    expect(events.map(({ name }) => name)).toContain('DISPATCHED');
    expect(deps.journal.read()).toHaveLength(1);
  });
});

describe('a pass', () => {
  test('records each candidate with its outcome and reason', async () => {
    const issues = [
      aFullIssue({ number: 1, id: 1 }),
      aFullIssue({ number: 2, id: 2, labels: ['hold'] }),
      aFullIssue({ number: 3, id: 3, createdAt: NOON }),
    ];
    const { deps } = simulation(() => issues, NOON, { holdLabels: ['hold'] });
    await dispatch(deps);
    const rows = deps.state.decision().rows.map(({ ref, outcome, reason, detail }) => [ref, outcome, reason, detail]);
    expect(rows).toEqual([
      ['acme/app#1', 'chosen', null, null],
      ['acme/app#2', 'skipped', 'held', 'label hold'],
      ['acme/app#3', 'next', null, null],
    ]);
  });

  test('takes the labels of the moment: an issue that was put on hold since the list was read stays', async () => {
    const listed = [aFullIssue({ number: 1, id: 1, labels: ['critical'] }), aFullIssue({ number: 2, id: 2 })];
    const { deps } = simulation(() => listed, NOON, { holdLabels: ['hold'] });
    await dispatch(
      withGitea(deps, {
        readIssue: async ({ number }) =>
          number === 1 ? aFullIssue({ number: 1, id: 1, labels: ['critical', 'hold'] }) : (listed[1] ?? null),
      }),
    );
    expect(deps.journal.read()).toMatchObject([{ ref: 'acme/app#2' }]);
  });

  test('counts failures in a row and when they began, and forgets them after a good one', async () => {
    const { deps, clock } = simulation(() => [], NOON);
    const outage = new UserError('Gitea is away', { exitCode: 75, code: 'gitea_unreachable', hint: 'wait' });
    const failing = { ...deps, listIssues: async () => Promise.reject(outage) };
    for (let pass = 0; pass < 3; pass += 1) {
      await expect(dispatch(failing)).rejects.toBe(outage);
      clock.now += MINUTE;
    }
    expect(deps.state.heartbeat()).toMatchObject({
      consecutiveFailures: 3,
      failingSince: new Date(NOON).toISOString(),
      lastPass: {
        outcome: 'failed',
        error: { code: 'gitea_unreachable', message: 'Gitea is away', hint: 'wait' },
      },
    });
    await dispatch(deps);
    expect(deps.state.heartbeat()).toMatchObject({ consecutiveFailures: 0, failingSince: null });
  });

  test('blames no issue for a server that is away: two different ones are enough to tell', async () => {
    const { deps, clock } = simulation(() => manyIssues(5), NOON);
    const outage = new UserError('Gitea is away', { exitCode: 75, code: 'gitea_unreachable', hint: 'wait' });
    const asked: number[] = [];
    const away = withGitea(deps, {
      readIssue: async ({ number }) => {
        asked.push(number);
        throw outage;
      },
    });
    await expect(dispatch(away)).rejects.toBe(outage);
    expect(asked).toEqual([1, 2]);
    // They wait for a minute, however often that happens, and the others are asked first.
    clock.now += MINUTE;
    await expect(dispatch(away)).rejects.toBe(outage);
    expect(asked).toEqual([1, 2, 1, 2, 3, 4]);
    expect(
      Object.values(deps.state.read().state.turns).map(({ dueAt, askedAt }) => Date.parse(dueAt) - Date.parse(askedAt)),
    ).toContain(MINUTE);
    clock.now += MINUTE;
    await dispatch(deps);
    expect(deps.journal.read()).toHaveLength(1);
  });

  test('blames an issue that times out when the next one loads', async () => {
    const issues = manyIssues(2);
    const { deps, clock } = simulation(() => issues, NOON);
    const outage = new UserError('no answer', { exitCode: 75, code: 'gitea_unreachable', hint: 'wait' });
    await dispatch(
      withGitea(deps, {
        readIssue: async ({ number }) => (number === 1 ? Promise.reject(outage) : (issues[number - 1] ?? null)),
      }),
    );
    expect(deps.journal.read()).toMatchObject([{ ref: 'acme/app#2' }]);
    expect(deps.state.read().state.turns).toMatchObject({ [`read ${keyOf(1)}`]: { tries: 1, message: 'no answer' } });
    clock.now += MINUTE;
    await dispatch(deps);
    expect(deps.journal.read()).toHaveLength(2);
    expect(deps.state.read().state.turns).toEqual({});
  });

  test('dispatches a deleted file again, as another attempt', async () => {
    const issues = manyIssues(1);
    const { deps, clock } = simulation(() => issues, NOON);
    await dispatch(deps);
    rmSync(deps.journal.read()[0]!.file);
    clock.now += MINUTE;
    await dispatch(deps);
    expect(deps.journal.read().map((entry) => entry.attempt)).toEqual([1, 2]);
  });
});

test('a journal that cannot be read ends the pass; the issue need not wait after it is mended', async () => {
  const issues = manyIssues(1);
  const { deps, appearances } = simulation(() => issues, NOON);
  const attempts = (): never => {
    throw new UserError('the journal cannot be read', { exitCode: 1, code: 'journal_unreadable' });
  };
  await expect(dispatch({ ...deps, journal: { ...deps.journal, attempts } })).rejects.toThrow('journal');
  await dispatch(deps);
  expect(appearances).toHaveLength(1);
});

test('a pause that is taken back while a pass is at it holds nothing up in the next one', async () => {
  const issues = manyIssues(1);
  const { deps, appearances } = simulation(() => issues, NOON);
  const listIssues: typeof deps.listIssues = async (...args) => ({
    ...(await deps.listIssues(...args)),
    stamp: 'same',
  });
  const pauses = [[brokenPause(null)]];
  const racing = { ...deps, listIssues, state: { ...deps.state, pauses: () => pauses.shift() ?? [] } };
  await dispatch(racing);
  expect(appearances).toHaveLength(0);
  await dispatch(racing);
  expect(appearances).toHaveLength(1);
});
