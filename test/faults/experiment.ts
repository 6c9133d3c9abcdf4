// What experiments have in common: an office with issues, the same treatment afterwards, a row in the table.

import { type ChildProcess, spawn } from 'node:child_process';
import type { TestContext } from 'vitest';
import { expect } from 'vitest';
import { COMMAND, type Finished, type Workspace, workspace } from '../support/command.ts';
import { type Expectation, violations } from '../support/invariants.ts';

/** Short, so that an experiment need not last for minutes. */
export const RATE_MS = 1000;

/** Issues #1 and #2 for hans, a second of rate limit, and no questions about news. */
export async function office(numbers: readonly number[] = [1, 2], more = '', rateMs = RATE_MS): Promise<Workspace> {
  const at = await workspace({
    yaml: `gitea: { url: URL, repositories: [acme/app] }\nrateLimit: ${rateMs}ms\nupdates: { enabled: false }\n${more}`,
  });
  addIssues(at, numbers);
  return at;
}

/** Issues of those numbers for hans, the smallest the oldest; `more` is what else is so of each. */
export function addIssues(
  { gitea }: Pick<Workspace, 'gitea'>,
  numbers: readonly number[],
  more: (number: number) => Partial<Parameters<Workspace['gitea']['addIssue']>[0]> = () => ({}),
): void {
  for (const number of numbers) {
    gitea.addIssue({
      repository: 'acme/app',
      number,
      title: `Issue ${number}`,
      assignees: ['hans'],
      createdAt: new Date(number * 1000),
      ...more(number),
    });
  }
}

/** CI does every fourth case of the long series; `offset` lets series that are alike begin at different ones. */
export function sampled<T>(items: readonly T[], offset = 0): readonly T[] {
  const every = Number(process.env['DISPATCHER_TEST_EVERY'] ?? 1);
  return items.filter((_, index) => index % every === offset % every);
}

/** A planted bug takes seconds to find: where every sixteenth case is done, every fourth bug is planted. */
export function sampledBugs<T>(bugs: readonly T[]): readonly T[] {
  const every = Math.max(1, Number(process.env['DISPATCHER_TEST_EVERY'] ?? 1) / 4);
  return bugs.filter((_, index) => index % every === 0);
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

interface Afterwards extends Omit<Partial<Expectation>, 'told'> {
  /** What onDispatch has been told by then. */
  readonly told?: (at: Workspace) => Expectation['told'];
}

/** With the fault gone: two more passes, and then whatever of the promises is broken, in words. */
export async function brokenAfterwards(
  at: Workspace,
  before: readonly Finished[],
  { told = () => null, ...expected }: Afterwards = {},
): Promise<readonly string[]> {
  const after = [await at.run([]), await at.run([])];
  const all = {
    allowed: [],
    rateLimitMs: RATE_MS,
    startedAt: 0,
    due: ['hans 1', 'hans 2'],
    forced: false,
    outputs: [...before, ...after].flatMap(({ stdout, stderr }) => [stdout, stderr]),
    told: told(at),
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

/** A pass started by a line of shell, in which `"$@"` is the command; `more` is what its environment has besides. */
export function shell(at: Workspace, line: string, more: Readonly<Record<string, string>> = {}): ChildProcess {
  return spawn('sh', ['-c', line, 'sh', process.execPath, COMMAND], {
    cwd: at.folder,
    env: { PATH: process.env['PATH'], HOME: at.folder, GITEA_TOKEN: at.gitea.token, ...more },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** What a command must not do, whatever is wrong: run for ever, crash, or print a stack trace. */
export const unseemly = ({ code, stdout, stderr }: Finished): readonly string[] => [
  ...([0, 1, 75, 78].includes(code ?? -1) ? [] : [`exit ${code}: ${stderr}`]),
  ...(/^\s+at .*:\d+/mu.test(stdout + stderr) ? [`a stack trace: ${stderr}`] : []),
  ...(code === 0 || stderr.includes('fix: ') ? [] : [`no remedy: ${stderr}`]),
];
