// A pass that finds nothing changed since one that had nothing to do does not think: it must come to what it would have come to.

import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FullIssue } from '../../src/core/issue/issue.ts';
import { dispatch } from '../../src/pass/pass.ts';
import type { DispatchDeps } from '../../src/pass/pass-deps.ts';
import { writePause } from '../../src/io/state/pauses.ts';
import { aFullIssue, MINUTE, NOON } from '../support/builders.ts';
import { type Simulation, simulation } from '../support/pass.ts';

/** Hans has one task and may have no more; another one waits. */
const BUSY = { agents: new Map([['hans', { maxTasks: 1, template: null, attempts: 3 }]]) };

interface Office extends Simulation {
  issues: FullIssue[];
  /** A pass a minute later; answers whether it looked at the issues. */
  readonly pass: (change?: Partial<DispatchDeps>) => Promise<boolean>;
}

async function quietOffice(): Promise<Office> {
  const issues = [1, 2].map((number) => aFullIssue({ number, id: number }));
  const sim = simulation(() => office.issues, NOON, BUSY);
  const office: Office = {
    ...sim,
    issues,
    pass: async (change = {}) => {
      let hasLooked = false;
      sim.clock.now += MINUTE;
      await dispatch({
        ...sim.deps,
        listIssues: async (...of) => {
          const listing = await sim.deps.listIssues(...of);
          return {
            ...listing,
            get issues() {
              hasLooked = true;
              return listing.issues;
            },
          };
        },
        ...change,
      });
      return hasLooked;
    },
  };
  mkdirSync(sim.config.stateDirectory);
  // The first dispatches, the second finds nothing to do, the third knows.
  expect([await office.pass(), await office.pass(), await office.pass()]).toEqual([true, true, false]);
  return office;
}

const home = ({ config }: Simulation): string => join(config.tasksDirectory, 'hans');

describe('a pass thinks again when', () => {
  test.for<[string, (office: Office) => void]>([
    ['an issue changed', ({ issues }) => issues.splice(1, 1, aFullIssue({ number: 2, id: 2, title: 'another' }))],
    ['a file was deleted', (office) => rmSync(join(home(office), 'issue-1.md'))],
    [
      'a file was moved to done/',
      (office) => {
        mkdirSync(join(home(office), 'done'), { recursive: true });
        renameSync(join(home(office), 'issue-1.md'), join(home(office), 'done/issue-1.md'));
      },
    ],
    ['a file came that is none of ours', (office) => writeFileSync(join(home(office), 'issue-2.md'), 'hello')],
    ['a pause began', ({ config }) => pauseFor(config, null)],
    ['what is remembered was lost', ({ config }) => rmSync(join(config.stateDirectory, 'state.json'))],
    ['how the last pass went was lost', ({ config }) => rmSync(join(config.stateDirectory, 'last-pass.json'))],
  ])('%s', async ([, change]) => {
    const office = await quietOffice();
    change(office);
    expect(await office.pass()).toBe(true);
  });

  test('a pause that holds ends', async () => {
    const office = await quietOffice();
    pauseFor(office.config, office.clock.now + 3.5 * MINUTE);
    expect([await office.pass(), await office.pass(), await office.pass(), await office.pass()]).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });

  test.for<[string, (deps: DispatchDeps) => Partial<DispatchDeps>]>([
    ['the configuration changed', ({ config }) => ({ config: { ...config, holdLabels: ['wait'] } })],
    ['a map in it changed', ({ config }) => ({ config: { ...config, agentLabels: new Map([['hans', ['x']]]) } })],
    ['another version runs', () => ({ version: '9.9.9' })],
  ])('%s', async ([, change]) => {
    const office = await quietOffice();
    expect(await office.pass(change(office.deps))).toBe(true);
  });

  test('somebody at a terminal is to be told why nothing goes', async () => {
    const office = await quietOffice();
    const said: string[] = [];
    await office.pass({ isWatched: true, say: (line) => void said.push(line) });
    expect(said).toEqual(['Nothing to dispatch: 2 candidates, all passed over (dispatched 1, agent_busy 1).']);
  });

  test('nobody can tell what is open', async () => {
    const office = await quietOffice();
    const { issues } = office;
    let asked = 0;
    const listIssues: DispatchDeps['listIssues'] = async () => ({
      get issues() {
        asked += 1;
        return issues;
      },
      warnings: [],
      isUnread: () => false,
    });
    await office.pass({ listIssues });
    await office.pass({ listIssues });
    expect(asked).toBeGreaterThan(1);
  });
});

function pauseFor({ stateDirectory }: Simulation['config'], until: number | null): void {
  const at = new Date(NOON).toISOString();
  writePause(stateDirectory, {
    agent: null,
    at,
    by: 'ana',
    reason: null,
    until: until === null ? null : new Date(until).toISOString(),
  });
}

