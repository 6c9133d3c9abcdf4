// Days of an office with twenty hosts, in which one pass in ten meets a fault: its host is killed or stands still at one of its
// calls, is cut off from the database at one line, or stays away; and the database is killed, and fails over to a replica.

import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openJournal } from '../../src/io/state/journal.ts';
import { MINUTE } from '../support/builders.ts';
import { noFaketime } from '../support/faketime.ts';
import { FAULTS } from '../support/gitea/server.ts';
import { randomFrom } from '../support/history.ts';
import { DATABASE } from '../support/hosts.ts';
import type { OwnershipEvent } from '../support/ownership.ts';
import { witness } from '../support/ownership-record.ts';
import { type Cluster, startPostgres } from '../support/postgres.ts';
import { noPostgres } from '../support/postgres-process.ts';
import { conclude } from './experiment.ts';
import { brokenHistory } from './hosts-office.ts';
import { monthGitea, type MonthHost, monthHost, moveTask } from './hosts-month.ts';
import type { AtCall } from './interposed.ts';
import { makeStore } from '../../src/io/store/postgres/open.ts';

const EVERY = Number(process.env['DISPATCHER_TEST_EVERY'] ?? 1);
const PASSES = Number(process.env['DISPATCHER_TEST_PASSES'] ?? Math.ceil(10_000 / EVERY / (EVERY > 1 ? 4 : 1)));
/** Another one is another office. */
const SEED = Number(process.env['DISPATCHER_TEST_SEED'] ?? 20_261_125);
const HOSTS = 20;
const AGENTS = ['hans', 'greta', 'ida', 'otto', 'ada', 'emil', 'nora', 'paul'];
const REPOSITORIES = ['acme/app', 'acme/api', 'acme/web'];
const LABELS = ['Priority/Critical', 'Priority/High', 'Priority/Low', 'Kind/Bug'];
const BEGIN = Date.UTC(2026, 10, 25, 12);
const LEASE_MS = 5 * MINUTE;
/** How long the database lets a session do nothing, and a transaction: what a machine that stands still holds is free then. */
const IDLE_SESSION_MS = 50_000;
const IDLE_TRANSACTION_MS = 8000;
const YEAR = 365 * 86_400_000;
/** How wrong the clocks are. */
const WRONG = [0, 0, 10 * YEAR, -10 * YEAR, 0, MINUTE, -MINUTE, 86_400_000, 0, -3 * YEAR];

const lacking = noPostgres() ?? noFaketime();
const FATES = ['killed', 'stopped', 'request lost', 'answer lost', 'away', 'gitea'] as const;

/** A pass that ends at one of its calls as by SIGKILL: nothing after it happens any more. */
function killedAt(host: MonthHost, call: number): AtCall {
  let calls = 0;
  return (_, isAnswer) => {
    if (isAnswer) return undefined;
    calls += 1;
    if (calls < call) return undefined;
    host.proxy.cut();
    throw new Error('killed here');
  };
}

