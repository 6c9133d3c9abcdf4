import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { noFaketime } from './faketime.ts';
import { type Cluster, PASSWORD, startPostgres } from './postgres.ts';
import { noPostgres } from './postgres-process.ts';
import { CAN_MOUNT, databaseOnSmallDisk } from './small-disk.ts';

// What the tests of the store believe about the server that they break.

const lacking = noPostgres();

describe.skipIf(lacking !== null)(`a cluster of its own${lacking === null ? '' : `: ${lacking}`}`, () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startPostgres({ settings: { max_connections: '50' } });
    cluster.sql(['create table kept(n int)', "create role weak login password 'weak'"]);
  });
  afterAll(async () => cluster.remove());

  test('keeps what was committed when all of it is killed, and is at the same address again', async () => {
    cluster.sql('insert into kept values (1)');
    await cluster.kill();
    expect(() => cluster.sql('select 1')).toThrow(/refused|No such file/u);
    await cluster.restart();
    expect(cluster.sql('select n from kept')).toEqual(['1']);
    await cluster.stop();
    await cluster.restart();
    expect(cluster.sql(['select n from kept', 'show max_connections'])).toEqual(['1', '50']);
  });

  test('wants the password that its address holds', () => {
    expect(cluster.url('a b', { user: 'we@k', password: 'p/w' })).toBe(
      `postgres://we%40k:p%2Fw@127.0.0.1:${cluster.port}/a%20b`,
    );
    expect(cluster.url()).toContain(PASSWORD);
  });

  test(
    'is followed by a replica that is read-only, has every commit, and takes over',
    { timeout: 60_000 },
    async () => {
      const replica = await cluster.replica();
      onTestFinished(async () => {
        await replica.remove();
        // Nobody is left who would confirm a commit.
        cluster.sql([
          'set synchronous_commit = local',
          'alter system reset synchronous_standby_names',
          'select pg_reload_conf()',
        ]);
      });
      cluster.sql('insert into kept values (2)');
      await cluster.kill();
      expect(() => replica.sql('insert into kept values (3)')).toThrow(/read-only/u);
      await replica.promote();
      expect(replica.sql(['insert into kept values (3)', 'select max(n), count(*) > 1 from kept'])).toEqual(['3|t']);
      await cluster.restart();
    },
  );

  test.skipIf(!CAN_MOUNT)('has a disk that is full, and has room again', () => {
    const disk = databaseOnSmallDisk(cluster, 'crowded');
    onTestFinished(() => {
      cluster.sql(['drop database crowded with (force)', 'drop tablespace small']);
      disk.remove();
    });
    const write = "insert into big select repeat('x', 500) from generate_series(1, 1000)";
    cluster.sql('create table big(t text)', 'crowded');
    disk.fill();
    expect(() => cluster.sql(write, 'crowded')).toThrow(/No space left on device/u);
    disk.clear();
    expect(cluster.sql([write, 'select count(*) from big'], 'crowded')).toEqual(['1000']);
  });

  test.skipIf(noFaketime() !== null)('has a clock that says what it is told', async () => {
    const still = await startPostgres({ clockAt: Date.UTC(2031, 0, 15) });
    onTestFinished(async () => still.remove());
    const ask = "select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS')";
    expect(still.sql(ask)).toEqual(['2031-01-15 00:00:00']);
    await wait(1100);
    expect(still.sql(ask)).toEqual(['2031-01-15 00:00:00']);
    still.setClock(Date.UTC(2019, 11, 31, 23, 59, 58));
    expect(still.sql(ask)).toEqual(['2019-12-31 23:59:58']);
  });
});
