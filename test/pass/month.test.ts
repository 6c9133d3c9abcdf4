// A month of an office on a simulated clock: five agents, three repositories, 400 issues, a pass every minute against the
// fake server over HTTP, faults sprinkled in. DISPATCHER_TEST_PASSES=43200 is the month; npm test runs a day and a half.

import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { dispatch } from '../../src/pass/pass.ts';
import type { DispatchDeps } from '../../src/pass/pass-deps.ts';
import { peekIssue, readAssigner, readFullIssue } from '../../src/io/gitea/full-issue.ts';
import { listOpenIssues } from '../../src/io/gitea/listing.ts';
import { openScopeCache, unsavedScope } from '../../src/io/state/listing-cache.ts';
import { MINUTE, NOON } from '../support/builders.ts';
import { type FakeGitea, FAULTS, startFakeGitea } from '../support/gitea/server.ts';
import { simulation } from '../support/pass.ts';
import { clientOf } from '../support/client.ts';

const PASSES = Number(process.env['DISPATCHER_TEST_PASSES'] ?? 2000);
const ISSUES = Math.max(40, Math.round((400 * PASSES) / 43_200));
const AGENTS = ['hans', 'greta', 'ida', 'otto', 'ada'];
const REPOSITORIES = ['acme/app', 'acme/api', 'acme/web'];
const LABELS = ['Priority/Critical', 'Priority/High', 'Priority/Low', 'on-hold', 'Kind/Bug'];

/** The same numbers every time (mulberry32). */
function randomFrom(seed: number) {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    chance: (probability: number): boolean => next() < probability,
    pick: <T>(items: readonly T[]): T | undefined => items[Math.floor(next() * items.length)],
  };
}
type Random = ReturnType<typeof randomFrom>;

/** What people do to issues within a minute. */
function people(gitea: FakeGitea, random: Random, made: { count: number }): void {
  const perMinute = ISSUES / (PASSES * 0.8);
  const open = gitea.issues.filter((issue) => issue.state === 'open');
  const ref = (issue: (typeof open)[number]): string => `${issue.repository}#${issue.number}`;
  if (made.count < ISSUES && random.chance(perMinute)) {
    made.count += 1;
    const blocker = random.chance(0.1) ? random.pick(open) : undefined;
    gitea.addIssue({
      repository: random.pick(REPOSITORIES) ?? 'acme/app',
      title: `Issue ${made.count}`,
      assignees: [random.pick(AGENTS), ...(random.chance(0.1) ? [random.pick(AGENTS)] : [])].flatMap(
        (name) => name ?? [],
      ),
      labels: random.chance(0.5) ? [random.pick(LABELS) ?? ''] : [],
      ...(blocker ? { dependsOn: [ref(blocker)] } : {}),
    });
  }
  const some = random.pick(open);
  if (!some) return;
  if (random.chance(perMinute))
    gitea.addComment(ref(some), { author: random.pick([...AGENTS, 'alice', 'bob']) ?? 'alice', body: 'A word.' });
  if (random.chance(perMinute)) gitea.editIssue(ref(some), { state: 'closed' });
  if (random.chance(perMinute * 0.2)) gitea.editIssue(ref(some), { assignees: [random.pick(AGENTS) ?? 'hans'] });
  if (random.chance(perMinute * 0.1)) gitea.editIssue(ref(some), { assignees: [] });
  if (random.chance(perMinute * 0.2)) gitea.editIssue(ref(some), { labels: [random.pick(LABELS) ?? ''] });
  if (random.chance(perMinute * 0.2)) gitea.editIssue(ref(some), { title: `${some.title}, or so` });
  const closed = random.pick(gitea.issues.filter((issue) => issue.state === 'closed'));
  if (closed && random.chance(perMinute * 0.1)) gitea.editIssue(ref(closed), { state: 'open' });
}

/** Task files of the agents, done ones and archived ones too, as paths below the task folder. */
function filesOf(folder: string): readonly string[] {
  return existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
        /issue-\d+(?:\.\d+)?\.md$/u.test(name),
      )
    : [];
}

