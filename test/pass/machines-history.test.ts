// What happened on one machine is in the history of each, once, whatever becomes of the moment in which it is told.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { sharedHistory } from '../../src/deps/share-history.ts';
import { dispatchedEvent } from '../../src/core/history/event.ts';
import { appendHistory } from '../../src/io/state/history.ts';
import { readHistory } from '../../src/io/state/past.ts';
import type { Store } from '../../src/core/store/store.ts';
import { aConfig, aDispatchRecord } from '../support/builders.ts';
import { type Cluster, startPostgres } from '../support/postgres.ts';
import { noPostgres } from '../support/postgres-process.ts';
import { sharedOffice, type SharedOffice } from '../support/shared-store.ts';

const lacking = noPostgres();

/** A machine that has a history; each `process` is one of its commands. */
function teller(office: SharedOffice, host: string) {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'dispatcher-history-'));
  onTestFinished(() => rmSync(stateDirectory, { recursive: true }));
  const store = { url: 'postgres://', urlFile: null, host, leaseMs: 300_000, schema: 'x', caFile: null };
  const config = aConfig({ stateDirectory, store });
  const share: Store['share'] = async (...told) => {
    const opened = await office.machine(host).store();
    return opened.share(...told).finally(async () => opened.close());
  };
  const process = (reach: Store['share'] = share) =>
    sharedHistory(config, { stageOf: () => null, store: { share: reach }, warn: () => {} });
  process().note();
  return {
    stateDirectory,
    process,
    knows: () => readHistory(stateDirectory).flatMap((event) => ('ref' in event ? [event.ref] : [])),
  };
}

const away = async (): Promise<never> => {
  throw new Error('the database is away');
};

describe.skipIf(lacking !== null)('each machine knows once what happened on another', { timeout: 60_000 }, () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startPostgres();
  }, 60_000);
  afterAll(async () => cluster.remove());

  const twoOf = async () => {
    const office = await sharedOffice(cluster, []);
    const [a, b] = [teller(office, 'a'), teller(office, 'b')];
    await a.process().share();
    await b.process().share();
    return { office, a, b };
  };

  test('although the store could not be told in that pass', async () => {
    const { a, b } = await twoOf();
    const pass = a.process(away);
    pass.dispatched(aDispatchRecord({ ref: 'acme/app#1' }));
    await pass.share();
    for (let count = 0; count < 2; count += 1) await a.process().share();
    await b.process().share();
    expect(b.knows()).toEqual(['acme/app#1']);
  });

  test('although the answer was lost', async () => {
    const { office, a, b } = await twoOf();
    const pass = a.process(async (...told) => {
      const store = await office.machine('a').store();
      await store.share(...told).finally(async () => store.close());
      return away();
    });
    pass.dispatched(aDispatchRecord({ ref: 'acme/app#1' }));
    await pass.share();
    await a.process().share();
    await b.process().share();
    expect(b.knows()).toEqual(['acme/app#1']);
  });

  test('although it comes with a long past to an office that has one', async () => {
    const { office, a, b } = await twoOf();
    cluster.sql(
      `insert into ${office.schema}.event (kind, host, detail)
       select 'history', 'b', to_jsonb(format('{"key":"s#%s:hans","text":"%s"}', n, repeat('x', 150))) from generate_series(1, 60000) n`,
    );
    // As it does by itself after a while: what it knows of its size is what it plans by.
    cluster.sql(`analyze ${office.schema}.event`);
    const c = teller(office, 'c');
    const past = Array.from({ length: 3000 }, (_, index) =>
      dispatchedEvent(aDispatchRecord({ ref: `acme/app#${index}` })),
    );
    appendHistory(c.stateDirectory, past);
    await c.process().share();
    // Once more, as if the answer had been lost.
    rmSync(join(c.stateDirectory, 'history/others'));
    await c.process().share();
    expect(cluster.sql(`select count(*) from ${office.schema}.event where host = 'c'`)).toEqual(['3000']);
    expect([...a.knows(), ...b.knows()]).toEqual([]);
  });

  test('although it was dispatched by hand, in a command that tells nobody', async () => {
    const { a, b } = await twoOf();
    a.process().dispatched(aDispatchRecord({ ref: 'acme/app#1' }));
    await a.process().share();
    await b.process().share();
    expect(b.knows()).toEqual(['acme/app#1']);
  });

  test('although it could not be noted that all of before was told', async () => {
    const office = await sharedOffice(cluster, []);
    const [a, b] = [teller(office, 'a'), teller(office, 'b')];
    a.process().dispatched(aDispatchRecord({ ref: 'acme/app#1' }));
    // What is in the place of the note.
    mkdirSync(join(a.stateDirectory, 'history', 'others'));
    for (let count = 0; count < 3; count += 1) await a.process().share();
    await b.process().share();
    expect(b.knows()).toEqual(['acme/app#1']);
  });

  test.for(['made anew', 'restored'])('although the database was %s, and counts from less', async (how) => {
    const { office, a, b } = await twoOf();
    const dispatches = async (numbers: readonly number[]): Promise<void> => {
      for (const number of numbers) {
        const pass = a.process();
        pass.dispatched(aDispatchRecord({ ref: `acme/app#${number}`, issueId: number }));
        await pass.share();
      }
      await b.process().share();
    };
    const { schema } = office;
    await dispatches([1, 2, 3]);
    if (how === 'made anew') cluster.sql(`truncate ${schema}.event restart identity`);
    else {
      // Its last two lines are lost; which number comes next as well.
      cluster.sql(`delete from ${schema}.event where id > (select max(id) - 2 from ${schema}.event)`);
      cluster.sql(`alter table ${schema}.event alter id restart with 2`);
      cluster.sql(`update ${schema}.office set failed_over_at = clock_timestamp()`);
    }
    await dispatches([4]);
    await dispatches([5]);
    expect(b.knows()).toEqual([1, 2, 3, 4, 5].map((number) => `acme/app#${number}`));
  });
});
