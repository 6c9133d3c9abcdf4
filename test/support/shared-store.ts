// Machines of one office in this process: each with a folder and a store connection of its own, over one PostgreSQL or, for one machine,
// over its files. Passes are real ones, by the real clock.

import { setTimeout as wait } from 'node:timers/promises';
import type { Config } from '../../src/core/config/config.ts';
import type { FullIssue } from '../../src/core/issue/issue.ts';
import type { Store } from '../../src/core/store/store.ts';
import { makeStore, openStore, type Options } from '../../src/io/store/postgres/open.ts';
import { dispatch } from '../../src/pass/pass.ts';
import type { DispatchDeps } from '../../src/pass/pass-deps.ts';
import type { Cluster } from './postgres.ts';
import { type Simulation, simulation } from './pass.ts';

/** A machine of an office. */
export interface Machine extends Simulation {
  /** One pass; `changes`: what is different in it. */
  readonly pass: (changes?: Partial<DispatchDeps>) => Promise<void>;
  /** The names of its task files' issues, in the order of their dispatch. */
  readonly dispatched: () => readonly string[];
  /** A connection of its own to the store; the caller closes it. */
  readonly store: () => Promise<Store>;
}

/** What the machines of one office share. */
export interface SharedOffice {
  readonly schema: string;
  readonly issues: FullIssue[];
  readonly machine: (host: string, overrides?: Partial<Config>, more?: Partial<Options>) => Machine;
}

let offices = 0;

/** An office in a schema of its own. */
export async function sharedOffice(cluster: Cluster, issues: FullIssue[]): Promise<SharedOffice> {
  offices += 1;
  const schema = `office_${process.pid}_${offices}`;
  const optionsFor = (host: string, more: Partial<Options>): Options => ({
    address: cluster.url(),
    caFile: null,
    schema,
    host,
    instance: `instance of ${host}`,
    leaseMs: 300_000,
    listedForAllMs: 0,
    keepMs: 86_400_000,
    ticks: () => performance.now(),
    ...more,
  });
  await makeStore(optionsFor('maker', {}));
  return {
    schema,
    issues,
    machine: (host, overrides = {}, more = {}) =>
      machineOf(
        () => issues,
        overrides,
        async () => openStore(optionsFor(host, more)),
      ),
  };
}

/** A machine by the real clock, with the store that `open` opens for each pass; without it its files. */
export function machineOf(
  issues: () => readonly FullIssue[],
  overrides: Partial<Config>,
  open?: () => Promise<Store>,
): Machine {
  const now = (): number => performance.timeOrigin + performance.now();
  const sim = simulation(issues, now(), { rateLimitMs: RATE_MS, ...overrides });
  const real: DispatchDeps = {
    ...sim.deps,
    now,
    uptime: () => ({ bootId: 'one', ms: performance.now() }),
    sleep: async (ms) => {
      await wait(ms);
    },
  };
  return {
    ...sim,
    deps: real,
    pass: async (changes = {}) => {
      const deps = { ...real, ...changes };
      await dispatch(open ? { ...deps, store: await open() } : deps);
    },
    dispatched: () =>
      sim.events
        .filter(({ name }) => name === 'DISPATCHED')
        .map(({ message }) => /Issue #\d+|[\w-]+\/[\w-]+#\d+/u.exec(message)?.[0].replace('Issue ', '') ?? message),
    store: open ?? (async () => real.store),
  };
}

/** Short enough to be waited for: more than the patience of a pass, which waits for a slot that is near. */
export const RATE_MS = 7000;
