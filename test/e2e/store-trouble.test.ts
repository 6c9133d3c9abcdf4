// The database that several hosts share, in every kind of trouble: each is told with its remedy and exit code, nothing is
// dispatched or lost meanwhile, and what goes through it breaks nothing.

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { setTimeout as wait } from 'node:timers/promises';
import type { Finished } from '../support/command.ts';
import { DATABASE, type Host, hostsOf, leaks, rowsOf } from '../support/hosts.ts';
import { type Cluster, PASSWORD, startPostgres } from '../support/postgres.ts';
import { noPostgres } from '../support/postgres-process.ts';
import { CAN_MOUNT, databaseOnSmallDisk, type SmallDisk } from '../support/small-disk.ts';

const lacking = noPostgres();

interface Trouble {
  readonly name: string;
  readonly code: number;
  readonly said: RegExp;
  readonly fix: RegExp;
  /** Makes it; answers what mends it. */
  readonly make: (host: Host, cluster: Cluster) => (() => void | Promise<void>) | Promise<() => void | Promise<void>>;
}

const address = (host: Host, url: string): (() => void) => {
  const before = host.read('store-url');
  host.write('store-url', url);
  return () => host.write('store-url', before);
};

const TROUBLES: readonly Trouble[] = [
  {
    name: 'it is not there',
    code: 78,
    said: /is not there/u,
    fix: /createdb/u,
    make: (host, cluster) => address(host, cluster.url('nowhere')),
  },
  {
    name: 'it has no tables',
    code: 78,
    said: /no tables/u,
    fix: /dispatcher store init/u,
    make: (host, cluster) => {
      cluster.sql(['drop database if exists empty', 'create database empty']);
      return address(host, cluster.url('empty'));
    },
  },
  {
    name: 'its user may nothing',
    code: 78,
    said: /does not let this user|no tables of the dispatcher yet, or this user may not see them/u,
    fix: /grant|store init/u,
    make: (host, cluster) => {
      if (cluster.sql("select 1 from pg_roles where rolname = 'weak'").length === 0)
        cluster.sql(`create role weak login password '${PASSWORD}'`);
      return address(host, cluster.url(DATABASE, { user: 'weak' }));
    },
  },
  {
    name: 'the password is wrong',
    code: 78,
    said: /lets this user not in/u,
    fix: /user and password/u,
    make: (host, cluster) => address(host, cluster.url(DATABASE, { password: `${PASSWORD}-of-old` })),
  },
  {
    name: 'it is read-only',
    code: 75,
    said: /takes no writes/u,
    fix: /primary/u,
    make: (_, cluster) => {
      cluster.sql(`alter database ${DATABASE} set default_transaction_read_only = on`);
      return () => void cluster.sql(`alter database ${DATABASE} set default_transaction_read_only = off`);
    },
  },
  {
    name: 'it is too old',
    code: 78,
    said: /PostgreSQL 13/u,
    fix: /14 or newer/u,
    make: (host, cluster) => {
      const [version = ''] = cluster.sql('show server_version_num');
      host.proxy.rewrite(version, `13${version.slice(2)}`);
      return () => host.proxy.rewrite(`13${version.slice(2)}`, version);
    },
  },
  {
    name: 'its tables are not as they should be',
    code: 75,
    said: /refused a statement/u,
    fix: /log of the database server/u,
    make: (_, cluster) => {
      rowsOf(cluster, 'alter table dispatcher.host rename column seen_at to seen');
      return () => void rowsOf(cluster, 'alter table dispatcher.host rename column seen to seen_at');
    },
  },
  {
    name: 'nobody listens',
    code: 75,
    said: /cannot be reached/u,
    fix: /is it running/u,
    make: (host) => address(host, `postgres://postgres:${PASSWORD}@127.0.0.1:1/${DATABASE}`),
  },
  {
    name: 'nobody answers',
    code: 75,
    said: /cannot be reached/u,
    fix: /is it running/u,
    make: (host) => {
      host.proxy.swallow(true);
      return () => host.proxy.swallow(false);
    },
  },
  {
    name: 'its server stops answering in the middle',
    code: 75,
    said: /cannot be reached/u,
    fix: /is it running/u,
    make: (host) => {
      host.proxy.lose({ message: 8, what: 'rest' });
      return () => {
        host.proxy.lose(null);
        host.proxy.swallow(false);
      };
    },
  },
];

