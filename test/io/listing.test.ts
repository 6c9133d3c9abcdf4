// The cache of the listing against a server that is changed at random, over HTTP: openly, silently, with faults and kills between
// the passes and broken files. A step is a minute.

import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { decide } from '../../src/core/choice/choice.ts';
import { EXIT, UserError } from '../../src/core/errors.ts';
import { candidatesOf } from '../../src/core/issue/candidate.ts';
import type { Issue } from '../../src/core/issue/issue.ts';
import type { Listing } from '../../src/core/listing/listing.ts';
import { listOpenIssues } from '../../src/io/gitea/listing.ts';
import { openScopeCache } from '../../src/io/state/listing-cache.ts';
import { aConfig, anIssue, MINUTE, NOON, someFacts } from '../support/builders.ts';
import { type FakeGitea, type FakeGiteaOptions, FAULTS, startFakeGitea } from '../support/gitea/server.ts';
import { clientOf } from '../support/client.ts';

interface Office {
  readonly gitea: FakeGitea;
  readonly clock: { now: number };
  readonly folder: string;
  /** A pass; `killed`: before it remembers anything. */
  readonly list: (killed?: boolean, hasTime?: () => boolean, isInTime?: () => boolean) => Promise<Listing>;
  readonly requestsOf: (act: () => Promise<unknown>) => Promise<readonly string[]>;
}

async function office(
  { skew, ...options }: FakeGiteaOptions & { readonly skew?: number } = {},
  repositories = ['acme/*'],
  watched: readonly string[] = [],
): Promise<Office> {
  const clock = { now: NOON };
  const gitea = await startFakeGitea({
    now: () => new Date(clock.now),
    // What the answers say, beside what stamps the issues.
    ...(skew === undefined ? {} : { date: () => new Date(clock.now + skew) }),
    ...options,
  });
  const folder = mkdtempSync(join(tmpdir(), 'dispatcher-listing-'));
  onTestFinished(async () => {
    await gitea.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const client = await clientOf(gitea, 0);
  const patterns = repositories.map((pattern) => {
    const [owner = '', name = ''] = pattern.split('/');
    return { owner, name: name === '*' ? null : name };
  });
  return {
    gitea,
    clock,
    folder,
    list: async (killed = false, hasTime = () => true, isInTime = () => true) =>
      listOpenIssues(
        async (path, asked) => {
          if (isInTime()) return client(path, asked);
          throw new UserError('no answer', { exitCode: EXIT.unavailable, code: 'gitea_timeout', hint: 'wait' });
        },
        { url: gitea.url, repositories: patterns },
        {
          hasTime,
          watched,
          cacheOf: ({ name }) => {
            const cache = openScopeCache(folder, name);
            return killed ? { ...cache, save: () => {} } : cache;
          },
        },
      ),
    requestsOf: async (act) => {
      const before = gitea.requests.length;
      await act();
      return gitea.requests.slice(before);
    },
  };
}

const told = (issues: readonly Pick<Issue, 'id' | 'repository' | 'number' | 'title' | 'labels' | 'assignees'>[]) =>
  issues
    .map(({ id, repository, number, title, labels, assignees }) =>
      [id, repository, number, title, labels.join(), assignees.toSorted().join()].join(' '),
    )
    .toSorted();

const truth = ({ gitea }: Office, except: ReadonlySet<number> = new Set()) =>
  told(
    gitea.issues.filter(
      ({ id, state, assignees, pullRequest }) =>
        !except.has(id) && state === 'open' && assignees.length > 0 && !pullRequest,
    ),
  );

const known = ({ issues }: Listing, except: ReadonlySet<number> = new Set()) =>
  told(issues.filter(({ id, assignees }) => assignees.length > 0 && !except.has(id)));

function fill({ gitea }: Office, count: number, assigned = count): void {
  for (let number = 1; number <= count; number += 1) {
    gitea.addIssue({
      repository: `acme/${number % 3 === 0 ? 'api' : 'app'}`,
      title: `Issue ${number}`,
      assignees: number <= assigned ? ['hans'] : [],
      createdAt: new Date(NOON - (count - number + 5) * MINUTE),
    });
  }
}

type Step =
  | { readonly kind: 'pull'; readonly at: number }
  | { readonly kind: 'open' | 'close' | 'assign' | 'unassign' | 'label' | 'comment' | 'delete'; readonly at: number }
  | { readonly kind: 'rename label' | 'remove assignee' | 'pass' | 'killed pass' }
  | { readonly kind: 'set clock'; readonly by: number }
  | { readonly kind: 'failed pass'; readonly at: number }
  | { readonly kind: 'cut' | 'garbage' | 'lose'; readonly at: number };

const at = fc.nat(1000);
const steps = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constantFrom('open', 'close', 'assign', 'unassign', 'label', 'comment', 'delete', 'pull'),
        at,
      }),
    },
    { weight: 8, arbitrary: fc.record({ kind: fc.constant('pass') }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('rename label', 'remove assignee', 'killed pass') }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('failed pass'), at }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('cut', 'garbage', 'lose'), at }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('set clock'), by: fc.constantFrom(-60, -4, -2, 2, 60) }),
    },
  ),
  { minLength: 10, maxLength: 60 },
) as fc.Arbitrary<Step[]>;

