// Twenty hosts and what is done to them in each round. What happens by chance is the same every time; when it hits is not.

import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { COMMAND, type Finished, finished, NODE } from '../support/command.ts';
import { clockWrongBy } from '../support/faketime.ts';
import { randomFrom } from '../support/history.ts';
import { DATABASE, type Host, hostsOf } from '../support/hosts.ts';
import type { OwnershipEvent } from '../support/ownership.ts';
import { age, witness } from '../support/ownership-record.ts';
import type { Cluster } from '../support/postgres.ts';
import { unseemly } from './experiment.ts';
import { agentsWork, brokenHistory, brokenInOffice, officeRecord, taskFiles } from './hosts-office.ts';

const HOSTS = 20;
const RATE_MS = 1000;
/** The shortest that there is; who is to lose it is made older in the tables. */
const LEASE_MS = 120_000;
/** So long a host stands still or stays away. */
const GONE_MS = 8000;
/** Rounds last for seconds here, not for a minute: two of them, with a machine that is busy with other things. */
const PATIENCE_MS = 60_000;
const LABELS = ['Priority/Critical', 'Priority/High', 'Priority/Low'];
/** How wrong the clocks of some hosts are, as faketime takes it. */
export const CLOCKS = ['+10y', '-10y', '+1d', '-1h', '+3y'];
const FATES = ['killed', 'stopped', 'request lost', 'answer lost', 'slow', 'swallowed', 'away'] as const;

type Fate = 'plain' | (typeof FATES)[number];

