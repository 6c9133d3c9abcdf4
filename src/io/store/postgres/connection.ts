// One connection for one command. Whatever the other side does, or does not, each step ends within its time.

import { Socket } from 'node:net';
import pg from 'pg';
import { EXIT, messageOf, UserError } from '../../../core/errors.ts';
import { storeError } from './outage.ts';
import type { Target } from './target.ts';

/** A row as the database gives it. */
export type Row = Readonly<Record<string, unknown>>;

/** Rows of a statement. */
export type Ask = (text: string, values?: readonly unknown[]) => Promise<readonly Row[]>;

/** A connection to the database that takes writes. */
export interface Connection {
  readonly ask: Ask;
  /** Does it all, or nothing. What is thrown in it undoes it. */
  readonly atOnce: <T>(work: (ask: Ask) => Promise<T>) => Promise<T>;
  /** Such as `150007`. */
  readonly version: number;
  /** Ends it, at once when the other side does not answer. Never throws. */
  readonly close: () => Promise<void>;
}

const CONNECT_MS = 4000;
const ANSWER_MS = 8000;
/** All answers together: a database that is slow to each, and answers, must not make a pass longer than it may be. */
const ALL_ANSWERS_MS = 12_000;
const GOODBYE_MS = 500;

/** The oldest server. */
const OLDEST = 140_000;

/** What a vanished machine holds is free again soon: the server must notice that it vanished. No pass lasts longer than 45 s. */
const SESSION = {
  statement_timeout: '7s',
  lock_timeout: '4s',
  idle_in_transaction_session_timeout: '8s',
  idle_session_timeout: '50s',
  tcp_keepalives_idle: '10',
  tcp_keepalives_interval: '5',
  tcp_keepalives_count: '3',
  tcp_user_timeout: '20s',
  application_name: 'dispatcher',
  // Nobody's search path decides whose tables these are.
  search_path: 'pg_catalog',
  timezone: 'UTC',
} as const;

/** Connects to the first server that takes writes. Throws exit 75, or 78 when it is no database for this. */
export async function connect(target: Target): Promise<Connection> {
  let failure: unknown = null;
  for (const server of target.servers) {
    const one = clientFor(target, server);
    try {
      await one.client.connect();
      const [found] = await one.ask(
        "select current_setting('server_version_num')::int as version, pg_is_in_recovery() as replica",
      );
      const version = Number(found?.['version']);
      if (version < OLDEST) throw tooOld(version);
      if (found?.['replica'] !== true) return { ...one, version };
      failure ??= Object.assign(new Error(`${server.host} is a replica`), { code: '25006' });
    } catch (error) {
      failure ??= error;
    }
    await one.close();
  }
  throw storeError(failure, target.password);
}

function clientFor(
  target: Target,
  { host, port }: Target['servers'][number],
): Omit<Connection, 'version'> & {
  readonly client: pg.Client;
} {
  const { user, password, database, ssl } = target;
  const socket = new Socket();
  const client = new pg.Client({
    host,
    port,
    user,
    database,
    ssl,
    // An empty one keeps `pg` from looking for one elsewhere.
    password: password ?? '',
    stream: () => socket,
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: ANSWER_MS,
    options: Object.entries(SESSION)
      .map(([name, value]) => `-c ${name}=${value}`)
      .join(' '),
  });
  // Said by whoever asks next; without a listener it would end the process.
  client.on('error', () => {});
  const ask = askerOf(client, socket, password);
  return {
    client,
    ask,
    atOnce: async (work) => {
      await ask('begin');
      try {
        const result = await work(ask);
        await ask('commit');
        return result;
      } catch (error) {
        // Whether or not it hears that: it undoes what was not committed.
        await ask('rollback').catch(() => {});
        throw error;
      }
    },
    close: async () => {
      const timer = setTimeout(() => socket.destroy(), GOODBYE_MS);
      await client.end().catch(() => {});
      clearTimeout(timer);
      socket.destroy();
    },
  };
}

function askerOf(client: pg.Client, socket: Socket, password: string | undefined): Ask {
  let waited = 0;
  return async (text, values = []) => {
    const began = performance.now();
    const left = ALL_ANSWERS_MS - waited;
    try {
      const query = { text, values: [...values], query_timeout: Math.ceil(Math.min(ANSWER_MS, Math.max(1, left))) };
      const { rows } = await client.query<Row>(query);
      return rows;
    } catch (error) {
      if (messageOf(error) !== 'Query read timeout') throw storeError(error, password);
      // Whatever is asked next on this connection would wait behind it. What was not committed is undone.
      socket.destroy();
      throw storeError(left < ANSWER_MS ? tooSlow() : error, password);
    } finally {
      waited += performance.now() - began;
    }
  };
}

function tooSlow(): Error {
  return Object.assign(new Error(`its answers took ${ALL_ANSWERS_MS / 1000} s in all`), { code: '57014' });
}

function tooOld(version: number): UserError {
  return new UserError(`the database of the store is PostgreSQL ${Math.floor(version / 10_000)}`, {
    exitCode: EXIT.invalid,
    code: 'store_too_old',
    hint: 'PostgreSQL 14 or newer is needed',
  });
}