/** With the clock of the answers beside the one that stamps the issues, or behind it, and both set now and then. */
const histories = fc.record({
  history: steps,
  maxResponseItems: fc.constantFrom(3, 5, 50),
  watches: fc.boolean(),
  skew: fc.constantFrom(0, -1, -60),
});

const FAULT_PLACES = [/since=/u, /state=open.*page=1$/u, /state=open.*page=[2-9]/u, /issues/u];

/** Does a step; notes in `silent` the issues whose change nobody was told. */
async function take(office: Office, step: Step, silent: Set<number>): Promise<Listing | null> {
  const { gitea, clock, folder, list } = office;
  const issue = 'at' in step ? gitea.issues[step.at % gitea.issues.length] : undefined;
  const ref = issue ? `${issue.repository}#${issue.number}` : '';
  const edit = (change: Parameters<FakeGitea['editIssue']>[1]): void => {
    if (!issue) return;
    gitea.editIssue(ref, change);
    silent.delete(issue.id);
  };
  const silently = (isMeant: (each: (typeof gitea.issues)[number]) => boolean): void =>
    gitea.issues.filter(isMeant).forEach(({ id }) => void silent.add(id));
  clock.now += 20_000;
  switch (step.kind) {
    case 'open':
      gitea.addIssue({ repository: 'acme/app', assignees: step.at % 2 === 0 ? ['hans'] : [], labels: ['old'] });
      return null;
    case 'close':
      edit({ state: issue?.state === 'open' ? 'closed' : 'open' });
      return null;
    case 'assign':
      edit({ assignees: ['greta'] });
      return null;
    case 'unassign':
      edit({ assignees: [] });
      return null;
    case 'label':
      edit({ labels: ['old', 'P1'] });
      return null;
    case 'pull': {
      const pulls = gitea.issues.filter(({ pullRequest }) => pullRequest);
      const pull = pulls[step.at % pulls.length];
      if (pull) gitea.addComment(`${pull.repository}#${pull.number}`, { author: 'bob', body: 'A word.' });
      return null;
    }
    case 'comment':
      if (issue) gitea.addComment(ref, { author: 'bob', body: 'A word.' });
      if (issue) silent.delete(issue.id);
      return null;
    case 'delete':
      if (gitea.issues.length < 2 || !issue) return null;
      silent.add(issue.id);
      gitea.deleteIssue(ref);
      return null;
    case 'rename label':
      silently(({ labels }) => labels.includes('old'));
      gitea.renameLabel('old', 'new');
      return null;
    case 'remove assignee':
      silently(({ assignees }) => assignees.includes('greta'));
      gitea.removeAssignee('greta');
      return null;
    case 'set clock':
      clock.now += step.by * MINUTE;
      return null;
    case 'pass':
      clock.now += MINUTE;
      return list();
    case 'killed pass':
      clock.now += MINUTE;
      return list(true);
    case 'failed pass': {
      const mend = gitea.intercept(FAULT_PLACES[step.at % FAULT_PLACES.length] ?? /issues/u, FAULTS.overloaded);
      const listing = await list().catch(() => null);
      mend();
      return listing;
    }
    case 'cut':
    case 'garbage':
    case 'lose':
      spoil(join(folder, 'listing'), step);
      return null;
  }
}

function spoil(folder: string, { kind, at: which }: { readonly kind: string; readonly at: number }): void {
  const names = readdirSync(folder, { withFileTypes: true }).map(({ name }) => name);
  const file = join(folder, names[which % names.length] ?? '');
  if (names.length === 0) return;
  if (kind === 'cut') truncateSync(file, Math.floor(statSync(file).size / 2));
  else if (kind === 'garbage') writeFileSync(file, 'x'.repeat(statSync(file).size));
  else rmSync(file);
}