describe.skipIf(lacking !== null)(
  `the database of several hosts${lacking === null ? '' : ` (skipped: ${lacking})`}`,
  () => {
    let cluster: Cluster;
    beforeAll(async () => {
      cluster = await startPostgres();
    });
    afterAll(async () => cluster.remove());

    const office = async (yaml = ''): Promise<Host> => {
      const [host] = await hostsOf({ cluster, agents: { one: ['hans'] }, yaml: `rateLimit: 1s\n${yaml}` });
      host.gitea.addIssue({ repository: 'acme/app', number: 1, title: 'First', assignees: ['hans'] });
      return host;
    };
    /** Nothing secret anywhere, and no stack trace. */
    const expectSeemly = (host: Host, ...ends: readonly Finished[]): void => {
      const outputs = ends.flatMap(({ stdout, stderr }) => [stdout, stderr]);
      expect(leaks(host, outputs)).toEqual([]);
      for (const output of outputs) expect(output).not.toMatch(/^\s+at .*:\d+/mu);
    };

    test.for(TROUBLES)('$name: exit $code, with its remedy, and nothing is lost', async (trouble) => {
      const host = await office();
      const mend = await trouble.make(host, cluster);
      const hit = await host.run([]);
      const tasks = host.tasks();
      await mend();
      expect(hit).toMatchObject({ code: trouble.code, stderr: expect.stringMatching(trouble.said) });
      expect(hit.stderr).toMatch(/\n {2}fix: /u);
      expect(hit.stderr.split('fix: ')[1]).toMatch(trouble.fix);
      expect(tasks).toEqual([]);
      const after = await host.run([]);
      expect(after.stdout).toContain('DISPATCHED');
      expectSeemly(host, hit, after);
    });

    test.skipIf(!CAN_MOUNT)('its disk is full: exit 75, and what was dispatched before is remembered', async () => {
      const disk: { current: SmallDisk | null } = { current: null };
      const [host] = await hostsOf({
        cluster,
        agents: { one: ['hans'] },
        yaml: 'rateLimit: 1s',
        createDatabase: () => void (disk.current = databaseOnSmallDisk(cluster, DATABASE)),
      });
      onTestFinished(() => {
        cluster.sql([`drop database ${DATABASE} with (force)`, 'drop tablespace small']);
        disk.current?.remove();
      });
      host.gitea.addIssue({ repository: 'acme/app', number: 1, title: 'First', assignees: ['hans'] });
      const before = await host.run([]);
      host.gitea.addIssue({ repository: 'acme/app', number: 2, title: 'Second', assignees: ['hans'] });
      disk.current?.fill();
      rowsOf(cluster, STUFFED);
      await wait(1000);
      const hit = await host.run([]);
      expect(hit).toMatchObject({
        code: 75,
        stderr: expect.stringMatching(/no room left on its disk[^]*\n {2}fix: make room/u),
      });
      expect(host.tasks()).toEqual(['.agent-tasks/hans/issue-1.md']);
      disk.current?.clear();
      const after = await host.run([]);
      expect(after.stdout).toContain('DISPATCHED');
      expect(host.tasks()).toEqual(['.agent-tasks/hans/issue-1.md', '.agent-tasks/hans/issue-2.md']);
      expectSeemly(host, before, hit, after);
    });

    test('it is far away, 200 ms there and back: the task goes, and in time', async () => {
      const host = await office();
      host.proxy.delay(100);
      const end = await host.run([]);
      expect(end).toMatchObject({ code: 0, stderr: '' });
      expect(host.tasks()).toEqual(['.agent-tasks/hans/issue-1.md']);
      expectSeemly(host, end);
    });

    test('each of its answers takes a second: the pass ends in its time all the same, and nothing goes', async () => {
      const host = await office();
      host.proxy.delay(420);
      const began = performance.now();
      const end = await host.run([]);
      expect(end).toMatchObject({
        code: 75,
        stderr: expect.stringMatching(/took too long: its answers took 12 s in all\n {2}fix: look at the load/u),
      });
      expect(performance.now() - began).toBeLessThan(45_000);
      expect(host.tasks()).toEqual([]);
      host.proxy.delay(0);
      // Until the server has heard that the session ended: it decides till then.
      await wait(2000);
      const after = await host.run([]);
      expect(after.stdout).toContain('DISPATCHED');
      expectSeemly(host, end, after);
    });

    test('what strangers write breaks nothing: a login that is SQL, a title that is no text, an issue of a megabyte', async () => {
      const [host] = await hostsOf({ cluster, agents: { one: null }, yaml: 'rateLimit: 1s' });
      const login = 'a"; drop table task; --';
      const body = `${'x'.repeat(1_000_000)} the end of a megabyte`;
      const issues = [
        { number: 1, title: 'First', assignees: [login, 'hans'] },
        { number: 2, title: 'NUL \u0000 and half of a \ud800 pair', assignees: ['hans'] },
        { number: 3, title: `'); drop schema dispatcher cascade; --`, assignees: ['hans'], body },
      ];
      for (const issue of issues) host.gitea.addIssue({ repository: 'acme/app', ...issue });
      const ends: Finished[] = [];
      for (let pass = 0; pass < 6; pass += 1) {
        ends.push(await host.run([]));
        await wait(1000);
      }
      expect(ends.map(({ code, stderr }) => [code, stderr])).toEqual(ends.map(() => [0, '']));
      const files = host.tasks().filter((name) => name.startsWith('.agent-tasks/hans/'));
      expect(files).toEqual([1, 2, 3].map((number) => `.agent-tasks/hans/issue-${number}.md`));
      // Nothing of what is in an issue is in the database: whoever takes it reads it again.
      expect(rowsOf(cluster, "select count(*) from dispatcher.task where state = 'held'")[0]).toMatch(/^[3-9]/u);
      expect(Number(rowsOf(cluster, 'select max(pg_column_size(t.*)) from dispatcher.task t')[0])).toBeLessThan(4000);
      const all = await host.run(['status']);
      expectSeemly(host, ...ends, all);
    });

    test('the address with its password is told by no command', async () => {
      const host = await office();
      const ends = [await host.run([])];
      const commands = [
        'status',
        'status --json',
        'explain',
        'doctor',
        'report',
        'store status',
        'dispatch --dry-run',
        'pause hans',
        'resume hans',
      ];
      for (const line of commands) ends.push(await host.run(line.split(' ')));
      host.write(
        'dispatcher.yaml',
        host
          .read('dispatcher.yaml')
          .replace(
            'urlFile: store-url',
            `url: ${JSON.stringify(cluster.url(DATABASE, { password: `${PASSWORD}@/` }))}`,
          ),
      );
      for (const line of ['', ...commands]) ends.push(await host.run(line.split(' ').filter(Boolean)));
      host.write('dispatcher.yaml', host.read('dispatcher.yaml').replace('postgres://', 'postgre://'));
      ends.push(await host.run([]));
      host.write('dispatcher.yaml', 'gitea: {}');
      expectSeemly(host, ...ends);
    });
  },
);

/** Rows, each for itself, until none fits any more: into a page of the table that is there, or of one of its indexes. */
const STUFFED = `do $$
declare failures int := 0;
begin
  while failures < 500 loop
    begin
      insert into dispatcher.event (kind, host, detail) values ('x', 'x', '{}');
      failures := 0;
    exception when disk_full then failures := failures + 1;
    end;
  end loop;
end $$`;
