// Several hosts with one database: every line of their conversations is lost once, and a crowd of them is killed, stopped, cut
// off, has wrong clocks, and loses its database, while agents work.

import { mkdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, onTestFinished, test } from 'vitest';
import { type Finished, finished } from '../support/command.ts';
import { DATABASE, type Host, hostsOf, rowsOf } from '../support/hosts.ts';
import { noFaketime } from '../support/faketime.ts';
import { age, witness } from '../support/ownership-record.ts';
import { type Cluster, startPostgres } from '../support/postgres.ts';
import { noPostgres } from '../support/postgres-process.ts';
import { conclude, sampled, unseemly } from './experiment.ts';
import { CLOCKS, startAt, startCrowd } from './hosts-crowd.ts';
import { brokenHistory, brokenInOffice, officeRecord, taskFiles } from './hosts-office.ts';

const lacking = noPostgres() ?? noFaketime();
const RATE_MS = 1000;
const AT_ONCE = 10;
const ARCHIVED = '.agent-dispatcher/archived.jsonl';
/** CI has six for the others, and these take long. */
const ROUNDS = Math.max(2, Math.round(Number(process.env['DISPATCHER_TEST_ROUNDS'] ?? 60) / 3));

describe.skipIf(lacking !== null)(`several hosts${lacking === null ? '' : ` (skipped: ${lacking})`}`, () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startPostgres({ settings: { max_connections: '60' } });
  });
  afterAll(async () => cluster.remove());

  test('each line of the conversation with the database is lost once, before or after it was heard', async (context) => {
    const [probe] = await office(cluster, { one: ['hans'], two: ['hans'] }, 1);
    probe.proxy.lose(null);
    await probe.run([]);
    const lines = probe.proxy.said();
    const cases = sampled(
      (['request', 'answer'] as const).flatMap((what) =>
        Array.from({ length: lines }, (_, index) => ({ message: index + 1, what })),
      ),
    );
    const found: string[] = [];
    for (const loss of cases) {
      const hosts = await office(cluster, { one: ['hans'], two: ['hans'] }, 2);
      const [one, two = one] = hosts;
      const record = officeRecord();
      const outputs = new Map<Host, Finished[]>(hosts.map((host) => [host, []]));
      const pass = async (host: Host): Promise<Finished> => {
        const end = await host.run([]);
        outputs.get(host)?.push(end);
        record.look(host);
        return end;
      };
      one.proxy.lose(loss);
      const hit = await pass(one);
      one.proxy.lose(null);
      for (const host of [two, one, two, one, two]) {
        await wait(RATE_MS / 2);
        await pass(host);
      }
      const codes = (outputs.get(two) ?? [])
        .filter(({ code }) => code !== 0)
        .map(({ code, stderr }) => `exit ${code}: ${stderr}`);
      const broken = [
        ...unseemly(hit),
        ...codes,
        ...brokenInOffice(hosts, outputs, { rateMs: RATE_MS, record, due: ['hans 1', 'hans 2'] }),
      ];
      found.push(...broken.map((what) => `the ${loss.what} of line ${loss.message}: ${what}`));
    }
    conclude(context, 'several hosts: a line to the database is lost', cases.length, found);
  });

  test('hosts with clocks that are years apart want the slot, and then one task, at the same instant', async (context) => {
    const names = Array.from({ length: AT_ONCE }, (_, index) => `host-${index}`);
    const rounds = Math.max(1, Math.round(ROUNDS / 2));
    const found: string[] = [];
    const said: string[] = [];
    let went = 0;
    let done = 0;
    // One that is so slow that its slot is over gives it up, and then it is nobody's: on a busy machine they try again.
    for (; done < rounds || (went < rounds / 2 && done < 4 * rounds); done += 1) {
      const round = done;
      const agents = Object.fromEntries(names.map((name) => [name, ['hans', name]]));
      const hosts = await hostsOf({ cluster, agents, yaml: 'rateLimit: 60s\nupdates: { enabled: false }' });
      const record = officeRecord();
      const [{ gitea }] = hosts;
      names.forEach((name, index) =>
        gitea.addIssue({
          repository: 'acme/app',
          number: index + 1,
          title: `Issue ${index + 1}`,
          assignees: ['hans', name],
        }),
      );
      // As it is after the first dispatch; and so far away that all of them have begun before one has ended.
      rowsOf(cluster, "insert into dispatcher.slot (scope, at) values ('', '-infinity')");
      for (const { proxy } of hosts) proxy.delay(8);
      const outputs = new Map<Host, Finished[]>();
      const orders = hosts.map((host, index) => {
        const number = String(round % 2 === 0 ? index + 1 : 1);
        return finished(
          startAt(host, index % 2 === 0 ? null : (CLOCKS[index % CLOCKS.length] ?? null), [
            'dispatch',
            '--issue',
            number,
            '--agent',
            round % 2 === 0 ? host.name : 'hans',
          ]),
        );
      });
      for (const [index, end] of (await Promise.all(orders)).entries()) {
        const host = hosts[index];
        if (!host) continue;
        outputs.set(host, [end]);
        record.look(host);
        said.push(`${end.code} ${end.stderr.trim()}`);
        // 5: the slot is not free, or another one has it.
        if (![0, 5, 75].includes(end.code ?? -1)) found.push(`${host.name}: exit ${end.code}: ${end.stderr}`);
      }
      const files = record.appeared.length;
      if (files > 1) found.push(`I2 round ${round}: ${files} files at the same instant`);
      went += files;
      found.push(
        ...brokenInOffice(
          hosts.filter((host) => taskFiles(host).length > 0),
          outputs,
          { rateMs: 60_000, record, due: [] },
        ),
      );
    }
    if (went < rounds / 2) found.push(`I4 only ${went} files in ${done} rounds: ${said.slice(-AT_ONCE).join('; ')}`);
    conclude(context, 'several hosts: at the same instant', done * AT_ONCE, found);
  });

  test('a host that was away for longer than its lease has lost its tasks, and finishes none of them', async (context) => {
    const hosts = await office(cluster, { one: ['hans'], two: ['hans'] }, 3);
    const [one, two = one] = hosts;
    witness(cluster, DATABASE);
    const record = officeRecord();
    const outputs = new Map<Host, Finished[]>(hosts.map((host) => [host, []]));
    const pass = async (host: Host): Promise<Finished> => {
      await wait(RATE_MS);
      const end = await host.run([]);
      outputs.get(host)?.push(end);
      record.look(host);
      return end;
    };
    const move = (host: Host, number: number, to: string): void => {
      const name = taskFiles(host).find((file) => file.number === number)?.name ?? '';
      const target = join(host.folder, name.replace('hans/', `hans/${to}/`));
      mkdirSync(dirname(target), { recursive: true });
      renameSync(join(host.folder, name), target);
    };
    for (let issue = 0; issue < 3; issue += 1) await pass(one);
    // What was handed back in time stays; what is new or taken is lost, whatever its agent does with it meanwhile.
    move(one, 1, 'done');
    await pass(one);
    move(one, 2, 'doing');
    age(cluster, DATABASE, 'one', 6);
    for (let turn = 0; turn < 3; turn += 1) await pass(two);
    move(one, 3, 'done');
    const late = await pass(one);
    for (const host of [two, one, two]) await pass(host);
    const where = hosts
      .flatMap((host) => taskFiles(host).map(({ place, number }) => `${host.name} ${place} ${number}`))
      .toSorted();
    const found = [
      ...brokenInOffice(hosts, outputs, { rateMs: RATE_MS, record, due: ['hans 1', 'hans 2', 'hans 3'] }),
      ...brokenHistory(cluster, record, [], {
        rateLimitMs: RATE_MS,
        leaseMs: 300_000,
        patienceMs: 60_000,
        until: Date.now(),
      }),
      ...(String(where) === 'one archive 2,one archive 3,one done 1,two new 2,two new 3'
        ? []
        : [`I3 ${where.join(', ')}`]),
      ...(late.stdout.includes('LEASE LOST') ? [] : [`I7 nobody was told: ${late.stdout}`]),
      ...(one.files().includes(ARCHIVED) && one.read(ARCHIVED).includes('lease_lost')
        ? []
        : ['I7 archived.jsonl has no lease_lost']),
    ];
    conclude(context, 'several hosts: back too late', 1, found);
  });

  test('a host that comes back at this very moment is not taken for lost', async (context) => {
    const hosts = await office(cluster, { one: ['hans'], two: ['hans'] }, 1);
    const [one, two = one] = hosts;
    const record = officeRecord();
    await one.run([]);
    record.look(one);
    age(cluster, DATABASE, 'one', 6);
    // Its pass has begun, and is not over.
    const coming = new pg.Client({ connectionString: cluster.url(DATABASE) });
    await coming.connect();
    await coming.query("begin; update dispatcher.host set seen_at = clock_timestamp() where name = 'one'");
    const outputs = new Map<Host, Finished[]>([[two, [await two.run([])]]]);
    await coming.query('commit');
    await coming.end();
    await wait(RATE_MS);
    outputs.set(one, [await one.run([])]);
    outputs.get(two)?.push(await two.run([]));
    record.look(two);
    const found = [
      ...brokenInOffice(hosts, outputs, { rateMs: RATE_MS, record, due: ['hans 1'] }),
      ...(taskFiles(one).some(({ place }) => place === 'new') ? [] : ['I3 it lost what it had']),
    ];
    conclude(context, 'several hosts: back in time', 1, found);
  });

  test('a replica that was behind learns from the hosts what it never heard of', async (context) => {
    const primary = await startPostgres();
    onTestFinished(async () => primary.remove());
    const rateMs = 20_000;
    const hosts = await office(primary, { one: ['hans'], two: ['hans'] }, 0, rateMs);
    const [one, two = one] = hosts;
    const replica = await primary.replica({ isSynchronous: false });
    onTestFinished(async () => replica.remove());
    const record = officeRecord();
    const outputs = new Map<Host, Finished[]>(hosts.map((host) => [host, []]));
    const pass = async (host: Host): Promise<void> => {
      outputs.get(host)?.push(await host.run([]));
      record.look(host);
    };
    for (const host of hosts) await pass(host);
    await replica.stop();
    for (const number of [1, 2])
      one.gitea.addIssue({ repository: 'acme/app', number, title: `Issue ${number}`, assignees: ['hans'] });
    await pass(one);
    const [before] = rowsOf(primary, "select count(*) from dispatcher.event where kind = 'taken'");
    await primary.kill();
    await replica.restart();
    await replica.promote();
    for (const { proxy } of hosts) proxy.aim(replica.port);
    const [after] = rowsOf(replica, "select count(*) from dispatcher.event where kind = 'taken'");
    // The one that did not write it comes first: nothing may go before the other one was there.
    for (const host of [two, one, two, one]) await pass(host);
    const tasks = hosts.flatMap((host) => taskFiles(host).map(({ place, number }) => `${place} ${number}`));
    const found = [
      // Else nothing was forgotten, and nothing shown.
      ...(before === '1' && after === '0' ? [] : [`${before} dispatches before, ${after} after`]),
      ...brokenInOffice(hosts, outputs, { rateMs, record, due: [] }),
      ...(tasks.length === 1 ? [] : [`I2 ${tasks.join(', ')}`]),
    ];
    conclude(context, 'several hosts: a replica that was behind', 1, found);
  });

  test('20 hosts are killed, stopped, cut off and away, and their database is killed and fails over, while agents work', async (context) => {
    const crowd = await startCrowd(cluster, { rounds: ROUNDS });
    for (let round = 0; round < ROUNDS; round += 1) {
      crowd.people(round);
      if (round === Math.floor(ROUNDS / 3)) await crowd.duringRound(() => crowd.killDatabase());
      else if (round === Math.floor((2 * ROUNDS) / 3)) await crowd.duringRound(() => crowd.failOver());
      else await crowd.duringRound(null);
    }
    await crowd.settle();
    const { passes, faults, broken } = crowd.conclude();
    console.log(`${passes} passes of 20 hosts: ${JSON.stringify(faults)}`);
    conclude(context, 'several hosts: a crowd in trouble', passes, broken);
  });
});

/** Issues of hans, and hosts that have him. */
async function office(
  cluster: Cluster,
  agents: Readonly<Record<string, readonly string[]>>,
  issues: number,
  rateMs = RATE_MS,
) {
  const hosts = await hostsOf({
    cluster,
    agents,
    yaml: `rateLimit: ${rateMs}ms\nupdates: { enabled: false }`,
    // Who reads the same as another host leaves it to that one for a while.
    repositoriesOf: (name) => ['acme/app', `acme/${name}`],
  });
  const [{ gitea }] = hosts;
  for (const { name } of hosts) gitea.addRepository(`acme/${name}`);
  for (let number = 1; number <= issues; number += 1)
    gitea.addIssue({ repository: 'acme/app', number, title: `Issue ${number}`, assignees: ['hans'] });
  return hosts;
}