test('a pass that did not think has the warnings of the one that did, and logs none of them again', async () => {
  const office = await quietOffice();
  const listIssues: DispatchDeps['listIssues'] = async (mode) => ({
    ...(await office.deps.listIssues(mode)),
    warnings: ['acme/x cannot be read'],
  });
  expect([await office.pass({ listIssues }), await office.pass({ listIssues })].length).toBe(2);
  expect(office.deps.state.heartbeat()?.lastPass).toMatchObject({
    outcome: 'idle',
    warnings: ['acme/x cannot be read'],
  });
  expect(office.events.filter(({ message }) => message.includes('acme/x'))).toHaveLength(1);
});

type Step = { readonly kind: 'pass' | 'edit' | 'close' | 'unassign' | 'add' | 'block' | 'done' | 'delete' | 'pause' };

test(
  'whatever happens, passes that need not think come to what those come to that do',
  { timeout: 120_000 },
  async () => {
    const kinds = fc.constantFrom<Step['kind']>('edit', 'close', 'unassign', 'add', 'block', 'done', 'delete', 'pause');
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.constant<Step>({ kind: 'pass' }) },
      { weight: 1, arbitrary: fc.record({ kind: kinds }) },
    );
    let spared = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(step, fc.nat(20), fc.integer({ min: 5, max: 400 })), { minLength: 25, maxLength: 40 }),
        async (steps) => {
          const both = await Promise.all(
            [true, false].map(async (mayRest) => {
              const history = await lived(steps, mayRest);
              spared += mayRest ? history.spared : 0;
              return history.told;
            }),
          );
          expect(both[0]).toEqual(both[1]);
        },
      ),
      { numRuns: 8 },
    );
    expect(spared).toBeGreaterThan(10);
  },
);

/** What an office with two agents comes to, step by step. */
async function lived(
  steps: readonly (readonly [Step, number, number])[],
  mayRest: boolean,
): Promise<{ readonly told: unknown; readonly spared: number }> {
  let issues = [1, 2, 3, 4].map((number) => aFullIssue({ number, id: number, assignees: [agentOf(number)] }));
  const agents = ['hans', 'greta'].map((name) => [name, { maxTasks: 2, template: null, attempts: 3 }] as const);
  const { deps, config, clock, events, appearances } = simulation(() => issues, NOON, { agents: new Map(agents) });
  let spared = 0;
  let looked = false;
  const listIssues: DispatchDeps['listIssues'] = async (mode) => {
    const { stamp, ...listing } = await deps.listIssues(mode);
    return {
      ...listing,
      ...(mayRest ? { stamp } : {}),
      get issues() {
        looked = true;
        return listing.issues;
      },
    };
  };
  mkdirSync(config.stateDirectory);
  for (const [{ kind }, which, seconds] of steps) {
    clock.now += seconds * 1000;
    const number = (which % issues.length) + 1;
    const edit = (change: Partial<FullIssue>): void => {
      const changed = (issue: FullIssue) => ({ ...issue, updatedAt: clock.now, ...change });
      issues = issues.map((issue) => (issue.number === number ? changed(issue) : issue));
    };
    if (kind === 'pass') {
      looked = false;
      await dispatch({ ...deps, listIssues });
      spared += looked ? 0 : 1;
    } else if (kind === 'edit') edit({ title: `changed ${clock.now}` });
    else if (kind === 'close') edit({ state: 'closed', assignees: [] });
    else if (kind === 'unassign') edit({ assignees: [] });
    else if (kind === 'block')
      edit({ blockers: [{ ref: 'acme/app#99', title: 'x', open: which % 2 === 0, url: null }] });
    else if (kind === 'add') {
      const id = issues.length + 1;
      issues = [...issues, aFullIssue({ number: id, id, assignees: [agentOf(id)], createdAt: clock.now })];
    } else if (kind === 'pause') pauseFor(config, clock.now + 2 * MINUTE);
    else moveTask(config.tasksDirectory, agentOf(number), which, kind);
  }
  const told = events.map(({ name, message }) => [name, message.replaceAll(config.workspace, '')]);
  return { told: { told, appearances: [...appearances], files: filesIn(config.tasksDirectory) }, spared };
}

const agentOf = (number: number): string => (number % 2 === 0 ? 'hans' : 'greta');

function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted();
  } catch {
    return [];
  }
}

function moveTask(folder: string, agent: string, which: number, kind: 'done' | 'delete'): void {
  const names = filesIn(join(folder, agent)).filter((name) => /^issue-\d+\.md$/u.test(name));
  const name = names[which % names.length];
  if (name === undefined) return;
  if (kind === 'delete') return rmSync(join(folder, agent, name));
  mkdirSync(join(folder, agent, 'done'), { recursive: true });
  renameSync(join(folder, agent, name), join(folder, agent, 'done', name));
}
