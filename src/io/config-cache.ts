// The configuration of a file that has not changed since it was checked, without reading it again: what parses and checks YAML is
// not even loaded then, which is a fifth of a quiet pass. Any other file behind the name, or another program, is read and checked.

import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Instant } from '../core/clock.ts';
import { type Config, normaliseConfig } from '../core/config/config.ts';
import type { RawConfig } from '../core/config/schema.ts';
import { configFile } from './config-place.ts';

interface Surroundings {
  readonly environment: NodeJS.ProcessEnv;
  readonly cwd: string;
}

/** A file that was changed so recently may be changed once more without its times telling. Milliseconds. */
const RECENT_MS = 3000;
const MAX_BYTES = 1024 * 1024;

/** The same as `loadConfig`, and quicker where the file is the one that was checked the last time. */
export async function loadKnownConfig(
  explicit: string | undefined,
  surroundings: Surroundings,
  now: () => Instant,
): Promise<Config> {
  const { environment, cwd } = surroundings;
  const file = configFile(explicit, environment, cwd);
  const stamp = file === null ? null : stampOf(file);
  if (file === null || stamp === null) return (await import('./config-file.ts')).loadConfig(explicit, surroundings);
  const cache = cacheFor(file, environment);
  const known = cache === null ? undefined : remembered(cache, stamp);
  const raw = known ?? (await checked(file, cache, stamp, now));
  return normaliseConfig(raw, { file, folder: dirname(file), resolve });
}

async function checked(file: string, cache: string | null, stamp: string, now: () => Instant): Promise<RawConfig> {
  const { readConfigFile } = await import('./config-file.ts');
  const raw = readConfigFile(file);
  // An address with a password is nobody's to keep.
  if (raw.store?.url !== undefined) return raw;
  if (cache !== null && !isRecent(file, now()) && stampOf(file) === stamp) remember(cache, { stamp, raw });
  return raw;
}

// What is behind the name: another text has another time of change, which nobody can set.
function stampOf(file: string): string | null {
  try {
    const stat = statSync(file, { bigint: true });
    const program = statSync(fileURLToPath(import.meta.url));
    if (!stat.isFile()) return null;
    const { dev, ino, size, mtimeNs, ctimeNs } = stat;
    return [file, dev, ino, size, mtimeNs, ctimeNs, program.size, program.ctimeMs].join(' ');
  } catch {
    return null; // whoever reads it says what is the matter
  }
}

function isRecent(file: string, now: Instant): boolean {
  const { ctimeMs, mtimeMs } = statSync(file);
  return Math.abs(now - Math.max(ctimeMs, mtimeMs)) < RECENT_MS;
}

// In this user's own cache folder, where bin/dispatcher.js keeps what Node has compiled: whoever can write there decides what
// runs. The state folder will not do: only the configuration tells where it is.
function cacheFor(file: string, environment: NodeJS.ProcessEnv): string | null {
  const home = environment['HOME'];
  const above = environment['CACHE_DIRECTORY'] || environment['XDG_CACHE_HOME'] || (home && join(home, '.cache'));
  if (!above?.startsWith('/') || above.includes(':')) return null;
  const folder = join(above, 'agent-dispatcher');
  try {
    for (const path of [above, folder]) if (!lstatSync(path, { throwIfNoEntry: false })) mkdirSync(path, 0o700);
    if (!isOurs(lstatSync(folder)) || !lstatSync(folder).isDirectory()) return null;
  } catch {
    return null;
  }
  return join(folder, `config-${createHash('sha256').update(file).digest('hex').slice(0, 16)}.json`);
}

function isOurs({ uid, mode }: { readonly uid: number; readonly mode: number }): boolean {
  return uid === process.geteuid?.() && (mode & 0o022) === 0;
}

function remembered(cache: string, stamp: string): RawConfig | undefined {
  let handle: number | undefined;
  try {
    handle = openSync(cache, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    const stat = fstatSync(handle);
    if (!stat.isFile() || !isOurs(stat) || stat.size > MAX_BYTES) return undefined;
    const kept: unknown = JSON.parse(readFileSync(handle, 'utf8'));
    return isKept(kept) && kept.stamp === stamp ? kept.raw : undefined;
  } catch {
    return undefined; // none, or none of ours
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}

interface Kept {
  readonly stamp: string;
  readonly raw: RawConfig;
}

// Lightly: it was checked when it was written, by this program and this user.
function isKept(value: unknown): value is Kept {
  if (typeof value !== 'object' || value === null || !('stamp' in value) || !('raw' in value)) return false;
  const { raw } = value;
  if (typeof raw !== 'object' || raw === null || !('gitea' in raw)) return false;
  const { gitea } = raw;
  const servers: readonly unknown[] = Array.isArray(gitea) ? gitea : [gitea];
  return servers.length > 0 && servers.every((server) => isServer(server));
}

function isServer(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'url' in value && 'repositories' in value;
}

function remember(cache: string, kept: Kept): void {
  const draft = `${cache}.${process.pid}.tmp`;
  try {
    writeFileSync(draft, JSON.stringify(kept), { mode: 0o600, flag: 'wx' });
    renameSync(draft, cache);
  } catch {
    rmSync(draft, { force: true }); // it goes without
  }
}