describe.skipIf(lacking !== null)(`hosts of an office${lacking === null ? '' : ` (skipped: ${lacking})`}`, () => {
  test(`${PASSES} passes of ${HOSTS} hosts`, { timeout: 3_600_000 }, async (context) => {
    let cluster: Cluster = await startPostgres({ clockAt: BEGIN, settings: { max_connections: '60' } });
    onTestFinished(async () => cluster.remove());
    cluster.sql(`create database ${DATABASE}`);
    let now = BEGIN;
    const time = {
      now: () => now,
      set: (at: number): void => {
        now = Math.max(now, Math.ceil(at / 1000) * 1000);
        cluster.setClock(now);
      },
    };
    const random = randomFrom(SEED);
    const chance = (probability: number): boolean => random() < probability;
    const among = <T>(list: readonly T[]): T | undefined => list[Math.floor(random() * list.length)];
    const gitea = await monthGitea(time, REPOSITORIES);
    const appeared: OwnershipEvent[] = [];
    const wanted: OwnershipEvent[] = [];
    await makeStore({
      address: cluster.url(DATABASE),
      caFile: null,
      schema: 'dispatcher',
      host: 'x',
      instance: 'x',
      leaseMs: LEASE_MS,
      listedForAllMs: 20_000,
      keepMs: YEAR,
      ticks: time.now,
    });
    witness(cluster, DATABASE);
    const hosts: MonthHost[] = [];
    for (let index = 0; index < HOSTS; index += 1) {
      const agents = [0, 3, 5].flatMap((step) => AGENTS[(index + step) % AGENTS.length] ?? []);
      const options = {
        cluster,
        gitea,
        time,
        repositories: REPOSITORIES,
        leaseMs: LEASE_MS,
        listedForAllMs: 20_000,
        appeared: (event: OwnershipEvent) => void appeared.push(event),
      };
      hosts.push(await monthHost(`host-${index}`, agents, WRONG[index % WRONG.length] ?? 0, options));
    }

    const open = new Set<string>();
    const hadBefore = new Set<string>();
    const faults: Record<string, number> = {};
    const count = (what: string): void => void (faults[what] = (faults[what] ?? 0) + 1);
    const want = (agent: string, number: number): void => {
      open.add(`${agent} ${number}`);
      hadBefore.add(`${agent} ${number}`);
      wanted.push({ at: now, event: 'wanted', task: `${agent} ${number}` });
    };
    const drop = (task: string): void => {
      open.delete(task);
      wanted.push({ at: now, event: 'unwanted', task });
    };
    let issues = 0;
    const people = (): void => {
      if (chance(0.7)) {
        issues += 1;
        const agent = among(AGENTS) ?? 'hans';
        const label = chance(0.5) ? among(LABELS) : undefined;
        gitea.addIssue({
          repository: REPOSITORIES[issues % 3] ?? 'acme/app',
          number: issues,
          title: `Issue ${issues}`,
          assignees: [agent],
          labels: label ? [label] : [],
        });
        want(agent, issues);
      }
      const some = among(gitea.issues.filter(({ state }) => state === 'open'));
      if (!some) return;
      const ref = `${some.repository}#${some.number}`;
      const task = `${some.assignees[0]} ${some.number}`;
      if (chance(0.1)) gitea.addComment(ref, { author: 'alice', body: 'A word.' });
      if (chance(0.1)) {
        gitea.editIssue(ref, { state: 'closed' });
        drop(task);
      } else if (chance(0.05)) {
        const agent = among(AGENTS) ?? 'hans';
        if (hadBefore.has(`${agent} ${some.number}`)) return;
        gitea.editIssue(ref, { assignees: [agent] });
        drop(task);
        want(agent, some.number);
      }
    };
    const filesOf = (host: MonthHost): readonly string[] => {
      const folder = host.at.config.tasksDirectory;
      if (!existsSync(folder)) return [];
      return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
        /issue-\d+(?:\.\d+)?\.md$/u.test(name),
      );
    };
    const agentsWork = (host: MonthHost): void => {
      for (const name of filesOf(host)) {
        if (/\/(?:done|blocked|archive)\//u.test(name)) continue;
        if (!name.includes('/doing/') && chance(0.3)) moveTask(host, name, 'doing');
        else if (name.includes('/doing/') && chance(0.1)) moveTask(host, name, chance(0.1) ? 'blocked' : 'done');
      }
    };

    const outages: { from: number; to: number }[] = [];
    let passes = 0;
    const standing = new Map<
      MonthHost,
      { readonly since: number; readonly until: number; readonly go: () => void; readonly end: Promise<void> }
    >();
    /** Of those that stand still: what their transactions held is free. */
    const freed = new Set<MonthHost>();
    const awayUntil = new Map<MonthHost, number>();
    const wake = async (isAll = false): Promise<void> => {
      // Where the clock of the database stands still, no timeout of its sessions is ever over: those are the test's to end.
      for (const [host, { since }] of standing) {
        if (now - since >= IDLE_SESSION_MS) host.proxy.cut();
        if (now - since < IDLE_TRANSACTION_MS || freed.has(host)) continue;
        freed.add(host);
        cluster.sql("select pg_terminate_backend(pid) from pg_stat_activity where state like 'idle in transaction%'");
      }
      for (const [host, { until, go, end }] of standing)
        if (isAll || until <= now) {
          standing.delete(host);
          freed.delete(host);
          go();
          await end;
        }
    };
    const suffer = async (host: MonthHost, fate: (typeof FATES)[number] | null): Promise<void> => {
      if (fate !== null) count(fate);
      if (fate === 'away') {
        awayUntil.set(host, now + (2 + random() * 12) * MINUTE);
        return;
      }
      passes += 1;
      if (fate === 'killed') return host.pass(killedAt(host, 1 + Math.floor(random() * 120)));
      if (fate === 'stopped') {
        let left = 1 + Math.floor(random() * 8);
        let go = (): void => {};
        const gate = new Promise<void>((resolve) => (go = resolve));
        const stopped = new Promise<void>((resolve) => {
          const end = host.pass((_, isAnswer) => {
            if (!isAnswer) return undefined;
            left -= 1;
            if (left !== 0) return undefined;
            standing.set(host, { since: now, until: now + (1 + random() * 12) * MINUTE, go, end });
            resolve();
            return gate;
          });
          void end.then(resolve);
        });
        return stopped;
      }
      if (fate === 'request lost' || fate === 'answer lost')
        host.proxy.lose({
          message: 1 + Math.floor(random() * 30),
          what: fate === 'request lost' ? 'request' : 'answer',
        });
      const mend =
        fate === 'gitea'
          ? gitea.intercept(/./u, FAULTS[chance(0.5) ? 'overloaded' : 'reset'], 1 + Math.floor(random() * 4))
          : null;
      await host.pass(() => undefined);
      host.proxy.lose(null);
      mend?.();
    };
    const minute = async (isCalm: boolean): Promise<void> => {
      const begin = now;
      for (const [index, host] of hosts.entries()) {
        time.set(begin + index * 3000);
        await wake();
        if (standing.has(host) || (awayUntil.get(host) ?? 0) > now) continue;
        if (!isCalm) agentsWork(host);
        await suffer(host, !isCalm && chance(0.08) ? (among(FATES) ?? null) : null);
      }
      time.set(begin + MINUTE);
    };

    // In some of them a host is away or stands still.
    const minutes = Math.ceil((1.1 * PASSES) / HOSTS);
    for (let each = 0; each < minutes; each += 1) {
      if (each === Math.floor(minutes / 3)) {
        count('database killed');
        await cluster.kill();
        const from = now;
        await minute(false); // nobody can do anything
        await cluster.restart();
        outages.push({ from, to: now });
      }
      if (each === Math.floor((2 * minutes) / 3)) {
        count('failover');
        const replica = await cluster.replica();
        await minute(false);
        await cluster.remove();
        await replica.promote();
        cluster = replica;
        cluster.setClock(now);
        for (const host of hosts) host.proxy.aim(cluster.port);
      }
      people();
      await minute(false);
    }
    // The faults are gone, and people go home: what is to go goes.
    awayUntil.clear();
    await wake(true);
    const look = (): string => JSON.stringify(hosts.map(filesOf));
    for (let still = 0, before = look(); still < 6;) {
      await minute(true);
      still = look() === before ? still + 1 : 0;
      before = look();
    }

    const places = new Map<string, string[]>();
    for (const host of hosts)
      for (const name of filesOf(host)) {
        if (name.includes('/archive/')) continue;
        const task = `${name.split('/')[0]} ${/issue-(\d+)/u.exec(name)?.[1]}`;
        places.set(task, [...(places.get(task) ?? []), `${host.name}:${name}`]);
      }
    const journals = hosts.map((host) => ({ host, entries: openJournal(host.at.config).read().length }));
    const found = [
      ...[...places]
        .filter(([, all]) => all.length > 1)
        .map(([task, all]) => `I3 ${task} lies in ${all.join(' and ')}`),
      ...[...open].filter((task) => !places.has(task)).map((task) => `I4 ${task} is nowhere`),
      ...[...places.keys()].filter((task) => !open.has(task)).map((task) => `I4 ${task} is there, and nobody wants it`),
      ...journals
        .filter(({ host, entries }) => entries !== filesOf(host).length)
        .map(
          ({ host, entries }) =>
            `I7 ${host.name} has ${filesOf(host).length} files and ${entries} dispatches in its journal`,
        ),
      ...brokenHistory(cluster, { appeared }, wanted, {
        rateLimitMs: MINUTE,
        leaseMs: LEASE_MS,
        patienceMs: 2 * MINUTE,
        outages,
        until: now,
      }),
    ];
    console.log(
      `${passes} passes of ${HOSTS} hosts, ${issues} issues, ${appeared.length} files; ${JSON.stringify(faults)}`,
    );
    expect(appeared.length).toBeGreaterThan(issues / 2);
    conclude(context, 'days of an office with 20 hosts', passes, found);
  });
});