describe('a random history', () => {
  test(
    'is known after each pass but for silent changes, and wholly after the rounds that follow',
    { timeout: 240_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(histories, async ({ history, maxResponseItems, watches, skew }) => {
          const here = await office({ maxResponseItems, skew: skew * MINUTE }, ['acme/*'], watches ? ['acme/app'] : []);
          fill(here, 17, 12);
          for (const author of ['bob', 'carol'])
            here.gitea.addIssue({ repository: 'acme/app', pullRequest: true, author });
          const pulls = watchOn(here);
          const silent = new Set<number>();
          await here.list();
          for (const step of history) {
            // A file of rows that was tampered with is found when it is read: that pass fails, and the next begins anew.
            const listing = await take(here, step, silent);
            if (!listing) continue;
            if (step.kind !== 'killed pass') pulls.tell(listing);
            const found = attempt(() => known(listing, silent));
            if (found) expect(found).toEqual(truth(here, silent));
            if (found) expectRightChoice(here, listing, silent);
          }
          for (let pass = 0; pass < 40; pass += 1) {
            here.clock.now += MINUTE;
            const listing = await here.list();
            pulls.tell(listing);
            attempt(() => known(listing));
          }
          here.clock.now += MINUTE;
          expect(known(await here.list())).toEqual(truth(here));
          expect(watches ? pulls.missing() : []).toEqual([]);
        }),
        { numRuns: Number(process.env['DISPATCHER_TEST_HISTORIES'] ?? 15) },
      );
    },
  );
});

/** Which movements of pull requests no listing has told of: neither shown, nor said that it could not tell. */
function watchOn({ gitea, clock }: Office) {
  const told = new Map<number, number>();
  const pulls = () => gitea.issues.filter(({ pullRequest }) => pullRequest);
  return {
    tell: ({ pulls: found }: Listing): void => {
      if (found?.isUntold('acme/app')) for (const { number } of pulls()) told.set(number, clock.now);
      for (const { number, updatedAt } of found?.moved ?? [])
        told.set(number, Math.max(updatedAt, told.get(number) ?? 0));
    },
    missing: () =>
      pulls()
        .filter(({ number, updatedAt }) => Math.floor(updatedAt.getTime() / 1000) * 1000 > (told.get(number) ?? 0))
        .map(({ number }) => number),
  };
}

// What goes is what a full listing would have chosen, or the difference is a silent change that no round has shown yet.
function expectRightChoice({ gitea }: Office, { issues }: Listing, silent: ReadonlySet<number>): void {
  const open = gitea.issues.filter(({ state, pullRequest }) => state === 'open' && !pullRequest);
  const real = open.map(({ id, repository, number, title, labels, assignees, createdAt }) =>
    anIssue({ id, repository, number, title, labels, assignees, createdAt: createdAt.getTime() }),
  );
  const [chosen, right] = [issues, real].map((all) => chosenOf(all.filter(({ id }) => !silent.has(id))));
  expect(chosen).toEqual(right);
  const [bare, wanted] = [issues, real].map((all) => chosenOf(all));
  if (bare !== wanted) expect([bare, wanted].some((key) => key !== undefined && silent.has(idIn(key)))).toBe(true);
}

const chosenOf = (issues: readonly Issue[]): string | undefined =>
  decide(candidatesOf(issues, aConfig()), someFacts(), null, NOON).chosen?.key;

const idIn = (key: string): number => Number(/#(\d+):/u.exec(key)?.[1]);

function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    expect(error).toMatchObject({ exitCode: 75, code: 'listing_broken' });
    return undefined;
  }
}

/** Bytes of the folder's files, by name. */
const sizesIn = (folder: string): ReadonlyMap<string, number> =>
  new Map(readdirSync(folder).map((name) => [name, statSync(join(folder, name)).size]));

