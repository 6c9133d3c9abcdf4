// Several machines, one of which cannot do what it is asked for: whatever that is, and however many urgent issues are for its agent,
// the others have their turn within a few minutes. A minute goes by in the database and on the clocks of the machines, not in the test.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Config } from '../../src/core/config/config.ts';
import { EXIT, type ExitCode, UserError } from '../../src/core/errors.ts';
import type { FullIssue } from '../../src/core/issue/issue.ts';
import type { DispatchDeps } from '../../src/pass/pass-deps.ts';
import { aFullIssue, aServer, MINUTE } from '../support/builders.ts';
import { type Cluster, startPostgres } from '../support/postgres.ts';
import { noPostgres } from '../support/postgres-process.ts';
import { type Machine, sharedOffice, type SharedOffice } from '../support/shared-store.ts';

const lacking = noPostgres();

const agents = (...names: string[]) => ({
  rateLimitMs: 1000,
  agents: new Map(names.map((name) => [name, { maxTasks: null, template: null, attempts: 3 }])),
});
const issueFor = (number: number, agent: string, more: Partial<FullIssue> = {}): FullIssue =>
  aFullIssue({ number, id: number, createdAt: number, assignees: [agent], ...more });
const urgentFor = (agent: string, count: number): FullIssue[] =>
  Array.from({ length: count }, (_, index) => issueFor(index + 1, agent, { labels: ['critical'] }));

interface Timer {
  readonly machine: Machine;
  readonly changes?: Partial<DispatchDeps>;
}

/** Passes of these machines, one after the other in each minute. */
async function minutes({ schema }: SharedOffice, cluster: Cluster, count: number, timers: readonly Timer[]) {
  for (let minute = 0; minute < count; minute += 1) {
    for (const { machine, changes } of timers) {
      const now = (): number => machine.deps.now() + minute * MINUTE;
      await machine.pass({ now, ...changes }).catch((error: unknown) => {
        if (!(error instanceof UserError)) throw error;
      });
    }
    for (const [table, columns] of Object.entries({
      host: ['seen_at', 'listed_at'],
      slot: ['at'],
      task: ['since', 'wait_until'],
    }))
      cluster.sql(
        `update ${schema}.${table} set ${columns.map((column) => `${column} = ${column} - interval '60 s'`).join(', ')}`,
      );
  }
}

/** Why a machine does not take what its agent is to get. */
interface Lack {
  readonly name: string;
  readonly config?: Partial<Config>;
  readonly changes?: (machine: Machine) => Partial<DispatchDeps>;
}

const fails = (message: string, code: string, exitCode: ExitCode) => async (): Promise<never> => {
  throw new UserError(message, { exitCode, code });
};
const reads = ({ deps }: Machine, readIssue: ReturnType<DispatchDeps['gitea']>['readIssue']): DispatchDeps['gitea'] => {
  return (ms) => ({ ...deps.gitea(ms), readIssue });
};
const listsNothing = async () => ({ issues: [], warnings: [], isUnread: () => false });
const refused = fails('Gitea answered 401', 'gitea_unauthorized', EXIT.token);

const LACKS: readonly Lack[] = [
  {
    name: 'the template of one agent is broken on its machine',
    changes: () => ({ template: fails('nobody knows {{isue}}', 'template_invalid', EXIT.invalid) }),
  },
  {
    name: 'the token of one machine is refused',
    changes: (machine) => ({ listIssues: refused, gitea: reads(machine, refused) }),
  },
  {
    name: 'the token of one machine may not read what it is offered',
    changes: (machine) => ({
      gitea: reads(machine, fails('Gitea answered 403', 'gitea_forbidden', EXIT.token)),
    }),
  },
  {
    name: 'the token of one machine does not see what it is offered',
    changes: (machine) => ({ listIssues: listsNothing, gitea: reads(machine, async () => null) }),
  },
  { name: 'one machine holds back what the others do not', config: { holdLabels: ['critical'] } },
  {
    name: 'one machine alone has a limit for the repository',
    config: { rateLimits: { agents: new Map(), repositories: new Map([['acme/app', 60 * MINUTE]]) } },
  },
  {
    name: 'one machine does not know the server',
    config: { servers: [aServer({ url: 'https://elsewhere.example.com' })] },
    changes: () => ({ listIssues: listsNothing }),
  },
];

