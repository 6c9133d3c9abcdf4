// A PostgreSQL of its own in a temporary folder, with Debian's binaries or those of PATH; never one that is there already.
// It can be killed, restarted, followed by a streaming replica that takes over, and be full or read-only.

import { type ChildProcess, execFileSync } from 'node:child_process';
import { chownSync, copyFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort, newFolder, NOBODY, program, run, signalAll, started, writeSettings } from './postgres-process.ts';

/** The password of the superuser `postgres`: distinct enough to be looked for in files and outputs. */
export const PASSWORD = 'Pg-S3cret_of_the_cluster';

/** By a clock that jumps everybody would have been silent for too long. */
const REPLICATION = {
  wal_keep_size: '64MB',
  max_wal_size: '64MB',
  min_wal_size: '2MB',
  wal_sender_timeout: '0',
  wal_receiver_timeout: '0',
};

export interface Cluster {
  readonly port: number;
  /** Where the server writes its log. */
  readonly logFile: string;
  /** A connection string with its password, over TCP. `port` for one that a proxy listens at. */
  readonly url: (
    database?: string,
    as?: { readonly user?: string; readonly password?: string; readonly port?: number },
  ) => string;
  /** Runs statements one after the other by psql, each in a transaction of its own; answers the rows, columns parted by `|`. */
  readonly sql: (statements: string | readonly string[], database?: string) => readonly string[];
  /** SIGKILL to every process of the server at once: nothing is written or said any more. */
  readonly kill: () => Promise<void>;
  /** A fast shutdown: sessions are ended, everything is written. */
  readonly stop: () => Promise<void>;
  /** Starts it again, whatever ended it; ends it first (fast) when it runs. Same port. */
  readonly restart: () => Promise<void>;
  /** Stops and continues all its processes: the machine hangs, the connections stay. */
  readonly freeze: () => void;
  readonly thaw: () => void;
  /** A streaming replica of it, read-only until it is promoted. Synchronous: nothing is committed that it does not have. */
  readonly replica: (options?: { readonly isSynchronous?: boolean }) => Promise<Cluster>;
  /** Makes a replica the primary. */
  readonly promote: () => Promise<void>;
  /** What its clock says from now on, where it stands still; to the second. */
  readonly setClock: (at: number) => void;
  /** Ends it for good and removes its folder. */
  readonly remove: () => Promise<void>;
}

export interface ClusterOptions {
  /** Whether it waits for the disk at each commit. Killing its processes loses nothing either way; only a power cut would. */
  readonly isDurable?: boolean;
  /** More lines of postgresql.conf, such as `max_connections = 20`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Its clock stands still at this moment, until `setClock` says another one (faketime). */
  readonly clockAt?: number;
}

/** A new cluster, with a database `postgres` and its superuser. The caller removes it. */
export async function startPostgres(options: ClusterOptions = {}): Promise<Cluster> {
  const folder = newFolder();
  const data = join(folder, 'data');
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, PASSWORD);
  if (process.getuid?.() === 0) chownSync(passwordFile, NOBODY, NOBODY);
  // Small pieces of log: a cluster that is a tenth as large starts in half the time.
  const form = ['--encoding=UTF8', '--locale=C', '--wal-segsize=1', '--no-sync', '--no-instructions'];
  const access = ['--username=postgres', '--auth-local=trust', '--auth-host=scram-sha-256', `--pwfile=${passwordFile}`];
  await run('initdb', ['-D', data, ...form, ...access]);
  const settings = { fsync: options.isDurable ? 'on' : 'off', max_connections: '100', ...options.settings };
  writeSettings(data, { ...settings, ...REPLICATION });
  const clockFile = options.clockAt === undefined ? null : join(folder, 'clock');
  if (clockFile !== null) setClock(clockFile, options.clockAt ?? 0);
  return running(folder, await freePort(), clockFile);
}

async function running(folder: string, port: number, clockFile: string | null): Promise<Cluster> {
  const logFile = join(folder, 'log');
  let server: ChildProcess | null = null;
  const start = async (): Promise<void> => {
    server = await started(folder, port, clockFile);
  };
  const isRunning = (): boolean => server !== null && server.exitCode === null && server.signalCode === null;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const ending = server;
    if (ending === null || !isRunning()) return;
    const closed = new Promise((resolve) => ending.once('exit', resolve));
    if (signal === 'SIGKILL') signalAll(ending, 'SIGKILL');
    else ending.kill(signal);
    await closed;
  };
  const sql: Cluster['sql'] = (statements, database = 'postgres') => {
    const each = (typeof statements === 'string' ? [statements] : statements).flatMap((one) => ['-c', one]);
    const where = ['-h', folder, '-p', String(port), '-U', 'postgres', '-d', database];
    const args = ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', ...where, ...each];
    return execFileSync(program('psql'), args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 2 ** 28,
      timeout: 60_000,
    })
      .split('\n')
      .filter((line) => line !== '');
  };
  await start();
  return {
    port,
    logFile,
    url: (database = 'postgres', { user = 'postgres', password = PASSWORD, port: other = port } = {}) =>
      `postgres://${encodeURIComponent(user)}:${encodeURIComponent(password)}@127.0.0.1:${other}/${encodeURIComponent(database)}`,
    sql,
    kill: async () => end('SIGKILL'),
    stop: async () => end('SIGINT'),
    restart: async () => {
      await end('SIGINT');
      await start();
    },
    freeze: () => {
      if (server) signalAll(server, 'SIGSTOP');
    },
    thaw: () => {
      if (server) signalAll(server, 'SIGCONT');
    },
    replica: async ({ isSynchronous = true } = {}) => {
      const own = newFolder();
      const from = ['-h', folder, '-p', String(port), '-U', 'postgres'];
      await run('pg_basebackup', [
        '-D',
        join(own, 'data'),
        ...from,
        '-R',
        '-X',
        'stream',
        '--checkpoint=fast',
        '--no-sync',
      ]);
      // What the original waits for is no matter of the replica, least of all once that is the primary.
      writeSettings(join(own, 'data'), { synchronous_standby_names: "''" });
      const ownClock = clockFile === null ? null : join(own, 'clock');
      if (clockFile !== null && ownClock !== null) copyFileSync(clockFile, ownClock);
      const replica = await running(own, await freePort(), ownClock);
      while (sql("select 1 from pg_stat_replication where state = 'streaming'").length === 0) await wait(20);
      if (isSynchronous) sql(["alter system set synchronous_standby_names = '*'", 'select pg_reload_conf()']);
      return replica;
    },
    promote: async () => {
      sql('select pg_promote(true, 30)');
      while (sql('select pg_is_in_recovery()')[0] !== 'f') await wait(20);
    },
    setClock: (at) => {
      if (clockFile !== null) setClock(clockFile, at);
    },
    remove: async () => {
      if (server) signalAll(server, 'SIGCONT');
      await end('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

// At once, for whoever reads it meanwhile: half a line would be no time.
function setClock(file: string, at: number): void {
  writeFileSync(`${file}.new`, new Date(at).toISOString().slice(0, 19).replace('T', ' '));
  renameSync(`${file}.new`, file);
}
