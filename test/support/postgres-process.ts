// The programs of PostgreSQL as processes: where they are, who they run as, how they start and end.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { clockOf } from './faketime.ts';

/** initdb and the server refuse root. */
export const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

/** Where initdb and postgres are; null where there are none. */
function binaries(): string | null {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).toSorted((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...versions.map((version) => join(debian, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(delimiter),
  ];
  return (
    folders.find((folder) => ['initdb', 'postgres', 'psql'].every((name) => existsSync(join(folder, name)))) ?? null
  );
}

/** Why no cluster can be started here; null when one can. */
export function noPostgres(): string | null {
  if (binaries() === null) return 'there is no PostgreSQL (Debian: postgresql)';
  if (isRoot && spawnSync('setpriv', ['--version']).status !== 0)
    return 'setpriv (util-linux) is missing, and PostgreSQL refuses root';
  return null;
}

/** The server, when it takes connections. It dies with this process. */
export async function started(folder: string, port: number, clockFile: string | null): Promise<ChildProcess> {
  const server = ['-D', join(folder, 'data'), '-k', folder, '-h', '127.0.0.1', '-p', String(port)];
  // For it alone: what a process of root before it had opened for this, it may not open.
  const faking = clockFile === null ? [] : ['env', ...Object.entries(clockOf(clockFile)).map((each) => each.join('='))];
  const [command = '', ...args] = asNobody([...faking, program('postgres'), ...server], ['--pdeathsig', 'QUIT']);
  const log = join(folder, 'log');
  for (let attempt = 1; ; attempt += 1) {
    const child = spawn('sh', ['-c', 'exec "$0" "$@" >>"$LOG" 2>&1', command, ...args], {
      cwd: folder,
      env: { PATH: process.env['PATH'], LOG: log },
      stdio: 'ignore',
    });
    const ended = new Promise<false>((resolve) => child.once('exit', () => resolve(false)));
    if (await Promise.race([ended, ready(folder, port)])) return child;
    // What a killed one left is in use until its last process has noticed.
    if (attempt === 50) throw new Error(`PostgreSQL does not start:\n${readFileSync(log, 'utf8').slice(-2000)}`);
    await wait(100);
  }
}

async function ready(folder: string, port: number): Promise<true> {
  const ask = ['-h', folder, '-p', String(port), '-U', 'postgres', '-t', '1'];
  for (const until = Date.now() + 60_000; Date.now() < until; await wait(50)) {
    const asking = spawn(program('pg_isready'), ask, { stdio: 'ignore' });
    if ((await new Promise((resolve) => asking.once('exit', resolve))) === 0) return true;
  }
  throw new Error(`PostgreSQL at port ${port} takes no connection within a minute`);
}

/** Sends a signal to the server and all its processes: its children live in sessions of their own, which no signal to a group reaches. */
export function signalAll(server: ChildProcess, signal: NodeJS.Signals): void {
  const { pid } = server;
  if (pid === undefined) return;
  const children = `/proc/${pid}/task/${pid}/children`;
  const all = existsSync(children) ? readFileSync(children, 'utf8').trim().split(' ').filter(Boolean).map(Number) : [];
  for (const each of [pid, ...all]) {
    try {
      process.kill(each, signal);
    } catch {
      // It has ended by itself.
    }
  }
}

/** A folder that the server may use. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dispatcher-pg-'));
  if (isRoot) chownSync(folder, NOBODY, NOBODY);
  return folder;
}

/** Adds lines to the configuration; the last one of a name counts. */
export function writeSettings(data: string, settings: Readonly<Record<string, string>>): void {
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`);
  writeFileSync(join(data, 'postgresql.conf'), lines.join(''), { flag: 'a' });
}

/** One of PostgreSQL's programs, as a path. */
export function program(name: string): string {
  return join(binaries() ?? '', name);
}

function asNobody(line: readonly string[], more: readonly string[] = []): readonly string[] {
  const change = isRoot ? [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', ...more] : more;
  return change.length > 0 ? ['setpriv', ...change, ...line] : line;
}

/** Runs one of its programs to its end, as who the server runs as. Throws what it said when it fails. */
export async function run(name: string, args: readonly string[]): Promise<void> {
  const [command = '', ...rest] = asNobody([program(name), ...args]);
  const child = spawn(command, rest, { cwd: tmpdir(), stdio: ['ignore', 'ignore', 'pipe'] });
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`${name} ended with ${String(code)}: ${text}`);
}

/** A port of the loopback that nobody listens at. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await promisify(server.close.bind(server))();
  return typeof address === 'object' && address ? address.port : 0;
}
