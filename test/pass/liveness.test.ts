// Safety says what never happens; this says what does, and by when. Offices are made up: issues that fail in each way, never
// answer, are held or blocked; folders that cannot be written; clocks that jump. Whoever can go, goes in time.

import { mkdirSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import type { FullIssue } from '../../src/core/issue/issue.ts';
import type { LogEvent } from '../../src/core/health/log-event.ts';
import { dispatch } from '../../src/pass/pass.ts';
import type { DispatchDeps, GiteaSlice } from '../../src/pass/pass-deps.ts';
import { aFullIssue, MINUTE, NOON } from '../support/builders.ts';
import { simulation, withGitea } from '../support/pass.ts';

/** How long a pass has for Gitea, as in deps/gitea.ts. */
const BUDGET_MS = 38_000;
const AGENTS = ['hans', 'greta', 'ida'];

/** What may be wrong with an issue, for ever. */
const AILMENTS = [
  'silent',
  'refused',
  'too large',
  'gone',
  'blocked',
  'stranger',
  'unwritable',
  'removed',
  'raw',
  'changed',
] as const;
type Ailment = (typeof AILMENTS)[number];

interface Office {
  /** From the most urgent on: what is wrong with each, or nothing. */
  readonly issues: readonly { readonly ailment: Ailment | null; readonly agents: readonly string[] }[];
  /** An agent in whose folder nothing can be written. */
  readonly broken: string | null;
  /** Minutes that the clock jumps before each of the first passes. */
  readonly jumps: readonly number[];
}

const outage = (code: string): UserError => new UserError('no answer', { exitCode: 75, code, hint: 'wait' });

/** A Gitea that answers for each issue as its ailment says, and takes time for it on the simulated clock. */
function ailing(
  office: Office,
  issues: readonly FullIssue[],
  clock: { now: number },
): (ms: number) => Partial<GiteaSlice> {
  return (ms) => {
    const endsAt = clock.now + ms;
    const read = async ({ number }: { number: number }): Promise<FullIssue | null> => {
      const issue = issues[number - 1] ?? null;
      clock.now += 20;
      // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the others are read as they are
      switch (office.issues[number - 1]?.ailment) {
        case 'silent':
          clock.now = Math.max(clock.now, endsAt);
          throw outage('gitea_timeout');
        case 'refused':
          throw new UserError('not allowed', { exitCode: 4, code: 'gitea_forbidden' });
        case 'too large':
          clock.now = Math.min(clock.now + 9000, endsAt);
          throw outage('gitea_unreachable');
        case 'raw':
          throw new TypeError('a bug of ours that only this issue shows');
        case 'gone':
          return null;
        case 'changed':
          return issue && { ...issue, labels: ['Priority/Low'] };
        case 'blocked':
          return issue && { ...issue, blockers: [{ ref: null, title: 'secret', open: true, url: null }] };
        default:
          return issue;
      }
    };
    return {
      readIssue: read,
      peekIssue: read,
      readAssigner: async ({ number }) => (office.issues[number - 1]?.ailment === 'stranger' ? 'mallory' : 'ana'),
    };
  };
}

/** Runs passes a minute apart; answers who got what in which pass. */
async function lived(office: Office, passes: number): Promise<ReadonlyMap<string, number>> {
  const issues = office.issues.map(({ agents, ailment }, index) =>
    aFullIssue({
      number: index + 1,
      id: index + 1,
      createdAt: NOON - 1_000_000 + index,
      assignees: [...agents],
      labels: ailment === 'changed' ? ['Priority/Critical'] : [],
    }),
  );
  const { deps, clock } = simulation(() => issues, NOON, {
    trust: { authors: null, commenters: null, assigners: ['ana'] },
  });
  const got = new Map<string, number>();
  for (let pass = 0; pass < passes; pass += 1) {
    clock.now += MINUTE * (1 + (office.jumps[pass] ?? 0));
    const endsAt = clock.now + BUDGET_MS;
    const answers = ailing(office, issues, clock);
    const given: DispatchDeps = {
      ...deps,
      timeLeft: () => endsAt - clock.now,
      gitea: (ms) => ({ ...deps.gitea(ms), ...answers(ms) }),
      tasks: {
        ...deps.tasks,
        draft: (candidate, text) => {
          const isBad =
            candidate.agent === office.broken || office.issues[candidate.issue.number - 1]?.ailment === 'unwritable';
          if (isBad) throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' });
          const draft = deps.tasks.draft(candidate, text);
          if (office.issues[candidate.issue.number - 1]?.ailment !== 'removed') return draft;
          // Its agent watches its folder, and is faster.
          const publish = (): never => {
            throw Object.assign(new Error('ENOENT: no such file or directory, link'), { code: 'ENOENT' });
          };
          return { ...draft, publish };
        },
      },
    };
    await dispatch(given).catch(() => {});
    for (const { issueId, agent } of deps.journal.read())
      if (!got.has(`${issueId} ${agent}`)) got.set(`${issueId} ${agent}`, pass);
  }
  return got;
}

/** Which tasks nothing keeps from going. An agent in whose folder one cannot be written may wait for its own, nobody else's. */
function free({ issues, broken }: Office): readonly string[] {
  const marred = new Set(
    issues.flatMap(({ ailment, agents }) => (ailment === 'unwritable' || ailment === 'removed' ? agents : [])),
  );
  return issues.flatMap(({ ailment, agents }, index) =>
    ailment === null || ailment === 'changed'
      ? agents.filter((agent) => agent !== broken && !marred.has(agent)).map((agent) => `${index + 1} ${agent}`)
      : [],
  );
}

/**
 * The bound of the README: one pass for each task that goes, and one for each issue in front of it that does not. An issue
 * that never answers uses up a slice of 10 s; at least one that was never asked has its turn in each pass.
 */
function passesFor(office: Office): number {
  return office.issues.flatMap(({ agents }) => agents).length + office.issues.length + 20;
}

const anOffice = (most: number): fc.Arbitrary<Office> =>
  fc.record({
    issues: fc.array(
      fc.record({
        ailment: fc.oneof(
          { weight: 3, arbitrary: fc.constantFrom(...AILMENTS) },
          { weight: 1, arbitrary: fc.constant(null) },
        ),
        agents: fc.subarray(AGENTS, { minLength: 1 }),
      }),
      { minLength: 1, maxLength: most },
    ),
    broken: fc.oneof({ weight: 2, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.constantFrom(...AGENTS) }),
    jumps: fc.array(fc.constantFrom(0, 0, 0, 525_600, -525_600, 60, -60), { maxLength: 6 }),
  });

test('whatever subset fails, never answers, or is held: everybody who is free gets his task in time', async () => {
  await fc.assert(
    fc.asyncProperty(anOffice(14), async (office) => {
      const got = await lived(office, passesFor(office));
      expect(free(office).filter((task) => !got.has(task))).toEqual([]);
    }),
    { numRuns: 12 },
  );
}, 240_000);

describe('11.1, 11.2, 11.3, 11.4 one that is free goes, behind', () => {
  test.for<{ many: number; ailment: Ailment; within: number }>([
    { many: 1, ailment: 'silent', within: 1 },
    { many: 12, ailment: 'silent', within: 13 },
    { many: 3, ailment: 'too large', within: 3 },
    { many: 60, ailment: 'blocked', within: 8 },
    // Each is asked about twice, for each of its two agents.
    { many: 60, ailment: 'stranger', within: 16 },
    { many: 60, ailment: 'gone', within: 8 },
    { many: 60, ailment: 'refused', within: 8 },
    { many: 60, ailment: 'raw', within: 8 },
    { many: 30, ailment: 'unwritable', within: 1 },
    // Each costs a slot, and its agent waits for minutes, not each of its tasks.
    { many: 60, ailment: 'removed', within: 6 },
  ])('$many that are $ailment, within $within passes', { timeout: 60_000 }, async ({ many, ailment, within }) => {
    const others = ailment === 'unwritable' || ailment === 'too large' ? ['hans'] : ['hans', 'greta'];
    const issues = Array.from({ length: many }, () => ({ ailment, agents: others }));
    const got = await lived(
      { issues: [...issues, { ailment: null, agents: ['ida'] }], broken: null, jumps: [] },
      within,
    );
    expect([...got.keys()]).toEqual([`${many + 1} ida`]);
  });
});

test('one whose blocker is closed now goes at once, however many are held for good', async () => {
  const held = Array.from({ length: 60 }, (_, index) =>
    aFullIssue({
      id: index + 10,
      number: index + 10,
      blockers: [{ ref: null, title: 'HIDDEN', open: true, url: null }],
    }),
  );
  const blocker = aFullIssue({ id: 2, number: 2, assignees: [] });
  const waiting = aFullIssue({
    id: 1,
    number: 1,
    labels: ['critical'],
    blockers: [{ ref: 'acme/app#2', title: 'first', open: true, url: null }],
  });
  let issues = [waiting, blocker, ...held];
  const { deps, clock } = simulation(() => issues, NOON);
  const pass = async (): Promise<void> => {
    clock.now += MINUTE;
    await dispatch(deps);
  };
  for (let minute = 0; minute < 20; minute += 1) await pass();
  expect(deps.journal.read()).toEqual([]);
  issues = [{ ...waiting, blockers: [] }, ...held];
  await pass();
  expect(deps.journal.read()).toMatchObject([{ ref: 'acme/app#1' }]);
});

describe('11.6 what follows for tasks that are out', () => {
  /** Ten tasks of hans that are out, and the passes after that. */
  async function out(overrides: Parameters<typeof simulation>[2] = {}) {
    const issues = Array.from({ length: 10 }, (_, index) =>
      aFullIssue({ number: index + 1, id: index + 1, createdAt: NOON - 1_000_000 + index }),
    );
    const at = simulation(() => issues, NOON, overrides);
    for (let pass = 0; pass < 10; pass += 1) {
      at.clock.now += MINUTE;
      await dispatch(at.deps);
    }
    expect(at.deps.journal.read()).toHaveLength(10);
    const passes = async (count: number, given: DispatchDeps): Promise<readonly LogEvent[]> => {
      const before = at.events.length;
      for (let pass = 0; pass < count; pass += 1) {
        at.clock.now += MINUTE;
        await dispatch(given);
      }
      return at.events.slice(before);
    };
    return { ...at, issues, passes };
  }
  const failsFor = (numbers: readonly number[], what: 'peekIssue' | 'readIssue', deps: DispatchDeps): DispatchDeps =>
    withGitea(deps, {
      [what]: async (at: { repository: string; number: number }) => {
        if (numbers.includes(at.number)) throw outage('gitea_error');
        return deps.gitea(0)[what](at);
      },
    });

  test('five that cannot be asked about keep nobody behind them from the archive; the warning names the cause', async () => {
    const { deps, issues, passes } = await out();
    // The last four close; of the first five nobody can tell.
    const list = issues.slice(5, 6);
    for (const issue of issues.slice(6)) Object.assign(issue, { state: 'closed' });
    const asked = failsFor([1, 2, 3, 4, 5], 'peekIssue', deps);
    const events = await passes(14, {
      ...asked,
      listIssues: async () => ({ issues: list, warnings: [], isUnread: () => false }),
    });
    expect(events.filter(({ name }) => name === 'ARCHIVED')).toHaveLength(4);
    expect(events.find(({ message }) => message.includes('no answer'))?.message).toContain('could not be found out');
  });

  test('a folder from which nothing can be moved keeps no other task from the archive', async () => {
    const { deps, issues, passes } = await out();
    for (const issue of issues) Object.assign(issue, { state: 'closed' });
    const refusing = (task: Parameters<DispatchDeps['tasks']['archive']>[0]) => {
      if (task.number <= 6) throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' });
      return deps.tasks.archive(task);
    };
    const none = async () => ({ issues: [], warnings: [], isUnread: () => false });
    const events = await passes(16, { ...deps, listIssues: none, tasks: { ...deps.tasks, archive: refusing } });
    expect(events.filter(({ name }) => name === 'ARCHIVED')).toHaveLength(4);
    expect(events.some(({ message }) => message.includes('EACCES'))).toBe(true);
  });

  test('issues that Gitea does not show any more burn no read of the others’ news', async () => {
    const { deps, issues, passes } = await out();
    for (const issue of issues) Object.assign(issue, { updatedAt: NOON + 20 * MINUTE, body: 'More.' });
    const hidden = withGitea(deps, {
      readIssue: async (at) => (at.number <= 6 ? null : deps.gitea(0).readIssue(at)),
    });
    const events = await passes(2, hidden);
    expect(events.filter(({ name }) => name === 'NEWS')).toHaveLength(4);
  });

  test('receipts that fail leave their turn to the others', async () => {
    const { deps, passes } = await out();
    const left: number[] = [];
    const state = deps.state.read().state;
    const tasks = Object.entries(state.tasks ?? {}).map(([key, task]) => [key, { ...task, receipt: 'due' as const }]);
    deps.state.write({ ...state, tasks: Object.fromEntries(tasks) });
    const config = { ...deps.config, receipt: { reaction: null, label: null, comment: true } };
    const leaving = withGitea(
      { ...deps, config },
      {
        leaveReceipt: async ({ number }) => {
          left.push(number);
          if (number > 4) throw outage('gitea_forbidden');
          return { comment: number, missing: null };
        },
      },
    );
    await passes(3, leaving);
    expect(new Set(left.filter((number) => number <= 4)).size).toBe(4);
    // Those that fail are asked less and less often.
    const before = left.length;
    await passes(30, leaving);
    expect(left.length - before).toBeLessThan(6 * 6);
  });

  test('11.9 the program of onDispatch is told of a dispatch, whatever failed in that pass', async () => {
    const told: string[] = [];
    const issues = [aFullIssue()];
    const onDispatch = { command: ['/bin/wake'], timeoutMs: 30_000 };
    const { deps, clock } = simulation(() => issues, NOON, { onDispatch });
    const fails = { ...deps, onDispatch: async () => Promise.reject(new Error('it ended with 1')) };
    await dispatch(fails);
    expect(deps.journal.read()).toHaveLength(1);
    const telling: DispatchDeps = { ...deps, onDispatch: async ({ ref }) => void told.push(ref) };
    clock.now += MINUTE;
    // Gitea is away: that is no reason not to tell.
    await dispatch({ ...telling, listIssues: async () => Promise.reject(outage('gitea_unreachable')) }).catch(() => {});
    expect(told).toEqual(['acme/app#1']);
    clock.now += MINUTE;
    await dispatch(telling);
    expect(told).toHaveLength(1);
  });

  test('a program that always fails is given up after five tries, which is said', async () => {
    const issues = [aFullIssue()];
    const onDispatch = { command: ['/bin/wake'], timeoutMs: 30_000 };
    const { deps, clock, events } = simulation(() => issues, NOON, { onDispatch });
    let tries = 0;
    for (let pass = 0; pass < 60; pass += 1) {
      await dispatch({
        ...deps,
        onDispatch: async () => {
          tries += 1;
          throw new Error('it ended with 1');
        },
      });
      clock.now += MINUTE;
    }
    expect(tries).toBe(5);
    expect(events.some(({ message }) => message.includes('the last of 5 tries'))).toBe(true);
  });
});

describe('11.18 what ended a pass', () => {
  const issues = [
    aFullIssue({ number: 1, id: 1, labels: ['critical'] }),
    aFullIssue({ number: 2, id: 2 }),
    aFullIssue({ number: 3, id: 3 }),
  ];

  /** A pass that is killed while it reads issue #1: nothing after that happens any more. */
  async function killed(deps: DispatchDeps): Promise<void> {
    mkdirSync(deps.config.stateDirectory, { recursive: true });
    await new Promise<void>((resolve) => {
      const readIssue: GiteaSlice['readIssue'] = async (at) => {
        if (at.number !== 1) return deps.gitea(0).readIssue(at);
        resolve();
        return new Promise<never>(() => {});
      };
      const lock = async () => ({ release: () => {}, note: null });
      void dispatch({ ...withGitea(deps, { readIssue }), state: { ...deps.state, lock } });
    });
  }

  test('is remembered: the first time it is nobody’s fault, then it waits behind the others, longer and longer', async () => {
    const { deps, clock, events } = simulation(() => issues, NOON);
    await killed(deps);
    clock.now += MINUTE;
    await killed(deps);
    clock.now += MINUTE;
    await dispatch(deps);
    expect(deps.journal.read()).toMatchObject([{ ref: 'acme/app#2' }]);
    expect(
      events.some(({ message }) => message.includes('2 passes in a row ended while they were at acme/app#1')),
    ).toBe(true);
    clock.now += MINUTE;
    await dispatch(deps);
    expect(deps.journal.read()).toMatchObject([{ ref: 'acme/app#2' }, { ref: 'acme/app#1' }]);
    expect(deps.state.read().state.turns).toEqual({});
  });

  test('once, it goes in the next pass', async () => {
    const { deps, clock } = simulation(() => issues, NOON);
    await killed(deps);
    clock.now += MINUTE;
    await dispatch(deps);
    expect(deps.journal.read()).toMatchObject([{ ref: 'acme/app#1' }]);
  });
});
