// What experiments have in common: an office with issues, the same treatment afterwards, a row in the table.

import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { expect } from 'vitest';
import { COMMAND, type Finished, finished, type Workspace, workspace } from '../support/command.ts';
import { type Expectation, violations } from '../support/invariants.ts';

/** Short, so that an experiment need not last for minutes. */
export const RATE_MS = 1000;

/** Issues #1 and #2 for hans, a second of rate limit, and no questions about news. */
export async function office(numbers: readonly number[] = [1, 2], rateMs = RATE_MS): Promise<Workspace> {
  const at = await workspace({
    yaml: `gitea: { url: URL, repositories: [acme/app] }\nrateLimit: ${rateMs}ms\nupdates: { enabled: false }\n`,
  });
  for (const number of numbers) {
    at.gitea.addIssue({
      repository: 'acme/app',
      number,
      title: `Issue ${number}`,
      assignees: ['hans'],
      createdAt: new Date(number * 1000),
    });
  }
  return at;
}

/** CI does every fourth case of the long series; `offset` lets series that are alike begin at different ones. */
export function sampled<T>(items: readonly T[], offset = 0): readonly T[] {
  const every = Number(process.env['DISPATCHER_TEST_EVERY'] ?? 1);
  return items.filter((_, index) => index % every === offset % every);
}

/** Whether one violation is enough: a bug is planted, and the question is only whether it is found. */
const isEnough = (found: readonly string[]): boolean => found.length > 0 && process.env['DISPATCHER_TEST_BAIL'] === '1';

/** Does each of them, a few at a time, and collects what they find. */
export async function together<T>(
  items: Iterable<T>,
  work: (item: T) => Promise<readonly string[]>,
  atOnce = 4,
): Promise<readonly string[]> {
  const found: string[] = [];
  const next = items[Symbol.iterator]();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let item = next.next(); !item.done && !isEnough(found); item = next.next())
        found.push(...(await work(item.value)));
    }),
  );
  return found;
}

/** With the fault gone: two more passes, and then whatever of the promises is broken, in words. */
export async function brokenAfterwards(
  at: Workspace,
  before: readonly Finished[],
  expected: Partial<Expectation> = {},
): Promise<readonly string[]> {
  const after = [await at.run([]), await at.run([])];
  const all = {
    allowed: [],
    rateLimitMs: RATE_MS,
    startedAt: 0,
    due: ['hans 1', 'hans 2'],
    forced: false,
    outputs: [...before, ...after].flatMap(({ stdout, stderr }) => [stdout, stderr]),
    ...expected,
  };
  return violations(at, all).map(({ invariant, what }) => `${invariant} ${what}`);
}

/** A row of the table; fails when there is a violation. */
export function conclude(
  { task }: Pick<TestContext, 'task'>,
  name: string,
  cases: number,
  found: readonly string[],
): void {
  task.meta.experiment = { name, cases, violations: found.length };
  expect(found).toEqual([]);
}

/** A pass started by a line of shell, in which `"$@"` is the command. */
export function shell(at: Workspace, line: string): ChildProcess {
  return spawn('sh', ['-c', line, 'sh', process.execPath, COMMAND], {
    cwd: at.folder,
    env: { PATH: process.env['PATH'], HOME: at.folder, GITEA_TOKEN: at.gitea.token },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** A command that was traced. */
interface Traced extends Finished {
  /** Each of the calls, with the path of the file that it was about. */
  readonly calls: readonly string[];
  /** The call that a fault was injected into, if it came to that. */
  readonly injected: string | undefined;
}

/** One call of those that a command made, as strace counts them: each kind of call by itself. */
export interface Point {
  readonly call: string;
  readonly name: string;
  readonly nth: number;
  /** What it did to which of our files, the how-manieth time: the same in each run. Null for what Node does for itself. */
  readonly deed: string | null;
}

/** Each of the calls as a point at which something can be done to the command. */
export function pointsOf({ folder }: Workspace, calls: readonly string[]): readonly Point[] {
  const counts = new Map<string, number>();
  const count = (what: string): number => {
    counts.set(what, (counts.get(what) ?? 0) + 1);
    return counts.get(what) ?? 0;
  };
  return calls.map((call) => {
    const name = /^\w+/u.exec(call)?.[0] ?? '';
    const nth = count(name);
    if (!call.includes(`${folder}/`)) return { call, name, nth, deed: null };
    const [path = ''] = call.slice(call.indexOf(`${folder}/`) + folder.length).split(/[>"]/u);
    // A draft has a random name.
    const deed = `${name} ${path.replace(/\.[^./]+\.tmp$/u, '.tmp')}`;
    return { call, name, nth, deed: `${deed} ${count(deed)}` };
  });
}

/** Longer than a pass may take. */
const HANGS_MS = 50_000;

/** The command under strace, with faults injected into system calls, as strace's `inject` takes them. */
export async function traced(
  at: Workspace,
  args: readonly string[],
  calls: string,
  inject: string | null,
): Promise<Traced> {
  const log = join(at.folder, 'trace');
  const injection = inject === null ? [] : ['-e', `inject=${inject}`];
  const command = ['-qq', '-y', '-o', log, '-e', `trace=${calls}`, ...injection, process.execPath, COMMAND, ...args];
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
