// Several machines, one office: what they do together, over a PostgreSQL of their own.

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FullIssue } from '../../src/core/issue/issue.ts';
import { dispatchIssue } from '../../src/pass/dispatch-issue.ts';
import { aFullIssue, aPause } from '../support/builders.ts';
import { type Cluster, startPostgres } from '../support/postgres.ts';
import { noPostgres } from '../support/postgres-process.ts';
import { type Machine, sharedOffice } from '../support/shared-store.ts';

const lacking = noPostgres();

const agents = (...names: string[]) => ({
  rateLimitMs: 1,
  agents: new Map(names.map((name) => [name, { maxTasks: null, template: null, attempts: 3 }])),
});
const issueFor = (number: number, agent: string, more: Partial<FullIssue> = {}): FullIssue =>
  aFullIssue({ number, id: number, createdAt: number, assignees: [agent], ...more });
const blind = { listIssues: async () => ({ issues: [], warnings: [], isUnread: () => false }) };
const home = ({ config }: Machine, agent: string): string => join(config.tasksDirectory, agent);
const hasFile = (machine: Machine, agent: string, number: number): boolean =>
  existsSync(join(home(machine, agent), `issue-${number}.md`));

describe.skipIf(lacking !== null)('several machines', { timeout: 60_000 }, () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startPostgres();
  }, 60_000);
  afterAll(async () => cluster.remove());

  test('whoever passes decides for the agents of all; each task appears where its agent lives, the most urgent first', async () => {
    const issues = [issueFor(1, 'hans'), issueFor(2, 'greta', { labels: ['critical'] }), issueFor(3, 'greta')];
    const office = await sharedOffice(cluster, issues);
    const [a, b] = [office.machine('a', agents('hans')), office.machine('b', agents('greta'))];
    await b.pass(blind);
    // Hans's would be free to go, but greta's is critical: it is offered, and the slot is kept for it.
    await a.pass();
    expect([...a.dispatched(), ...b.dispatched()]).toEqual([]);
    await b.pass();
    expect([a.dispatched(), b.dispatched()]).toEqual([[], ['#2']]);
    for (let count = 0; count < 3; count += 1) {
      await a.pass();
      await b.pass();
    }
    expect([a.dispatched(), b.dispatched()]).toEqual([['#1'], ['#2', '#3']]);
    expect(hasFile(b, 'greta', 3)).toBe(true);
    expect(existsSync(home(a, 'greta'))).toBe(false);
  });

  test('many at once, with an agent that lives on all of them: none twice, and never two in one window', async () => {
    const issues = [1, 2, 3, 4, 5, 6].map((number) => issueFor(number, 'hans'));
    const office = await sharedOffice(cluster, issues);
    const machines = ['a', 'b', 'c', 'd'].map((name) => office.machine(name, { ...agents('hans'), rateLimitMs: 300 }));
    const all = (): readonly string[] => machines.flatMap((machine) => machine.dispatched());
    // By one clock, around the very call: what is told of a file afterwards is told late on a busy machine.
    const appearances: { readonly before: number; readonly after: number }[] = [];
    const watched = ({ deps }: Machine): Pick<Machine['deps'], 'tasks'> => ({
      tasks: {
        ...deps.tasks,
        draft: (...of) => {
          const draft = deps.tasks.draft(...of);
          const publish: typeof draft.publish = (replace) => {
            const before = performance.now();
            const outcome = draft.publish(replace);
            appearances.push({ before, after: performance.now() });
            return outcome;
          };
          return { ...draft, publish };
        },
      },
    });
    // And a little longer, for one too many.
    const [least, last] = [performance.now() + 4000, performance.now() + 50_000];
    await Promise.all(
      machines.map(async (machine) => {
        while (performance.now() < least || (all().length < issues.length && performance.now() < last)) {
          await machine
            .pass(watched(machine))
            .catch((error: unknown) => expect(String(error)).toContain('asked for the same'));
          await wait(Math.random() * 200);
        }
      }),
    );
    expect(all().toSorted()).toEqual(['#1', '#2', '#3', '#4', '#5', '#6']);
    expect(appearances).toHaveLength(6);
    const gaps = appearances.slice(1).map(({ before }, index) => before - (appearances[index]?.after ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(300);
  });

  test('a machine that does not come loses what is new or taken; what it comes back with goes to its archive', async () => {
    const issues = [issueFor(1, 'hans'), issueFor(2, 'hans')];
    const office = await sharedOffice(cluster, issues);
    const lease = { leaseMs: 3000 };
    const [a, b] = [office.machine('a', agents('hans'), lease), office.machine('b', agents('hans'), lease)];
    await a.pass();
    await a.pass();
    mkdirSync(join(home(a, 'hans'), 'done'));
    renameSync(join(home(a, 'hans'), 'issue-2.md'), join(home(a, 'hans'), 'done', 'issue-2.md'));
    mkdirSync(join(home(a, 'hans'), 'doing'));
    renameSync(join(home(a, 'hans'), 'issue-1.md'), join(home(a, 'hans'), 'doing', 'issue-1.md'));
    await a.pass();
    await b.pass();
    expect(b.dispatched()).toEqual([]);
    await wait(3200);
    await b.pass();
    // What is done stays done.
    expect(b.dispatched()).toEqual(['#1']);
    expect(readFileSync(join(home(b, 'hans'), 'issue-1.md'), 'utf8')).toContain('\nattempt: 2\n');
    // Its agent is late: finished, but not its own any more.
    renameSync(join(home(a, 'hans'), 'doing', 'issue-1.md'), join(home(a, 'hans'), 'done', 'issue-1.md'));
    await a.pass();
    expect(readdirSync(join(home(a, 'hans'), 'archive'))).toEqual(['issue-1.md']);
    expect(a.events.map(({ name }) => name)).toContain('LEASE LOST');
    expect(readFileSync(join(a.config.stateDirectory, 'archived.jsonl'), 'utf8')).toContain('"reason":"lease_lost"');
    await b.pass();
    expect(hasFile(b, 'hans', 1)).toBe(true);
    expect([a.dispatched(), b.dispatched()]).toEqual([['#1', '#2'], ['#1']]);
  });

  test('a pause holds on every machine', async () => {
    const office = await sharedOffice(cluster, [issueFor(1, 'hans')]);
    const [a, b] = [office.machine('a', agents('greta')), office.machine('b', agents('hans'))];
    const store = await a.store();
    await store.pause(aPause({ agent: null, until: null }));
    await a.pass();
    await b.pass();
    expect(b.dispatched()).toEqual([]);
    await store.resume(null);
    await store.close();
    await b.pass();
    expect(b.dispatched()).toEqual(['#1']);
  });

  test('what a machine cannot take it gives back with the reason, and the next one goes', async () => {
    const issues = [issueFor(1, 'greta', { labels: ['critical'] }), issueFor(2, 'greta')];
    const office = await sharedOffice(cluster, issues);
    const often = { listedForAllMs: 20_000 };
    const [a, b] = [office.machine('a', agents('hans')), office.machine('b', agents('greta'), often)];
    const broken: Machine['deps']['gitea'] = (ms) => ({
      ...b.deps.gitea(ms),
      readContext: async () => {
        throw new Error('this issue cannot be rendered');
      },
    });
    await b.pass(blind);
    await a.pass();
    // It was listed by another a moment ago, so it takes what it is offered.
    await b.pass({ gitea: broken });
    expect(b.dispatched()).toEqual([]);
    await a.pass();
    await b.pass();
    expect(b.dispatched()).toEqual(['#2']);
  });

  test('a machine that left out two passes is offered nothing: nobody waits for it', async () => {
    const issues = [issueFor(1, 'greta', { labels: ['critical'] }), issueFor(2, 'hans'), issueFor(3, 'hans')];
    const office = await sharedOffice(cluster, issues);
    const [a, b] = [office.machine('a', agents('hans')), office.machine('b', agents('greta'))];
    await b.pass(blind);
    cluster.sql(`update ${office.schema}.host set seen_at = seen_at - interval '151 s' where name = 'b'`);
    await a.pass();
    await a.pass();
    expect(a.dispatched()).toEqual(['#2', '#3']);
    expect(JSON.stringify(a.deps.state.decision())).toContain('has not come for some minutes');
    await b.pass();
    expect(b.dispatched()).toEqual(['#1']);
  });

  test('the longest rateLimit holds on all machines, and the one that has it has its turn', async () => {
    const issues = [issueFor(1, 'hans'), issueFor(2, 'hans'), issueFor(3, 'greta', { createdAt: 9 })];
    const office = await sharedOffice(cluster, issues);
    const [a, b] = [
      office.machine('a', agents('hans')),
      office.machine('b', { ...agents('greta'), rateLimitMs: 6000 }),
    ];
    await b.pass(blind);
    for (let count = 0; count < 3; count += 1) {
      await a.pass();
      await b.pass();
    }
    expect([a.dispatched(), b.dispatched()]).toEqual([['#1'], []]);
    expect(a.deps.state.heartbeat()?.lastPass.warnings).toContain(
      'rateLimit is 6s on b, and 0s here: the longest one holds on all machines',
    );
    issues.splice(0, 2);
    await wait(6200);
    await a.pass();
    await b.pass();
    expect(b.dispatched()).toEqual(['#3']);
  });

  test('an agent whose folder cannot be used on its machine keeps nobody waiting, and has its tasks when it can', async () => {
    const urgent = Array.from({ length: 8 }, (_, index) => issueFor(index + 1, 'greta', { labels: ['critical'] }));
    const office = await sharedOffice(cluster, [...urgent, issueFor(9, 'hans')]);
    const [a, b] = [office.machine('a', agents('hans')), office.machine('b', agents('greta'))];
    mkdirSync(b.config.tasksDirectory, { recursive: true });
    writeFileSync(home(b, 'greta'), 'no folder');
    await b.pass(blind);
    await a.pass();
    expect(a.dispatched()).toEqual(['#9']);
    expect(JSON.stringify(a.deps.state.decision())).toContain('cannot use its folder');
    rmSync(home(b, 'greta'));
    for (let count = 0; count < 2; count += 1) {
      await b.pass();
      await a.pass();
    }
    await b.pass();
    expect(b.dispatched().length).toBeGreaterThan(0);
  });

  test('what a machine that is there does not take stands in front of the others once, not again and again', async () => {
    const issues = [issueFor(1, 'greta', { labels: ['critical'] }), ...[2, 3, 4].map((n) => issueFor(n, 'hans'))];
    const office = await sharedOffice(cluster, issues);
    const [a, b] = [office.machine('a', agents('hans')), office.machine('b', agents('greta'))];
    await b.pass(blind);
    await a.pass();
    expect(a.dispatched()).toEqual([]);
    cluster.sql(`update ${office.schema}.task set since = since - interval '181 s' where state = 'offered'`);
    for (let pass = 0; pass < 3; pass += 1) await a.pass();
    expect(a.dispatched()).toEqual(['#2', '#3', '#4']);
    expect(JSON.stringify(a.deps.state.decision())).toContain('which has not taken it');
    // After a while it is offered again.
    cluster.sql(`update ${office.schema}.task set wait_until = clock_timestamp() where wait_until is not null`);
    await a.pass();
    expect(cluster.sql(`select number from ${office.schema}.task where state = 'offered'`)).toEqual(['1']);
  });

  test('what is to be forgotten and somebody has in hand holds nobody up', async () => {
    const office = await sharedOffice(cluster, []);
    const a = office.machine('a', agents('hans'));
    await a.pass();
    const { schema } = office;
    cluster.sql(
      `insert into ${schema}.event (at, kind, host) values ('2001-01-01', 'taken', 'a'), ('2001-01-02', 'taken', 'a')`,
    );
    const client = new Client(cluster.url());
    await client.connect();
    await client.query('begin');
    await client.query(`select 1 from ${schema}.event where at < '2001-01-02' for update`);
    await a.pass();
    expect(cluster.sql(`select count(*) from ${schema}.event where at < '2002-01-01'`)).toEqual(['1']);
    await client.end();
  });

  test('after a failover nothing goes before each machine that came lately has told what it has', async () => {
    const issues = [issueFor(1, 'hans'), issueFor(2, 'hans')];
    const office = await sharedOffice(cluster, issues);
    const [a, b] = [office.machine('a', agents('hans')), office.machine('b', agents('hans'))];
    await b.pass(blind);
    await a.pass();
    expect(a.dispatched()).toEqual(['#1']);
    const { schema } = office;
    const fails = (): unknown =>
      cluster.sql(`delete from ${schema}.task; update ${schema}.office set incarnation = 'another'`);
    fails();
    await b.pass();
    expect(b.dispatched()).toEqual([]);
    expect(b.events.map(({ message }) => message).join('\n')).toContain('every machine is to tell first what it has');
    await a.pass();
    await b.pass();
    expect([a.dispatched(), b.dispatched()].flat().toSorted()).toEqual(['#1', '#2']);
    // Whoever does not come is not waited for longer than a minute and a bit.
    cluster.sql(`update ${schema}.office set incarnation = 'a third one'`);
    await b.pass(blind);
    issues.push(issueFor(3, 'hans'));
    await b.pass();
    expect(hasFile(b, 'hans', 3)).toBe(false);
    cluster.sql(`update ${schema}.office set failed_over_at = failed_over_at - interval '76 s'`);
    await b.pass();
    expect(hasFile(b, 'hans', 3)).toBe(true);
  });

  test('a clock of the database that was an hour ahead, and is set right, holds nobody up', async () => {
    const issues = [1, 2].map((number) => issueFor(number, 'hans'));
    const office = await sharedOffice(cluster, issues);
    const { schema } = office;
    const own = { ...agents('hans'), rateLimitMs: 1000 };
    const [a, b] = [office.machine('a', own, { leaseMs: 3000 }), office.machine('b', own, { leaseMs: 3000 })];
    await a.pass();
    expect(a.dispatched()).toEqual(['#1']);
    for (const [table, column] of [
      ['slot', 'at'],
      ['host', 'seen_at'],
      ['host', 'listed_at'],
      ['task', 'since'],
    ])
      cluster.sql(`update ${schema}.${table} set ${column} = ${column} + interval '1 hour'`);
    await b.pass();
    await wait(3500);
    for (let pass = 0; pass < 3; pass += 1) {
      await b.pass();
      await wait(1100);
    }
    // What is new there, and the task of the machine that does not come any more.
    expect(b.dispatched().toSorted()).toEqual(['#1', '#2']);
  });

  test('two machines of one name are told so; the same one comes again', async () => {
    const office = await sharedOffice(cluster, []);
    await office.machine('a', agents('hans')).pass();
    await office.machine('a', agents('hans')).pass();
    const other = office.machine('a', agents('hans'), { instance: 'another' });
    await expect(other.pass()).rejects.toThrow('another machine calls itself a');
  });

  test('by hand it goes where its agent lives alone', async () => {
    const office = await sharedOffice(cluster, [issueFor(1, 'greta')]);
    const [a, b] = [office.machine('a', agents('hans')), office.machine('b', agents('greta'))];
    await b.pass(blind);
    const order = { number: 1, repository: null, agent: null, force: false };
    await expect(dispatchIssue({ ...a.deps, store: await a.store() }, order)).rejects.toThrow(
      'lives on another machine',
    );
    await dispatchIssue({ ...b.deps, store: await b.store() }, order);
    expect(b.dispatched()).toEqual(['#1']);
  });

  test('tasks of a machine that worked alone are its own when it comes to the store', async () => {
    const office = await sharedOffice(cluster, [issueFor(1, 'hans')]);
    const [a, b] = [office.machine('a', agents('hans')), office.machine('b', agents('hans'))];
    const { fileStore } = await import('../../src/io/store/files.ts');
    const { dispatch } = await import('../../src/pass/pass.ts');
    await dispatch({ ...a.deps, store: fileStore(a.config.stateDirectory) });
    await a.pass();
    await b.pass();
    expect([a.dispatched(), b.dispatched()]).toEqual([['#1'], []]);
    expect(cluster.sql(`select kind, attempt from ${office.schema}.event where kind = 'adopted'`)).toEqual([
      'adopted|1',
    ]);
  });
});
