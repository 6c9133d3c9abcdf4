// The store in PostgreSQL: a bundle of its own, which is loaded only where `store` is configured.

import type { Instant } from '../../../core/clock.ts';
import type { Pause } from '../../../core/state/pause.ts';
import type { Overview } from '../../../core/store/overview.ts';
import type { Store } from '../../../core/store/store.ts';
import { type Ask, type Connection, connect } from './connection.ts';
import { claim, decline, offer } from './hand-over.ts';
import { readPauses } from './look.ts';
import { meet } from './meet.ts';
import { numberIn, type Office, textIn } from './office.ts';
import { overview } from './overview.ts';
import { share } from './share.ts';
import { checkVersion, migrate, quoted, useSchema, VERSION, versionOf } from './schema.ts';
import { parseTarget } from './target.ts';

/** What is needed to open it. */
export interface Options extends Omit<Office, 'connection'> {
  /** May hold a password. */
  readonly address: string;
  readonly caFile: string | null;
  readonly schema: string;
}

/** The store of several machines. */
export interface SharedStore extends Store {
  readonly overview: () => Promise<Overview>;
  readonly examine: () => Promise<{
    /** The version of the server, such as `15.7`. */
    readonly server: string;
    readonly isEncrypted: boolean;
    readonly serverTime: Instant;
    /** What this user may not do; null: nothing of what is needed. */
    readonly lacks: string | null;
  }>;
}

/** Opens the store. Throws exit 75 when it cannot be reached, 78 when it cannot be used as it is. */
export async function openStore(options: Options): Promise<SharedStore> {
  const connection = await connected(options);
  const { ask, atOnce, close } = connection;
  try {
    checkVersion(await versionOf(ask, options.schema), options.schema);
    await useSchema(ask, options.schema);
  } catch (error) {
    await close();
    throw error;
  }
  const { leaseMs, host } = options;
  const office: Office = { ...options, connection };
  return {
    meet: async (report, isDry) => meet(office, report(), isDry),
    offer: async (offered) => offer(office, offered),
    decline: async (key, why, ms) => decline(office, key, why, ms),
    claim: async (wanted) => claim(office, wanted),
    leave: async ({ lastPass, decision, hasListed, scope }) => {
      await ask(
        `update host set seen_at = clock_timestamp(), last_pass = $2,
           listed_at = case when $3 then clock_timestamp() else listed_at end,
           listed_scope = case when $3 then $4 else listed_scope end
         where name = $1`,
        [host, JSON.stringify(lastPass), hasListed, scope],
      );
      if (decision !== null)
        await ask('update office set decision = $1, decided_by = $2', [JSON.stringify(decision), host]);
      return overview(ask, leaseMs);
    },
    share: async (...told) => share(office, ...told),
    pauses: async () => readPauses(ask),
    pause: async (pause) => {
      await ask(
        'insert into pause (agent, record) values ($1, $2) on conflict (agent) do update set record = excluded.record',
        [pause.agent ?? '', JSON.stringify(recordOf(pause))],
      );
    },
    resume: async (agent) => {
      const rows = await ask('delete from pause where agent = $1 returning agent', [agent ?? '']);
      return rows.length > 0;
    },
    overview: async () => atOnce(async () => overview(ask, leaseMs)),
    examine: async () => {
      const [row] = await ask(
        `select (extract(epoch from clock_timestamp()) * 1000)::float8 as now,
           coalesce((select ssl from pg_stat_ssl where pid = pg_backend_pid()), false) as ssl`,
      );
      return {
        server: serverText(connection.version),
        isEncrypted: row?.['ssl'] === true,
        serverTime: numberIn(row, 'now'),
        lacks: await missingRight(ask, options.schema),
      };
    },
    close,
  };
}

const TABLES = ['office', 'slot', 'host', 'task', 'pause', 'event'];

async function missingRight(ask: Ask, schema: string): Promise<string | null> {
  const rows = await ask(
    `select t, r from unnest($1::text[]) t, unnest('{select,insert,update,delete}'::text[]) r
     where not has_table_privilege($2 || '.' || t, r) order by t, r`,
    [TABLES, quoted(schema)],
  );
  const [first] = rows;
  return first ? `${textIn(first, 'r')} in ${schema}.${textIn(first, 't')}` : null;
}

function recordOf({ at, by, reason, until }: Pause): Omit<Pause, 'agent'> {
  return { at, by, reason, until };
}

/** What `store init` and `store migrate` came to. */
export interface Made {
  /** The form that the tables had; null: there were none. */
  readonly before: number | null;
  readonly now: number;
  /** The version of the server, such as `15.7`. */
  readonly server: string;
}

/** Makes the tables, or brings them to the form of this version. Throws as `openStore` does. */
export async function makeStore(options: Options): Promise<Made> {
  const connection = await connected(options);
  try {
    return { before: await migrate(connection, options.schema), now: VERSION, server: serverText(connection.version) };
  } finally {
    await connection.close();
  }
}

async function connected({ address, caFile }: Options): Promise<Connection> {
  return connect(parseTarget(address, caFile));
}

function serverText(version: number): string {
  return `${Math.floor(version / 10_000)}.${version % 10_000}`;
}