describe.skipIf(lacking !== null)('everybody has a turn within a few minutes', { timeout: 60_000 }, () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startPostgres();
  }, 60_000);
  afterAll(async () => cluster.remove());

  const hansHas = [101, 102].map((number) => issueFor(number, 'hans'));

  test.for(LACKS.flatMap((lack) => (['apart', 'together'] as const).map((timers) => ({ ...lack, timers }))))(
    'timers $timers: although $name',
    async ({ config, changes, timers }) => {
      // Of those that come together the first one decides for all.
      const listedForAllMs = timers === 'together' ? 20_000 : 0;
      const office = await sharedOffice(cluster, [...urgentFor('greta', 6), ...hansHas]);
      const a = office.machine('a', agents('hans'), { listedForAllMs });
      const b = office.machine('b', { ...agents('greta'), ...config }, { listedForAllMs });
      await b.pass({ listIssues: listsNothing });
      await minutes(office, cluster, 8, [{ machine: a }, { machine: b, changes: changes?.(b) ?? {} }]);
      expect(a.dispatched()).toEqual(['#101', '#102']);
    },
  );

  test('a machine that decides takes what it is offered of a repository that only another one lists', async () => {
    const office = await sharedOffice(cluster, [...urgentFor('greta', 2), ...hansHas]);
    const [a, b] = [office.machine('a', agents('hans')), office.machine('b', agents('greta'))];
    const timers = [{ machine: a }, { machine: b, changes: { listIssues: listsNothing } }];
    await minutes(office, cluster, 1, timers.slice(1));
    await minutes(office, cluster, 5, timers);
    expect([a.dispatched(), b.dispatched()]).toEqual([
      ['#101', '#102'],
      ['#1', '#2'],
    ]);
  });

  test('a machine that lists less leaves alone what one that lists more has offered to a third one', async () => {
    const office = await sharedOffice(cluster, [...urgentFor('greta', 2), ...hansHas]);
    const [a, b, c] = [
      office.machine('a', agents('hans')),
      office.machine('b', agents('otto')),
      office.machine('c', agents('greta')),
    ];
    const low = issueFor(201, 'otto', { labels: ['low'] });
    const listsOwn = async () => ({ issues: [low], warnings: [], isUnread: () => false });
    // Nor does its token see what it does not list.
    const less = { listIssues: listsOwn, gitea: reads(b, async ({ number }) => (number === low.number ? low : null)) };
    const nothing = { listIssues: listsNothing };
    await minutes(office, cluster, 1, [{ machine: c, changes: nothing }]);
    await minutes(office, cluster, 6, [
      { machine: a },
      { machine: b, changes: less },
      { machine: c, changes: nothing },
    ]);
    expect([a, b, c].map((machine) => machine.dispatched())).toEqual([['#101', '#102'], ['#201'], ['#1', '#2']]);
    const order = cluster.sql(`select ref from ${office.schema}.event where kind = 'taken' order by id`);
    expect(order.slice(0, 2)).toEqual(['acme/app#1', 'acme/app#2']);
  });

  test('what can be taken goes, however often what is more urgent is given back; and that is tried again in turn', async () => {
    const office = await sharedOffice(cluster, urgentFor('greta', 4));
    const [a, b] = [office.machine('a', agents('hans')), office.machine('b', agents('greta'))];
    const seeing = (least: number): Timer => {
      const readIssue = reads(
        b,
        async ({ number }) => office.issues.find((issue) => issue.number === number && number >= least) ?? null,
      );
      return { machine: b, changes: { listIssues: listsNothing, gitea: readIssue } };
    };
    await minutes(office, cluster, 1, [seeing(4)]);
    await minutes(office, cluster, 14, [{ machine: a }, seeing(4)]);
    expect(b.dispatched()).toEqual(['#4']);
    await minutes(office, cluster, 21, [{ machine: a }, seeing(2)]);
    expect(b.dispatched().toSorted()).toEqual(['#2', '#3', '#4']);
  });

  test('what was declined is offered again when its time is over, though nothing else happened', async () => {
    const office = await sharedOffice(cluster, urgentFor('greta', 1));
    const [a, b] = [office.machine('a', agents('hans')), office.machine('b', agents('greta'))];
    const [broken] = LACKS;
    await b.pass({ listIssues: listsNothing });
    await minutes(office, cluster, 1, [
      { machine: a },
      { machine: b, changes: { listIssues: listsNothing, ...broken?.changes?.(b) } },
    ]);
    await minutes(office, cluster, 7, [{ machine: a }, { machine: b, changes: { listIssues: listsNothing } }]);
    expect(b.dispatched()).toEqual(['#1']);
  });
});
