// What a pass leaves in the state, and what the passes after it make of that: after a kill, with a repository that is gone from
// the configuration, with much that is open.

import { rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { FullIssue } from '../../src/core/issue/issue.ts';
import type { Config } from '../../src/core/config/config.ts';
import { dispatchIssue } from '../../src/pass/dispatch-issue.ts';
import { openLedger } from '../../src/pass/ledger.ts';
import { dispatch } from '../../src/pass/pass.ts';
import type { DispatchDeps } from '../../src/pass/pass-deps.ts';
import { aFullIssue, keyOf, MINUTE, NOON } from '../support/builders.ts';
import { type Simulation, simulation } from '../support/pass.ts';

const manyIssues = (count: number): FullIssue[] =>
  Array.from({ length: count }, (_, index) => aFullIssue({ number: index + 1, id: index + 1, createdAt: index }));

describe('11.10 killed between the appearance of the file and its record, nothing of the task is lost', () => {
  const told: Partial<Config> = {
    receipt: { reaction: null, label: null, comment: true },
    onDispatch: { command: ['/bin/wake'], timeoutMs: 30_000 },
  };
  /** As by a kill: nothing is written from the journal on. */
  const dying = ({ deps }: Simulation): DispatchDeps => {
    let isDead = false;
    const dead = <A extends unknown[]>(work: (...all: A) => void) => {
      return (...all: A): void => (isDead ? undefined : work(...all));
    };
    const append = (): never => {
      isDead = true;
      throw new Error('killed');
    };
    const { state, journal } = deps;
    return {
      ...deps,
      journal: { ...journal, append },
      state: { ...state, write: dead(state.write), writeHeartbeat: dead(state.writeHeartbeat) },
      onDispatch: async () => Promise.reject(new Error('killed')),
    };
  };

  test.for<{ what: string; lead: (at: Simulation) => Promise<unknown>; remembered: object }>([
    {
      what: 'the first time',
      lead: async (at) => dispatch(dying(at)),
      remembered: { dispatches: 1, attempt: 1, isAssigned: true, receipt: 'due', receiptComment: null },
    },
    {
      what: 'again, after its file was deleted',
      lead: async (at) => {
        await dispatch(at.deps);
        rmSync(at.deps.journal.read()[0]?.file ?? '');
        at.clock.now += 2 * MINUTE;
        await dispatch(dying(at));
      },
      // The receipt was left by the first pass: its comment is edited, never repeated.
      remembered: { dispatches: 2, attempt: 2, isAssigned: true, receipt: 'due', receiptComment: 77 },
    },
    {
      what: 'forced, on somebody who is not assigned',
      lead: async (at) => dispatchIssue(dying(at), { number: 1, repository: 'acme/app', agent: 'greta', force: true }),
      remembered: { dispatches: 1, agent: 'greta', isAssigned: false, receipt: 'due' },
    },
  ])('$what', async ({ lead, remembered }) => {
    const issues = manyIssues(1);
    const at = simulation(() => issues, NOON, told);
    const leaving = { ...at.deps.gitea(0), leaveReceipt: async () => ({ comment: 77, missing: null }) };
    const given: Simulation = { ...at, deps: { ...at.deps, gitea: () => leaving } };
    await Promise.resolve(lead(given)).catch(() => {});
    // On the disk it is still on its way.
    expect(at.deps.state.read().state.lastDispatch?.pending).not.toBeNull();
    const { state } = openLedger(at.deps, at.clock.now + 1000);
    const tasks = Object.values(state.tasks ?? {});
    expect(tasks).toMatchObject([remembered]);
    expect(tasks[0]?.hook).toMatchObject({ agent: tasks[0]?.agent, ref: 'acme/app#1' });
    expect(tasks[0]?.seen).not.toBeNull();
  });
});

test('11.11 a dispatch writes the state twice, however many candidates there are, and keeps none of them in it', async () => {
  const issues = manyIssues(1000);
  const { deps, clock } = simulation(() => issues, NOON);
  const sizes: number[] = [];
  const write: DispatchDeps['state']['write'] = (state) => {
    sizes.push(JSON.stringify(state).length);
    deps.state.write(state);
  };
  await dispatch({ ...deps, state: { ...deps.state, write } });
  expect(deps.journal.read()).toHaveLength(1);
  expect(sizes).toHaveLength(2);
  expect(Math.max(...sizes)).toBeLessThan(4096);
  // And a pass without a free slot none at all.
  clock.now += 10_000;
  sizes.length = 0;
  await dispatch({ ...deps, state: { ...deps.state, write } });
  expect(sizes).toEqual([]);
});

describe('11.17 the tasks of a repository that was taken out of the configuration', () => {
  test('are called that, once, and archived when their issue is closed', async () => {
    const issues = manyIssues(8);
    const at = simulation(() => issues, NOON);
    for (let pass = 0; pass < 8; pass += 1) {
      await dispatch(at.deps);
      at.clock.now += MINUTE;
    }
    expect(at.deps.journal.read()).toHaveLength(8);
    const others: DispatchDeps = {
      ...at.deps,
      config: { ...at.config, repositories: [{ owner: 'acme', name: 'other' }] },
      listIssues: async () => ({ issues: [], warnings: [], isUnread: () => false }),
    };
    const before = at.events.length;
    for (let pass = 0; pass < 3; pass += 1) {
      await dispatch(others);
      at.clock.now += MINUTE;
    }
    expect(at.events.slice(before).map(({ message }) => message)).toEqual([
      'tasks of repositories that are not configured any more are out (acme/app): each is archived when its issue is closed',
    ]);
    Object.assign(issues[0] ?? {}, { state: 'closed' });
    at.clock.now += 60 * MINUTE;
    await dispatch(others);
    at.clock.now += MINUTE;
    await dispatch(others);
    expect(at.events.slice(before + 1).map(({ name }) => name)).toEqual(['ARCHIVED']);
    expect(Object.keys(at.deps.state.read().state.tasks ?? {})).not.toContain(keyOf(1));
  });
});

test('11.24 a crowd that is missing is said once, although more go missing in every pass', async () => {
  const issues = manyIssues(12);
  const at = simulation(() => issues, NOON);
  for (let pass = 0; pass < 12; pass += 1) {
    await dispatch(at.deps);
    at.clock.now += MINUTE;
  }
  const before = at.events.length;
  for (let gone = 7; gone <= 12; gone += 1) {
    const listed = issues.slice(gone);
    await dispatch({
      ...at.deps,
      listIssues: async () => ({ issues: listed, warnings: [], isUnread: () => false }),
    });
    at.clock.now += MINUTE;
  }
  expect(at.events.slice(before).map(({ message }) => message)).toEqual([
    expect.stringContaining('more than half of the dispatched issues are missing'),
  ]);
});

describe('11.22 onDispatch in a pass whose time is nearly over', () => {
  const onDispatch = { command: ['/bin/wake'], timeoutMs: 30_000 };

  test('has what is left and 5 s, is said to be cut short, and that counts for none of its tries', async () => {
    const issues = manyIssues(1);
    const { deps, clock, events } = simulation(() => issues, NOON, { onDispatch });
    const given: number[] = [];
    const slow: DispatchDeps = {
      ...deps,
      timeLeft: () => 12_000,
      onDispatch: async (_record, ms) => {
        given.push(ms);
        throw new Error(`took longer than ${ms / 1000} s and was ended`);
      },
    };
    for (let pass = 0; pass < 62; pass += 1) {
      await dispatch(slow);
      clock.now += MINUTE;
    }
    expect(new Set(given)).toEqual(new Set([17_000]));
    // Five tries are all that one has that had its time.
    expect(given.length).toBeGreaterThan(5);
    expect(events.some(({ message }) => message.includes('there was not enough time left in this pass'))).toBe(true);
    expect(events.some(({ message }) => message.includes('the last of 5 tries'))).toBe(false);
    // Once it is its turn again.
    const before = given.length;
    for (let pass = 0; pass < 60 && given.length === before; pass += 1) {
      await dispatch({ ...deps, onDispatch: async (_record, ms) => void given.push(ms) });
      clock.now += MINUTE;
    }
    expect(given.at(-1)).toBe(30_000);
    expect(Object.values(deps.state.read().state.tasks ?? {})).toMatchObject([{ hook: null }]);
  });
});