/** What agents do to their files within a minute. Answers what was deleted. */
function agents(folder: string, random: Random): readonly string[] {
  const isDone = random.chance(0.01);
  const isDeleted = !isDone && random.chance(0.002);
  if (!isDone && !isDeleted) return [];
  const own = filesOf(folder).filter((name) => !name.includes('/done/') && !name.includes('/archive/'));
  const file = random.pick(own);
  if (file === undefined) return [];
  if (isDeleted) {
    rmSync(join(folder, file));
    return [file];
  }
  const done = join(folder, file.split('/')[0] ?? '', 'done', file.split('/').slice(1).join('/'));
  mkdirSync(dirname(done), { recursive: true });
  renameSync(join(folder, file), done);
  return [];
}

/** Something goes wrong in this pass; answers what takes it back. */
function fault(
  gitea: FakeGitea,
  deps: DispatchDeps,
  random: Random,
): { readonly deps: DispatchDeps; readonly mend: () => void } {
  const kind = random.pick([
    'overloaded',
    'truncated',
    'html',
    'reset',
    'comments',
    'killed',
    'disk',
    'journal',
  ] as const);
  const killed = (): never => {
    throw new Error('killed here');
  };
  switch (kind) {
    case 'overloaded':
    case 'truncated':
    case 'html':
    case 'reset':
      return { deps, mend: gitea.intercept(/./u, FAULTS[kind], 1 + (random.chance(0.5) ? 5 : 0)) };
    case 'comments':
      return { deps, mend: gitea.intercept(/comments/u, { status: 500, body: '{}' }) };
    case 'disk':
      return { deps: { ...deps, tasks: { ...deps.tasks, draft: killed } }, mend: () => {} };
    case 'journal':
      return { deps: { ...deps, journal: { ...deps.journal, append: killed } }, mend: () => {} };
    case 'killed':
    case undefined: {
      // Stopped between two writes of the state, wherever they are.
      let writes = random.chance(0.5) ? 1 : 2;
      const write: DispatchDeps['state']['write'] = (state) => {
        writes -= 1;
        if (writes < 0) killed();
        deps.state.write(state);
      };
      return { deps: { ...deps, state: { ...deps.state, write } }, mend: () => {} };
    }
  }
}

