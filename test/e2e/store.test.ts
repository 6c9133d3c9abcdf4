// Several machines as users have them: the built command, a configuration for each machine, one PostgreSQL.

import { chmodSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Workspace, workspace } from '../support/command.ts';
import { type Cluster, PASSWORD, startPostgres } from '../support/postgres.ts';
import { noPostgres } from '../support/postgres-process.ts';

const lacking = noPostgres();
const JSON_TASKS = /^\.agent-tasks\//u;

describe.skipIf(lacking !== null)('machines with the built command', { timeout: 120_000 }, () => {
  let cluster: Cluster;
  let schemas = 0;
  beforeAll(async () => {
    cluster = await startPostgres();
  }, 60_000);
  afterAll(async () => cluster.remove());

  /** Machines of one office, with their agents; the first one's Gitea is everybody's. */
  async function machines(agents: Readonly<Record<string, string>>, more = ''): Promise<Workspace[]> {
    schemas += 1;
    const made: Workspace[] = [];
    for (const [host, names] of Object.entries(agents)) {
      const at = await workspace();
      const gitea = made[0]?.gitea ?? at.gitea;
      at.write('store-url', cluster.url());
      chmodSync(join(at.folder, 'store-url'), 0o600);
      at.write(
        'dispatcher.yaml',
        `gitea: { url: ${gitea.url}, repositories: [acme/app] }\nagents: { ${names} }\nrateLimit: 1s\nreport: x\n`.replace(
          'report: x\n',
          '',
        ) + `store: { urlFile: store-url, host: ${host}, schema: office_${schemas}, lease: 2m }\n${more}`,
      );
      made.push({
        ...at,
        gitea,
        run: async (args, environment) => at.run(args, { GITEA_TOKEN: gitea.token, ...environment }),
      });
    }
    return made;
  }

  const everything = (at: Workspace): string =>
    at
      .files()
      .filter((name) => name !== 'store-url')
      .map((name) => at.read(name))
      .join('\n') + readdirSync(at.folder, { recursive: true, encoding: 'utf8' }).join('\n');

  test('are set up, dispatch, lose one, and tell of each other; the password is nowhere', async () => {
    const [a, b] = (await machines({ one: 'hans: {}', two: 'greta: {}' })) as [Workspace, Workspace];
    a.gitea.addIssue({ repository: 'acme/app', number: 1, assignees: ['hans'] });
    a.gitea.addIssue({ repository: 'acme/app', number: 2, assignees: ['greta'], labels: ['critical'] });
    const said: string[] = [];
    const run = async (at: Workspace, args: readonly string[] = []) => {
      const done = await at.run(args);
      said.push(done.stdout, done.stderr);
      return done;
    };
    expect(await run(a)).toMatchObject({
      code: 78,
      stderr: expect.stringMatching(/has no tables of the dispatcher in schema office_\d+\n.*dispatcher store init/u),
    });
    expect(await run(a, ['store', 'init'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('has its tables now'),
    });
    expect(await run(b, ['store', 'migrate'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('has its tables already'),
    });
    // Its first pass says who lives there.
    expect((await run(b)).code).toBe(0);
    for (let count = 0; count < 3; count += 1) {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      for (const at of [a, b]) expect((await run(at)).code).toBe(0);
    }
    expect([a.tasks(), b.tasks()]).toEqual([['.agent-tasks/hans/issue-1.md'], ['.agent-tasks/greta/issue-2.md']]);
    const order = cluster.sql(`select ref from office_${schemas}.event where kind = 'appeared' order by id`);
    expect(order).toEqual(['acme/app#2', 'acme/app#1']);
    const seen = JSON.parse((await run(a, ['store', 'status', '--json'])).stdout) as { hosts: unknown[] };
    expect(seen.hosts).toMatchObject([
      { name: 'one', agents: ['hans'], isLost: false, tasks: [{ ref: 'acme/app#1', agent: 'hans', stage: 'new' }] },
      { name: 'two', agents: ['greta'], isLost: false, tasks: [{ ref: 'acme/app#2', priority: 'CRITICAL' }] },
    ]);
    expect((await run(b, ['store', 'status'])).stdout).toMatch(
      /^one\t\d+\tlives\t.*\thans\ntwo\t\d+\tlives\t.*\tgreta\n$/u,
    );
    a.gitea.addIssue({ repository: 'acme/app', number: 3, assignees: ['hans'] });
    expect((await run(b, ['pause', '--reason', 'freeze'])).code).toBe(0);
    expect((await run(b, ['status'])).stderr).toContain('freeze');
    expect((await run(a, ['dispatch', '-n'])).stdout).toContain('freeze');
    expect((await run(a, ['resume'])).stdout).toContain('everything');
    // A pass later it is told what happened where.
    for (const at of [a, b, a]) await run(at);
    for (const at of [a, b]) {
      const told = JSON.parse((await run(at, ['report', '--json'])).stdout) as { total: { dispatched: number } };
      expect(told.total.dispatched).toBeGreaterThanOrEqual(2);
      const { stdout } = await run(at, ['report']);
      expect(stdout).toContain('greta\t');
      expect(stdout).toContain('hans\t');
    }
    await run(a, ['doctor']);
    await run(a, ['explain']);
    for (const text of [...said, everything(a), everything(b)]) {
      expect(text).not.toContain(PASSWORD);
      expect(text).not.toContain(encodeURIComponent(PASSWORD));
    }
  });

  test('a database that is away costs nothing but time: exit 75, and all goes on when it is back', async () => {
    const [a] = (await machines({ one: 'hans: {}' })) as [Workspace];
    a.gitea.addIssue({ repository: 'acme/app', number: 1, assignees: ['hans'] });
    await a.run(['store', 'init']);
    await cluster.stop();
    try {
      const { code, stderr } = await a.run([]);
      expect({ code, stderr }).toMatchObject({
        code: 75,
        stderr: expect.stringContaining('the database of the store cannot be reached'),
      });
      expect(a.tasks()).toEqual([]);
      expect((await a.run(['status'])).stderr).toContain('cannot be reached');
    } finally {
      await cluster.restart();
    }
    expect(await a.run([])).toMatchObject({ code: 0 });
    expect(a.tasks()).toEqual(['.agent-tasks/hans/issue-1.md']);
  });

  test.for([
    ['no database of that name', 'postgres://postgres:PASSWORD@127.0.0.1:PORT/nowhere', 78, 'is not there', 'createdb'],
    [
      'a wrong password',
      'postgres://postgres:Wrong-One@127.0.0.1:PORT/postgres',
      78,
      'lets this user not in',
      'pg_hba',
    ],
    ['no server there', 'postgres://postgres:PASSWORD@127.0.0.1:1/postgres', 75, 'cannot be reached', 'is it running'],
    ['no password', 'postgres://postgres@127.0.0.1:PORT/postgres', 78, 'lets this user not in', 'pg_hba'],
    [
      'an option that is not known',
      'postgres://postgres:PASSWORD@127.0.0.1:PORT/postgres?sslmod=x',
      78,
      'an option that is not known: sslmod',
      '%XX',
    ],
    [
      'a server that is asked for TLS and has none',
      'postgres://postgres:PASSWORD@127.0.0.1:PORT/postgres?sslmode=require',
      75,
      'does not support SSL',
      '',
    ],
    ['no address', 'hello', 78, 'does not hold the address', 'one line such as'],
  ] as const)('%s: its message and exit code, and no secret', async ([, address, code, says, hint]) => {
    const [a] = (await machines({ one: 'hans: {}' })) as [Workspace];
    a.write('store-url', address.replace('PASSWORD', PASSWORD).replace('PORT', String(cluster.port)));
    const done = await a.run([]);
    expect(done).toMatchObject({ code, stderr: expect.stringContaining(says) });
    expect(done.stderr).toContain(hint);
    expect(done.stdout + done.stderr + everything(a)).not.toMatch(/Pg-S3cret|Wrong-One/u);
  });

  test('rights, read-only, newer tables: its message and exit code, and nothing lost', async () => {
    const [a] = (await machines({ one: 'hans: {}' })) as [Workspace];
    a.gitea.addIssue({ repository: 'acme/app', number: 1, assignees: ['hans'] });
    const schema = `office_${schemas}`;
    await a.run(['store', 'init']);
    const broken = async (
      statements: readonly string[],
      mend: readonly string[],
      code: number,
      says: string,
      address?: string,
    ) => {
      cluster.sql(statements);
      if (address !== undefined) a.write('store-url', address);
      const done = await a.run([]);
      const { stdout } = await a.run(['doctor']);
      cluster.sql(mend);
      a.write('store-url', cluster.url());
      expect(done).toMatchObject({ code, stderr: expect.stringContaining(says) });
      expect(stdout).toMatch(/✗|failed/u);
      expect(a.tasks()).toEqual([]);
    };
    const weak = cluster.url('postgres', { user: 'weak', password: 'weak' });
    await broken(["create role weak login password 'weak'"], [], 78, 'does not let this user do that', weak);
    await broken([`grant usage on schema ${schema} to weak`], [], 78, 'does not let this user do that', weak);
    await broken(
      [`update ${schema}.office set version = 99`],
      [`update ${schema}.office set version = 1`],
      78,
      'made by a newer dispatcher',
    );
    await broken(
      ['alter database postgres set default_transaction_read_only = on'],
      ['set default_transaction_read_only = off', 'alter database postgres reset default_transaction_read_only'],
      75,
      'takes no writes',
    );
    expect((await a.run([])).code).toBe(0);
    expect(a.tasks()).toEqual(['.agent-tasks/hans/issue-1.md']);
  });

  test('an office of files comes to the store and goes back, and no task goes twice', async () => {
    const [a] = (await machines({ one: 'hans: {}' })) as [Workspace];
    const shared = a.read('dispatcher.yaml');
    a.write('dispatcher.yaml', shared.replace(/^store:.*\n/mu, ''));
    for (const number of [1, 2]) a.gitea.addIssue({ repository: 'acme/app', number, assignees: ['hans'] });
    await a.run([]);
    await a.run(['pause', '--agent', 'hans', '--reason', 'moving']);
    expect(a.files().some((name) => name.includes('pauses/agent-hans.json'))).toBe(true);
    a.write('dispatcher.yaml', shared);
    await a.run(['store', 'init']);
    const imported = await a.run(['store', 'import']);
    expect(imported).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('1 of them new there; 1 pause went along'),
    });
    expect((await a.run(['store', 'import'])).stdout).toContain('0 of them new there; 0 pauses went along');
    await a.run([]);
    expect(a.tasks()).toEqual(['.agent-tasks/hans/issue-1.md']);
    await a.run(['resume']);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await a.run([]);
    expect(a.tasks()).toHaveLength(2);
    await a.run(['pause', '--reason', 'back']);
    expect(await a.run(['store', 'export'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('2 tasks, 1 pause'),
    });
    a.write('dispatcher.yaml', shared.replace(/^store:.*\n/mu, ''));
    expect((await a.run(['status'])).stderr).toContain('back');
    expect(a.read('.agent-dispatcher/state.json')).not.toContain('lease');
    await a.run(['resume']);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await a.run([]);
    expect(a.tasks()).toHaveLength(2);
    expect(a.tasks().filter((name) => !JSON_TASKS.test(name))).toEqual([]);
  });

  test('what an agent with a hostile name is called reaches no statement', async () => {
    const [a] = (await machines({ one: 'hans: {}' })) as [Workspace];
    a.write('dispatcher.yaml', a.read('dispatcher.yaml').replace(/^agents:.*\n/mu, ''));
    a.gitea.addIssue({
      repository: 'acme/app',
      number: 1,
      assignees: ['a"; drop table task--'],
      title: "'; drop schema office cascade; --",
    });
    a.gitea.addIssue({
      repository: 'acme/app',
      number: 2,
      assignees: ['hans'],
      title: "Robert'); drop table task;--",
      body: 'x'.repeat(1_000_000),
    });
    await a.run(['store', 'init']);
    expect(await a.run([])).toMatchObject({ code: 0 });
    expect(a.tasks()).toEqual(['.agent-tasks/hans/issue-2.md']);
    expect(cluster.sql(`select title from office_${schemas}.task`)).toEqual(["Robert'); drop table task;--"]);
  });

  test.skipIf(process.getuid?.() !== 0)(
    'an address that only root reads is handed over to the service, and used from there',
    async () => {
      const [a] = (await machines({ one: 'hans: {}' })) as [Workspace];
      a.gitea.addIssue({ repository: 'acme/app', number: 1, assignees: ['hans'] });
      const { stdout } = await a.run(['systemd', 'print', '--run-as', 'nobody']);
      expect(stdout).toContain(`LoadCredential=store-url:${a.folder}/store-url\n`);
      await a.run(['store', 'init']);
      renameSync(join(a.folder, 'store-url'), join(a.folder, 'elsewhere'));
      expect(await a.run([])).toMatchObject({ code: 78, stderr: expect.stringContaining('cannot be read') });
      mkdirSync(join(a.folder, 'credentials'));
      renameSync(join(a.folder, 'elsewhere'), join(a.folder, 'credentials', 'store-url'));
      const done = await a.run([], { CREDENTIALS_DIRECTORY: join(a.folder, 'credentials') });
      expect(done).toMatchObject({ code: 0, stderr: '' });
    },
  );

  test('without a store configured its commands say so', async () => {
    const at = await workspace();
    for (const name of ['init', 'migrate', 'status', 'import', 'export'])
      expect(await at.run(['store', name])).toMatchObject({
        code: 78,
        stderr: expect.stringContaining('no store is configured'),
      });
  });
});