describe('a quiet pass', () => {
  test('asks twice and writes less than 2 kB, whatever is open', async () => {
    const here = await office();
    fill(here, 400);
    await here.list();
    for (let pass = 0; pass < 12; pass += 1) {
      here.clock.now += MINUTE;
      const before = sizesIn(join(here.folder, 'listing'));
      const requests = await here.requestsOf(async () => here.list());
      expect(requests).toHaveLength(2);
      const written = [...sizesIn(join(here.folder, 'listing'))].map(([name, size]) =>
        name.endsWith('.json') ? size : Math.max(0, size - (before.get(name) ?? 0)),
      );
      expect(written.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(2000);
    }
  });

  test('asks once where everything fits on a page', async () => {
    const here = await office();
    fill(here, 40);
    await here.list();
    here.clock.now += MINUTE;
    here.gitea.editIssue('acme/app#1', { state: 'closed' });
    expect(await here.requestsOf(async () => here.list())).toEqual([
      'GET /api/v1/repos/issues/search?owner=acme&state=open&type=issues&limit=50&page=1',
    ]);
    expect(known(await here.list())).toEqual(truth(here));
  });
});

describe('many changes at once', () => {
  const change = (here: Office, count: number): void => {
    here.clock.now += MINUTE;
    for (const issue of here.gitea.issues.slice(0, count)) {
      here.gitea.editIssue(`${issue.repository}#${issue.number}`, { title: `changed ${issue.number}` });
    }
  };

  test.for<[string, number, number, number]>([
    ['are read as changes where a new listing would ask more', 4000, 2500, 50 + 1],
    ['cost no more than a new listing where everything changed', 2200, 2200, 44 + 1],
  ])('%s', async ([, open, changed, most]) => {
    const here = await office();
    fill(here, open, 20);
    await here.list();
    change(here, changed);
    const requests = await here.requestsOf(async () => here.list());
    expect(requests.length).toBeLessThanOrEqual(most);
    expect(known(await here.list())).toEqual(truth(here));
  });
});

describe('pull requests that are watched', () => {
  const watching = async (count: number): Promise<Office> => {
    const here = await office({}, ['acme/*'], ['acme/app']);
    fill(here, count);
    here.gitea.addIssue({ repository: 'acme/app', number: 999, pullRequest: true, createdAt: new Date(NOON - MINUTE) });
    await here.list();
    return here;
  };

  test.for([
    { what: 'in the same two requests', count: 400, most: 2, passes: 1 },
    { what: 'where all fits on a page, within two passes of one request', count: 40, most: 1, passes: 2 },
  ])('are told of $what', async ({ count, most, passes }) => {
    const here = await watching(count);
    for (let time = 0; time < 4; time += 1) {
      here.clock.now += 10 * MINUTE;
      here.gitea.addComment('acme/app#999', { author: 'bob', body: 'x' });
      const moved: number[] = [];
      for (let pass = 0; pass < passes; pass += 1) {
        here.clock.now += MINUTE;
        const requests = await here.requestsOf(async () => {
          const { pulls } = await here.list();
          moved.push(...(pulls?.moved ?? []).map(({ number }) => number));
        });
        expect(requests).toHaveLength(most);
      }
      expect(moved).toEqual([999]);
    }
  });

  test('are told to be closed, and none is an issue', async () => {
    const here = await watching(400);
    here.clock.now += MINUTE;
    here.gitea.editIssue('acme/app#999', { state: 'closed', merged: true });
    const listing = await here.list();
    expect(listing.pulls?.moved).toMatchObject([{ repository: 'acme/app', number: 999, isOpen: false }]);
    expect(known(listing)).toEqual(truth(here));
  });

  test('cannot be told of when nothing is remembered; that is said of their own repository alone', async () => {
    const here = await watching(400);
    rmSync(join(here.folder, 'listing'), { recursive: true });
    const { pulls } = await here.list();
    expect(pulls?.isUntold('acme/app')).toBe(true);
    expect(pulls?.isUntold('labs/tool')).toBe(false);
    here.clock.now += MINUTE;
    expect((await here.list()).pulls?.isUntold('acme/app')).toBe(false);
  });
});

describe('what a server changes silently', () => {
  test('is noticed at once when the numbers do not add up: a deleted issue', async () => {
    const here = await office();
    fill(here, 400);
    await here.list();
    here.clock.now += MINUTE;
    here.gitea.deleteIssue('acme/app#1');
    await here.list();
    here.clock.now += MINUTE;
    expect(known(await here.list())).toEqual(truth(here));
  });

  test('is noticed within a round: a renamed label', async () => {
    const here = await office();
    fill(here, 400);
    here.gitea.editIssue('acme/app#1', { labels: ['old'] });
    await here.list();
    here.gitea.renameLabel('old', 'P0');
    for (let pass = 0; pass < 8; pass += 1) {
      here.clock.now += MINUTE;
      await here.list();
    }
    expect(known(await here.list())).toEqual(truth(here));
  });

  test('such as the name of a repository is followed and said', async () => {
    const here = await office({}, ['acme/app', 'acme/api']);
    fill(here, 30);
    await here.list();
    here.gitea.renameRepository('acme/app', 'acme/application');
    const listing = await here.list();
    expect(known(listing)).toEqual(truth(here));
    expect(listing.warnings).toEqual([
      'acme/app is called acme/application now, and followed there: change gitea.repositories',
    ]);
  });

  test('such as the name of a repository is still followed when all is listed anew', async () => {
    const here = await office({}, ['acme/app', 'acme/api']);
    fill(here, 120);
    here.clock.now += 600 * MINUTE;
    await here.list();
    here.gitea.renameRepository('acme/app', 'acme/application');
    await here.list();
    // The server's clock is set back.
    here.clock.now -= 590 * MINUTE;
    here.gitea.addIssue({ repository: 'acme/application', title: 'new', assignees: ['hans'] });
    const listing = await here.list();
    expect(known(listing)).toEqual(truth(here));
    expect(listing.warnings).toEqual([expect.stringContaining('acme/app is called acme/application now')]);
  });

  test('11.23 such as the owner of a lone repository is said, and nothing of it goes', async () => {
    const here = await office({}, ['acme/app']);
    fill(here, 30);
    await here.list();
    here.gitea.renameRepository('acme/app', 'mallory/app');
    const listing = await here.list();
    expect(listing.issues).toEqual([]);
    expect(listing.warnings).toEqual([
      expect.stringContaining('acme/app belongs to somebody else now (mallory/app), and is not read'),
    ]);
  });
});

describe('a server that is not what it should be', () => {
  test('has a clock an hour ahead of the one that stamps the issues: seen by the listing, and by what changed from then on', async () => {
    const clock = { now: NOON };
    const here = await office({ date: () => new Date(clock.now + 60 * MINUTE) });
    const tick = (): void => void (clock.now = here.clock.now += MINUTE);
    fill(here, 120, 60);
    await here.list();
    tick();
    here.gitea.editIssue('acme/app#1', { assignees: ['greta'] });
    for (let pass = 0; pass < 4; pass += 1) {
      tick();
      await here.list();
    }
    expect(known(await here.list())).toEqual(truth(here));
    for (const title of ['one', 'two', 'three']) {
      tick();
      here.gitea.editIssue('acme/app#2', { title });
      tick();
      expect(known(await here.list())).toEqual(truth(here));
    }
  });

  test('ignores since: all of it is listed in each pass', async () => {
    const here = await office({ ignoresSince: true });
    fill(here, 120, 60);
    await here.list();
    for (const state of ['closed', 'open', 'closed'] as const) {
      here.clock.now += 10 * MINUTE;
      here.gitea.editIssue('acme/app#1', { state });
      expect(known(await here.list())).toEqual(truth(here));
    }
  });

  test.for([7, -7])('has a total that lies by %i: it is said, and costs no more than a quiet pass', async (by) => {
    const here = await office({ total: (count) => (count === 0 ? 0 : Math.max(0, count + by)) });
    fill(here, 120, 60);
    const first = await here.list();
    expect(known(first)).toEqual(truth(here));
    for (let pass = 0; pass < 8; pass += 1) {
      here.clock.now += MINUTE;
      expect(await here.requestsOf(async () => here.list())).toHaveLength(2);
    }
    expect((await here.list()).warnings).toEqual([
      `acme/* has ${120 + by} open issues by Gitea's count, and shows 120`,
    ]);
    here.clock.now += MINUTE;
    here.gitea.editIssue('acme/app#1', { state: 'closed' });
    expect(known(await here.list())).toEqual(truth(here));
  });
});

describe('a cache', () => {
  const change = (folder: string, edit: (head: Record<string, unknown>) => object): void => {
    const listing = join(folder, 'listing');
    const name = readdirSync(listing).find((each) => each.endsWith('.json')) ?? '';
    const head: Record<string, unknown> = JSON.parse(readFileSync(join(listing, name), 'utf8'));
    writeFileSync(join(listing, name), JSON.stringify(edit(head)));
  };

  test.for<[string, (folder: string) => void]>([
    ['of a future version', (folder) => change(folder, (head) => ({ ...head, version: 99 }))],
    ["of another scope under this one's name", (folder) => change(folder, (head) => ({ ...head, identity: 'x' }))],
    ['that says too little', (folder) => change(folder, ({ since: _since, ...head }) => head)],
    [
      'with the checksum of other issues',
      (folder) => change(folder, (head) => ({ ...head, open: { file: 1, bytes: 0, crc: 0 } })),
    ],
    ['that was lost', (folder) => rmSync(join(folder, 'listing'), { recursive: true })],
    [
      'that is a link to somewhere else',
      (folder) => {
        renameSync(join(folder, 'listing'), join(folder, 'elsewhere'));
        const names = readdirSync(join(folder, 'elsewhere'));
        mkdirSync(join(folder, 'listing'));
        for (const name of names) symlinkSync(join(folder, 'elsewhere', name), join(folder, 'listing', name));
      },
    ],
  ])('%s is a listing from the beginning, and the right issues', async ([, spoil]) => {
    const here = await office();
    fill(here, 120, 60);
    await here.list();
    here.clock.now += MINUTE;
    here.gitea.editIssue('acme/app#1', { assignees: ['greta'] });
    spoil(here.folder);
    const requests = await here.requestsOf(async () => expect(known(await here.list())).toEqual(truth(here)));
    expect(requests.filter((request) => request.includes('since='))).toEqual([]);
    expect(requests.filter((request) => request.includes('state=open'))).toHaveLength(3);
  });
});

test('owners for whom there was no time in one pass are first in the next one', async () => {
  const owners = Array.from({ length: 24 }, (_, index) => `owner${index}`);
  const here = await office(
    {},
    owners.map((owner) => `${owner}/*`),
  );
  for (const owner of owners) here.gitea.addIssue({ repository: `${owner}/app`, title: owner, assignees: ['hans'] });
  const seen = new Set<string>();
  for (let pass = 0; pass < 3; pass += 1) {
    here.clock.now += MINUTE;
    const began = here.gitea.requests.length;
    const asked = (): number => here.gitea.requests.length - began;
    // A slow server: soon there is no time to begin with another, and then none at all.
    const listing = await here.list(
      false,
      () => asked() < 10,
      () => asked() < 12,
    );
    for (const { repository } of listing.issues) seen.add(repository);
  }
  expect(seen.size).toBe(owners.length);
});

describe('a first listing', () => {
  test('goes on over several passes, says how far it is, and nothing goes before it is whole', async () => {
    const here = await office();
    fill(here, 400);
    let listing = await here.list(false, () => false);
    for (let pass = 1; listing.warnings.length > 0; pass += 1) {
      expect(listing.warnings).toEqual([
        `acme/*: ${pass * 50} of 400 open issues are listed; nothing goes before all are, and the next pass goes on`,
      ]);
      expect(listing.issues).toEqual([]);
      expect(listing.isUnread('acme/app') && listing.isPartial).toBe(true);
      here.clock.now += MINUTE;
      if (pass === 3) here.gitea.editIssue('acme/app#200', { title: 'changed meanwhile' });
      listing = await here.list(false, () => false);
    }
    expect(listing.isPartial).toBe(false);
    expect(known(listing)).toEqual(truth(here));
  });

  test('that takes very long holds up no other owner, and that they may go is another stamp', async () => {
    // A count that lies has it gone through twice: then nothing else changes from pass to pass.
    const here = await office({ total: (count) => count + 7 }, ['acme/*', 'beta/*']);
    fill(here, 900);
    here.gitea.addIssue({ repository: 'beta/app', title: 'other', assignees: ['hans'] });
    const stamps: (readonly [number, string | undefined])[] = [];
    for (let pass = 0; pass < 33; pass += 1) {
      here.clock.now += MINUTE;
      const { issues, stamp } = await here.list(false, () => false);
      stamps.push([issues.length, stamp]);
    }
    expect(stamps.at(-1)?.[0]).toBe(1);
    const first = stamps.findIndex(([count]) => count === 1);
    expect(stamps[first]?.[1]).not.toBe(stamps[first - 1]?.[1]);
  });

  test('begins anew when the watermark is in the future of the server', async () => {
    const here = await office();
    fill(here, 120);
    here.clock.now += 600 * MINUTE;
    await here.list();
    here.clock.now -= 590 * MINUTE;
    here.gitea.editIssue('acme/app#1', { title: 'changed' });
    expect(known(await here.list())).toEqual(truth(here));
  });
});
