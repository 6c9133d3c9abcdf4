// The command under strace: which system calls it makes, and one of them met by a fault or a signal.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { COMMAND, type Finished, finished, type Workspace } from '../support/command.ts';

/** A command that was traced. */
interface Traced extends Finished {
  /** Each of the calls, with the path of the file that it was about. */
  readonly calls: readonly string[];
  /** The call that a fault was injected into, if it came to that. */
  readonly injected: string | undefined;
}

/** One call of those that a command made. */
export interface Point {
  readonly call: string;
  readonly name: string;
  /** As strace counts them: each kind of call by itself. */
  readonly nth: number;
  /** What it did to which of our files, the how-manieth time: the same in each run. Null for what Node does for itself. */
  readonly deed: string | null;
  /** Which of its kind it was about the first of those names. */
  readonly nthThere: number;
  /** By what strace knows the files of ours that it was about, for `placeIn`; those names alone that are the same in each run. */
  readonly names: readonly string[];
}

/** Each of the calls as a point at which something can be done to the command. */
export function pointsOf(at: Workspace, calls: readonly string[]): readonly Point[] {
  const { folder } = at;
  const counts = new Map<string, number>();
  const count = (what: string): number => {
    counts.set(what, (counts.get(what) ?? 0) + 1);
    return counts.get(what) ?? 0;
  };
  return withPaths(calls).map(({ call, raw }) => {
    const name = /^\w+/u.exec(call)?.[0] ?? '';
    const nth = count(name);
    const point = { call, name, nth, nthThere: 0, names: [] };
    // Not the threads of Node, which share its memory.
    if (/^(?:clone3?|v?fork)$/u.test(name))
      return { ...point, deed: call.includes('CLONE_THREAD') ? null : `starts a program ${count('starts')}` };
    const from = call.indexOf(`${folder}/`);
    // What is compiled is kept or not; no promise hangs on it, and a run that has it writes nothing.
    if (from === -1 || call.startsWith('/.cache/', from + folder.length)) return { ...point, deed: null };
    const [path = ''] = call.slice(from + folder.length).split(/[>"]/u);
    const what = `${name} ${path.replace(scopeOf(at), SCOPE).replace(RANDOM, '.tmp')}`;
    const names = namesIn(at, raw);
    const [nthThere = 0] = names.map((each) => count(`${name} of ${each}`));
    return { ...point, deed: `${what} ${count(what)}`, nthThere, names };
  });
}

function namesIn(at: Workspace, raw: string): readonly string[] {
  const names = [...raw.matchAll(/[<"](\/[^<>"]*)[>"]/gu)]
    .map(([, path = '']) => path)
    .filter((path) => path.startsWith(`${at.folder}/`) || path.startsWith('/proc/self/fd/'))
    .filter((path) => !RANDOM.test(path))
    .map((path) => path.replace(at.folder, FOLDER).replace(scopeOf(at), SCOPE));
  // What is opened stands there twice, as it was asked for and as it was answered.
  return [...new Set(names)];
}

/** The end of a draft's name: `.issue-1.md.kC4wH7G2LKUn.tmp`, or with the number of the process. */
const RANDOM = /\.(?:[\w-]{12}|\d+)\.tmp$/u;
/** They stand for what is another one in each office: its folder, and the name under which its listing is kept. */
const FOLDER = 'FOLDER';
const SCOPE = 'SCOPE';

function scopeOf({ gitea: { url, token } }: Workspace): string {
  const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
  return hash([url, hash(token), 'acme/app'].join('\n')).slice(0, 16);
}

/** A name of a point as it is in another office. */
export function placeIn(at: Workspace, name: string): string {
  return name.replace(FOLDER, at.folder).replace(SCOPE, scopeOf(at));
}

// The task folder is worked in by descriptor: `/proc/self/fd/24/issue-1.md` is a name in what was last opened as 24.
function withPaths(calls: readonly string[]): readonly { readonly call: string; readonly raw: string }[] {
  const opened = new Map<string, string>();
  return calls.map((raw) => {
    const [, handle, path] = /^openat\(.* = (\d+)<([^>]*)>/u.exec(raw) ?? [];
    const call = raw.replaceAll(
      /"\/proc\/self\/fd\/(\d+)/gu,
      (whole, at: string) => `"${opened.get(at) ?? whole.slice(1)}`,
    );
    if (handle !== undefined && path !== undefined) opened.set(handle, path);
    return { call, raw };
  });
}

/** Whether a call can change anything of ours, or tell anybody else anything. */
export function isChange({ name, call, deed }: Point): boolean {
  if (name === 'openat') return deed !== null && call.includes('O_CREAT');
  return deed !== null || call.includes('<socket:');
}

const LOOKED_AT = new RegExp(process.env['DISPATCHER_TEST_DEEDS'] ?? '', 'u');

/** Those that are tried: all, unless a bug is planted and it is known where it must show. */
export function lookedAt(points: readonly Point[]): readonly Point[] {
  return points.filter(({ deed }) => LOOKED_AT.test(deed ?? ''));
}

/** What strace is to be told, so that `what` becomes of that call. */
export function aimedAt(at: Workspace, { name, nth, names: [file], nthThere }: Point, what: string): readonly string[] {
  // Node opens, reads and writes for itself as well, and not the same in each run.
  if (file?.startsWith(FOLDER)) return ['-P', placeIn(at, file), '-e', `inject=${name}:${what}:when=${nthThere}`];
  return ['-e', `inject=${name}:${what}:when=${nth}`];
}

/** Longer than a pass may take. */
const HANGS_MS = 50_000;

/** The command under strace, which is told what to do to it. */
export async function traced(
  at: Workspace,
  args: readonly string[],
  calls: string,
  told: readonly string[] = [],
): Promise<Traced> {
  const log = join(at.folder, 'trace');
  const command = ['-qq', '-y', '-o', log, '-e', `trace=${calls}`, ...told, process.execPath, COMMAND, ...args];
  const child = spawn('strace', command, {
    cwd: at.folder,
    env: { PATH: process.env['PATH'], HOME: at.folder, TZ: 'Europe/Berlin', GITEA_TOKEN: at.gitea.token },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const watchdog = setTimeout(() => process.kill(-(child.pid ?? 0), 'SIGKILL'), HANGS_MS);
  const end = await finished(child);
  clearTimeout(watchdog);
  const lines = readFileSync(log, 'utf8').split('\n');
  return {
    ...end,
    calls: lines.filter((line) => /^[a-z0-9_]+\(/u.test(line)),
    injected: lines.find((line) => line.includes('(INJECTED)')),
  };
}