/** Starts a command on a host whose clock is wrong. */
export function startAt(host: Host, clock: string | null, args: readonly string[]): ChildProcess {
  if (clock === null) return host.start(args);
  const environment = { PATH: process.env['PATH'], HOME: host.folder, GITEA_TOKEN: host.gitea.token };
  const faked = { ...environment, ...clockWrongBy(clock) };
  return spawn(NODE, [COMMAND, ...args], { cwd: host.folder, env: faked, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** An office of twenty hosts and as many agents, each of whom lives on three of them. */
export async function startCrowd(first: Cluster, { rounds }: { readonly rounds: number }) {
  let cluster = first;
  const random = randomFrom(20_261_125);
  const chance = (probability: number): boolean => random() < probability;
  const among = <T>(list: readonly T[]): T | undefined => list[Math.floor(random() * list.length)];
  const names = Array.from({ length: HOSTS }, (_, index) => `host-${index}`);
  const homes = new Map(
    names.map((name, index) => [name, [index, index + 3, index + 13].map((each) => `agent-${each % HOSTS}`)]),
  );
  const hosts = await hostsOf({
    cluster,
    agents: Object.fromEntries(homes),
    yaml: `rateLimit: ${RATE_MS}ms\nupdates: { enabled: false }`,
    lease: `${LEASE_MS}ms`,
    // A repository of its own, so that each of them lists in each of its passes: nobody waits for a minute here.
    repositoriesOf: (name) => ['acme/app', `acme/${name}`],
  });
  witness(cluster, DATABASE);
  const [{ gitea }] = hosts;
  for (const name of names) gitea.addRepository(`acme/${name}`);
  const record = officeRecord();
  const outputs = new Map<Host, Finished[]>(hosts.map((host) => [host, []]));
  const wanted: OwnershipEvent[] = [];
  const busy = new Map<Host, Promise<void>>();
  const away = new Map<Host, number>();
  const faults: Record<string, number> = {};
  const unseen: string[] = [];
  const isOpen = new Set<string>();
  let passes = 0;
  let issues = 0;

  const count = (what: string): void => void (faults[what] = (faults[what] ?? 0) + 1);
  const start = (host: Host): ChildProcess => {
    passes += 1;
    const index = hosts.indexOf(host);
    const clock = index % 4 === 3 ? CLOCKS[Math.floor(index / 4) % CLOCKS.length] : undefined;
    return startAt(host, clock ?? null, []);
  };
  const open = (): void => {
    issues += 1;
    const agent = `agent-${Math.floor(random() * HOSTS)}`;
    const label = chance(0.5) ? among(LABELS) : undefined;
    gitea.addIssue({
      repository: 'acme/app',
      number: issues,
      title: `Issue ${issues}`,
      assignees: [agent],
      labels: label ? [label] : [],
    });
    wanted.push({ at: Date.now(), event: 'wanted', task: `${agent} ${issues}` });
    isOpen.add(`${agent} ${issues}`);
  };
  const suffer = async (host: Host, fate: Fate): Promise<void> => {
    if (fate !== 'plain') count(fate);
    const isLoss = fate === 'request lost' || fate === 'answer lost';
    if (isLoss)
      host.proxy.lose({ message: 1 + Math.floor(random() * 25), what: fate === 'request lost' ? 'request' : 'answer' });
    if (fate === 'slow') host.proxy.delay(15);
    const child = start(host);
    const end = finished(child);
    if (fate === 'killed' || fate === 'stopped' || fate === 'swallowed') {
      await wait(random() * 900);
      if (fate === 'swallowed') host.proxy.swallow(true);
      else child.kill(fate === 'killed' ? 'SIGKILL' : 'SIGSTOP');
    }
    if (fate === 'stopped') {
      await gone(host);
      child.kill('SIGCONT');
    }
    const result = await end;
    host.proxy.lose(null);
    host.proxy.delay(0);
    if (fate === 'swallowed') host.proxy.swallow(false);
    outputs.get(host)?.push(result);
    if (fate !== 'killed') unseen.push(...unseemly(result).map((what) => `${host.name}, ${fate}: ${what}`));
    record.look(host);
  };
  /** By the tables, it has not come for longer than the lease. */
  const gone = async (host: Host): Promise<void> => {
    await wait(GONE_MS / 4);
    try {
      age(cluster, DATABASE, host.name, 3);
    } catch {
      // The database is down, or about to be: then this one was gone for too short a time.
    }
    await wait((GONE_MS * 3) / 4);
  };
  const pass = async (host: Host, fate: Fate): Promise<void> => {
    if (busy.has(host)) return;
    if ((away.get(host) ?? 0) > performance.now()) return;
    agentsWork(host, record, chance);
    const life = suffer(host, fate).finally(() => busy.delete(host));
    busy.set(host, life);
    // What stands still for long does not hold the others up.
    await Promise.race([life, wait(fate === 'stopped' || fate === 'swallowed' ? 1500 : 60_000)]);
  };
  const round = async (fateOf: () => Fate): Promise<void> => {
    const next = hosts[Symbol.iterator]();
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        for (let item = next.next(); !item.done; item = next.next()) {
          const fate = fateOf();
          if (fate === 'away') {
            count(fate);
            away.set(item.value, performance.now() + 2 * GONE_MS);
            busy.set(
              item.value,
              gone(item.value).finally(() => busy.delete(item.value)),
            );
          } else await pass(item.value, fate);
        }
      }),
    );
  };

  for (let issue = 0; issue < 8 + rounds; issue += 1) open();
  return {
    /** What people do between two rounds. */
    people: (number: number): void => {
      if (number < rounds - 3) open();
      const closed = chance(0.3) ? among([...isOpen]) : undefined;
      if (closed === undefined) return;
      gitea.editIssue(`acme/app#${closed.split(' ')[1]}`, { state: 'closed' });
      isOpen.delete(closed);
      wanted.push({ at: Date.now(), event: 'unwanted', task: closed });
    },
    /** Every host has its turn, four at a time; something may happen to the database in the middle of it. */
    duringRound: async (trouble: (() => Promise<void>) | null): Promise<void> => {
      const going = round(() => (chance(0.35) ? (among(FATES) ?? 'plain') : 'plain'));
      if (trouble) {
        await wait(1500);
        await trouble();
      }
      await going;
    },
    killDatabase: async (): Promise<void> => {
      count('database killed');
      await cluster.kill();
      await wait(1000);
      await cluster.restart();
    },
    /** A synchronous replica takes over; the one that was the primary never comes back. */
    failOver: async (): Promise<void> => {
      count('failover');
      const replica = await cluster.replica();
      onTestFinished(async () => replica.remove());
      await wait(1000);
      await cluster.kill();
      await replica.promote();
      cluster = replica;
      for (const host of hosts) host.proxy.aim(replica.port);
    },
    /** All is well again: passes go on until nothing moves any more. */
    settle: async (): Promise<void> => {
      await Promise.all(busy.values());
      away.clear();
      const look = (): string => JSON.stringify(hosts.map(taskFiles));
      for (let still = 0, before = look(), turn = 0; still < 3 && turn < 80; turn += 1) {
        await round(() => 'plain');
        const now = look();
        still = now === before ? still + 1 : 0;
        before = now;
      }
    },
    conclude: () => ({
      passes,
      faults: { ...faults, issues, files: record.appeared.length },
      broken: [
        ...unseen,
        ...brokenInOffice(hosts, outputs, { rateMs: RATE_MS, record, due: [...isOpen] }),
        ...brokenHistory(cluster, record, wanted, {
          rateLimitMs: RATE_MS,
          leaseMs: LEASE_MS,
          patienceMs: PATIENCE_MS,
          until: Date.now(),
        }),
      ],
    }),
  };
}