test(
  `${PASSES} passes of an office: the limit holds, nothing twice, nothing lost, and the folder is true`,
  { timeout: 900_000 },
  async () => {
    const random = randomFrom(20_261_123);
    const office = simulation(() => [], NOON, {
      repositories: REPOSITORIES.map((name) => ({ owner: 'acme', name: name.split('/')[1] ?? '' })),
      taskFile: '{owner}/{repo}/issue-{number}.md',
      agents: new Map(
        AGENTS.map((name) => [name, { maxTasks: name === 'ada' ? 3 : null, template: null, attempts: 3 }]),
      ),
      holdLabels: ['on-hold'],
    });
    const { clock, config } = office;
    mkdirSync(config.stateDirectory);
    const gitea = await startFakeGitea({ now: () => new Date(clock.now) });
    onTestFinished(async () => gitea.close());
    for (const name of REPOSITORIES) gitea.addRepository(name);
    const client = await clientOf(gitea);
    const where = { repositories: config.repositories, url: gitea.url };
    const deps: DispatchDeps = {
      ...office.deps,
      listIssues: async (mode) =>
        listOpenIssues(client, where, {
          cacheOf: ({ name }) => (mode === 'all' ? unsavedScope() : openScopeCache(config.stateDirectory, name)),
        }),
      gitea: (ms) => ({
        ...office.deps.gitea(ms),
        readIssue: async (at) => readFullIssue(client, at, config.servers[0].url),
        peekIssue: async (at) => peekIssue(client, at, config.servers[0].url),
        readAssigner: async (at, login) => readAssigner(client, at, login),
      }),
      state: { ...office.deps.state, lock: async () => ({ release: () => {}, note: null }) },
    };

    const made = { count: 0 };
    const requests: number[] = [];
    const quiet: number[] = [];
    const deleted: string[] = [];
    let faults = 0;
    const pass = async (given: DispatchDeps): Promise<number> => {
      const before = gitea.requests.length;
      const shown = office.appearances.length;
      await dispatch(given).catch(() => {});
      const count = gitea.requests.length - before;
      if (office.appearances.length === shown) quiet.push(count);
      clock.now = Math.ceil((clock.now + 1) / MINUTE) * MINUTE;
      return count;
    };
    for (let minute = 0; minute < PASSES; minute += 1) {
      people(gitea, random, made);
      deleted.push(...agents(config.tasksDirectory, random));
      const isBad = random.chance(0.02);
      const { deps: given, mend } = isBad ? fault(gitea, deps, random) : { deps, mend: () => {} };
      faults += isBad ? 1 : 0;
      requests.push(await pass(given));
      mend();
    }
    // The faults are gone, and people go home: what is to go goes.
    for (let minute = 0; minute < 3 * ISSUES + 90; minute += 1) await pass(deps);

    const gaps = office.appearances.slice(1).map((at, index) => at - (office.appearances[index] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(config.rateLimitMs);

    const sorted = requests.toSorted((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
    const max = sorted.at(-1) ?? 0;
    const quietMedian = quiet.toSorted((a, b) => a - b)[Math.floor(quiet.length / 2)];
    const journal = deps.journal.read();
    const files = filesOf(config.tasksDirectory);
    console.log(
      `${PASSES} passes, ${made.count} issues, ${faults} faults, ${journal.length} dispatches, ${files.filter((name) => name.includes('/archive/')).length} archived, ${deleted.length} deleted by agents; requests a pass: median ${median}, maximum ${max}; median without a dispatch ${quietMedian}`,
    );
    expect(journal.length).toBeGreaterThan(ISSUES / 2);
    expect(quietMedian).toBe(1);
    // In a short run most passes have something to dispatch.
    if (PASSES >= 2000) expect(median).toBe(1);

    // Nothing is overwritten or lost: every dispatch is a file, but for those that an agent deleted.
    expect(files.length + deleted.length).toBe(journal.length);
    // No task twice without a reason: each repetition follows a deletion or an archived file.
    const archived = files.filter((name) => name.includes('/archive/')).length;
    const distinct = new Set(journal.map((entry) => `${entry.issueId}:${entry.agent}`)).size;
    expect(journal.length - distinct).toBeLessThanOrEqual(archived + deleted.length);

    // The folder matches the server: every open task that nothing holds back is there, and no other.
    const held = (issue: (typeof gitea.issues)[number]): boolean =>
      issue.labels.includes('on-hold') ||
      issue.dependsOn.some(
        (blocker) => gitea.find(blocker.split('#')[0] ?? '', Number(blocker.split('#')[1]))?.state === 'open',
      );
    const wanted = gitea.issues
      .filter((issue) => issue.state === 'open')
      .flatMap((issue) =>
        issue.assignees.map((agent) => ({ agent, name: `${issue.repository}/issue-${issue.number}.md`, issue })),
      );
    const present = new Map(
      files.filter((name) => !name.includes('/archive/')).map((name) => [name.replace('/done/', '/'), name]),
    );
    const busy = (agent: string): boolean =>
      agent === 'ada' &&
      files.filter((name) => name.startsWith('ada/') && !/\/(?:done|archive)\//u.test(name)).length >= 3;
    const missing = wanted.filter(
      ({ agent, name, issue }) => !present.has(`${agent}/${name}`) && !held(issue) && !busy(agent),
    );
    const repeated = (agent: string, name: string): boolean =>
      deleted.filter((file) => file === `${agent}/${name}`).length > 3;
    expect(
      missing.filter(({ agent, name }) => !repeated(agent, name)).map(({ agent, name }) => `${agent}/${name}`),
    ).toEqual([]);
    const due = new Set(wanted.map(({ agent, name }) => `${agent}/${name}`));
    expect([...present.keys()].filter((name) => !due.has(name))).toEqual([]);
  },
);
