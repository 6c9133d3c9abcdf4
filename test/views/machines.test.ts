// Several machines as people and programs see them, whatever the others call themselves.

import { expect, test } from 'vitest';
import { type Machines, machinesOf, machinesText, parseMachines } from '../../src/core/store/machines.ts';
import type { Overview } from '../../src/core/store/overview.ts';
import { metricsText } from '../../src/views/metrics.ts';
import { machineRows } from '../../src/views/pages/machines.ts';
import { statusScreen } from '../../src/views/status.ts';
import { machineLines, machinesTsv } from '../../src/views/store.ts';
import { paletteFor } from '../../src/views/palette.ts';
import { aPause, aSnapshot, iso, MINUTE, NOON } from '../support/builders.ts';

const overview: Overview = {
  poller: 'one',
  slot: { ref: 'acme/app#1', lastAgo: 1000 },
  pauses: [],
  decision: null,
  decidedBy: 'one',
  offered: [{ ref: 'acme/app#3', agent: 'greta', priority: 'HIGH', age: 30_000 }],
  hosts: [
    {
      name: 'one',
      version: '1.0.0',
      agents: ['hans'],
      seenAgo: 12_000,
      isLost: false,
      listedAgo: 12_000,
      lastPass: { finishedAt: iso(NOON), outcome: 'dispatched', ref: 'acme/app#1', error: null },
      tasks: ['new', 'new', 'doing'].map((stage, index) => ({
        ref: `acme/app#${index}`,
        agent: 'hans',
        title: 'a\u001B[31m title',
        priority: 'HIGH',
        stage: stage as 'new',
        attempt: 1,
        age: MINUTE,
      })),
      done: 1,
    },
    {
      name: 'two"} evil\u001B[2J',
      version: '1.0.0',
      agents: null,
      seenAgo: 7 * MINUTE,
      isLost: true,
      listedAgo: null,
      lastPass: { finishedAt: iso(NOON), outcome: 'failed', ref: null, error: { code: 'store_busy', message: 'x' } },
      tasks: [],
      done: 0,
    },
  ],
};
const machines = machinesOf(overview, 'one', NOON);

test('what one machine saw of all is kept as it is, by its own clock, and nothing else is taken for it', () => {
  expect(machines).toMatchObject({
    asOf: iso(NOON),
    self: 'one',
    hosts: [{ seenAt: iso(NOON - 12_000) }, { isLost: true }],
  });
  const pause = aPause({ agent: 'hans', reason: 'freeze' });
  expect(parseMachines(JSON.parse(machinesText(machines, [pause])))).toEqual({ machines, pauses: [pause] });
  for (const raw of [null, 3, {}, { version: 2, machines, pauses: [] }, { version: 1, machines: {}, pauses: [] }])
    expect(parseMachines(raw)).toBeUndefined();
});

test('a table names each, when it was seen, what it has, and who asked last', () => {
  const text = machineLines(machines, NOON, 100).join('\n');
  expect(text).toMatch(/^one \* \(this one\) +12s ago +dispatched +2 new, 1 doing, 1 done +hans$/mu);
  expect(text).toMatch(/7m ago, lost +failed: store_busy +- +every assignee$/mu);
  expect(text).toContain('acme/app#3 is offered to greta since 30s');
  expect(machinesTsv(machines, NOON).split('\n')[0]).toBe('one\t12\tlives\tpoller\tdispatched\t4\thans');
  expect(text + machinesTsv(machines, NOON)).not.toContain('\u001B');
});

test('status, page and metrics have them; where there is one machine they have nothing of it', () => {
  const snapshot = { ...aSnapshot({}), hosts: machines };
  const screen = (hosts: Machines | null): string =>
    statusScreen(
      { ...snapshot, hosts },
      { now: NOON, width: 100, chalk: paletteFor({ environment: {}, isTTY: false, wanted: 'never' }), unicode: true },
    );
  expect(screen(machines)).toContain('MACHINE');
  expect(screen(null)).not.toContain('MACHINE');
  const sources = { office: 'o', totals: [], waited: [], worked: [] };
  const metrics = metricsText(snapshot, sources);
  expect(metrics).toContain('dispatcher_host_tasks{office="o",host="one",state="new"} 2');
  expect(metrics).toContain('dispatcher_host_polls{office="o",host="one"} 1');
  expect(metrics).toMatch(/^dispatcher_host_lost\{office="o",host="two\\"\} evil[^"]*"\} 1$/mu);
  expect(metrics).toContain('dispatcher_offered_tasks{office="o"} 1');
  expect(metricsText({ ...snapshot, hosts: null }, sources)).not.toContain('dispatcher_host');
  expect(machineRows(machines, NOON)).toMatchObject([
    { name: 'one', isSelf: true, isPoller: true, isLost: false },
    { isSelf: false, isLost: true, agents: 'every assignee' },
  ]);
  expect(machineRows(null, NOON)).toBeNull();
});
