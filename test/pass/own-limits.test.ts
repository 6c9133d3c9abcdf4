// The limits of agents and repositories, over passes that are killed, lose their state, or find another clock.

import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dispatch } from '../../src/pass/pass.ts';
import { aFullIssue, MINUTE, NOON } from '../support/builders.ts';
import { type Simulation, simulation } from '../support/pass.ts';

const LIMITED = {
  repositories: [
    { owner: 'acme', name: 'app' },
    { owner: 'labs', name: null },
  ],
  taskFile: '{owner}/{repo}/issue-{number}.md',
  rateLimits: { agents: new Map([['hans', 5 * MINUTE]]), repositories: new Map([['labs/*', 3 * MINUTE]]) },
};

const issues = [
  ...[1, 2, 3, 4].map((number) => aFullIssue({ number, id: number, createdAt: number, assignees: ['hans'] })),
  ...[5, 6, 7, 8].map((number) =>
    aFullIssue({ number, id: number, createdAt: number, repository: 'labs/tool', assignees: ['greta'] }),
  ),
  ...[9, 10].map((number) => aFullIssue({ number, id: number, createdAt: number, assignees: ['bob'] })),
];

/** Who got a task in which minute. */
async function minutes(sim: Simulation, count: number, before?: (minute: number) => void) {
  const got: string[] = [];
  for (let minute = 0; minute < count; minute += 1) {
    before?.(minute);
    const known = sim.events.filter(({ name }) => name === 'DISPATCHED').length;
    await dispatch(sim.deps);
    const [event] = sim.events.filter(({ name }) => name === 'DISPATCHED').slice(known);
    got.push(event?.message.split(' ')[0] ?? '-');
    sim.clock.now += MINUTE;
  }
  return got;
}

test('an agent and a repository get theirs as often as their own limits let them, the others in between', async () => {
  const sim = simulation(() => issues, NOON, LIMITED);
  expect(await minutes(sim, 12)).toEqual([
    'hans',
    'greta',
    'bob',
    'bob',
    'greta',
    'hans',
    '-',
    'greta',
    '-',
    '-',
    'hans',
    'greta',
  ]);
  expect(JSON.parse(readFileSync(join(sim.config.stateDirectory, 'state.json'), 'utf8'))).toHaveProperty('lastOf');
});

test('a lost state opens none of them', async () => {
  const sim = simulation(() => issues, NOON, LIMITED);
  const newestTime = (): number | null => (sim.clock.now > NOON ? NOON : null);
  const lost = { ...sim, deps: { ...sim.deps, tasks: { ...sim.deps.tasks, newestTime } } };
  expect(
    await minutes(lost, 6, (minute) => {
      if (minute === 1) rmSync(join(sim.config.stateDirectory, 'state.json'));
    }),
  ).toEqual(['hans', 'bob', 'bob', 'greta', '-', 'hans']);
});

test('a clock that is set forward or back opens none of them where the uptime is known', async () => {
  for (const shift of [24 * 60 * MINUTE, -24 * 60 * MINUTE]) {
    const sim = simulation(() => issues.slice(0, 4), NOON, LIMITED);
    sim.clock.uptime = { bootId: 'one', ms: 0 };
    const got = await minutes(sim, 7, (minute) => {
      if (minute === 2) sim.clock.now += shift;
      sim.clock.uptime = { bootId: 'one', ms: minute * MINUTE };
    });
    // Ten milliseconds of the uptime are nobody's: within the patience of a pass.
    expect(got).toEqual(['hans', '-', '-', '-', '-', 'hans', '-']);
  }
});

test('without any, the state has no word of it', async () => {
  const sim = simulation(() => issues, NOON, {
    ...LIMITED,
    rateLimits: { agents: new Map(), repositories: new Map() },
  });
  expect(await minutes(sim, 3)).toEqual(['hans', 'hans', 'hans']);
  expect(readFileSync(join(sim.config.stateDirectory, 'state.json'), 'utf8')).not.toContain('lastOf');
});
