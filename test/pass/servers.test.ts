// Passes over two servers, of which one or both are away, silent, or slow, in any order, and which close and assign in between:
// what goes, goes once, and whoever is on a server that answers goes in time, whatever becomes of the other.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EXIT, UserError } from '../../src/core/errors.ts';
import { taskKey } from '../../src/core/issue/identity.ts';
import type { Servers } from '../../src/core/config/servers.ts';
import type { FullIssue } from '../../src/core/issue/issue.ts';
import { joined, type Part } from '../../src/core/listing/joined.ts';
import type { Listing } from '../../src/core/listing/listing.ts';
import { routed } from '../../src/deps/servers.ts';
import { scopeOf } from '../../src/pass/meet-others.ts';
import { listingOf } from '../../src/pass/offers.ts';
import { dispatch } from '../../src/pass/pass.ts';
import type { DispatchDeps, GiteaSlice } from '../../src/pass/pass-deps.ts';
import { aFullIssue, anIssue, aServer, MINUTE, NOON } from '../support/builders.ts';
import { simulation } from '../support/pass.ts';

const BUDGET_MS = 38_000;
const NAMES = ['team', 'home'] as const;
type Name = (typeof NAMES)[number];
const SERVERS = [
  aServer({ name: 'team', url: 'https://team.example.com' }),
  aServer({ name: 'home', url: 'https://home.example.com' }),
] as const;

/** How a server behaves in a pass. `held`: something stands in front of each issue; `silent`: it lists, and answers for no issue until the slice is over; `slow`: it takes long to list as well. */
type Mood = 'well' | 'held' | 'away' | 'silent' | 'slow';
const DIES = { away: 'gitea_unreachable', silent: 'gitea_timeout', slow: 'gitea_timeout' } as const;
const SLOW_MS = 16_000;
const BLOCKER = { ref: null, title: 'HIDDEN', open: true, url: null };
const outage = (mood: keyof typeof DIES): UserError =>
  new UserError('no answer', { exitCode: 75, code: DIES[mood], hint: 'wait' });

interface Minute {
  readonly moods: Readonly<Record<Name, Mood>>;
  /** An issue that is closed before this pass. */
  readonly closes: { readonly server: Name; readonly number: number } | null;
}

interface Lived {
  /** `team:3`, with the pass that it went in. */
  readonly went: readonly (readonly [string, number])[];
  readonly codes: readonly number[];
  readonly tasks: readonly string[];
  /** The servers that are away after the last pass, and since which pass. */
  readonly away: readonly (readonly [string, number])[];
  readonly said: readonly string[];
}

/** The same issues on both, with the same numbers and ids; those of home are the more urgent ones. */
function issuesOf(name: Name, count: number, closed: ReadonlySet<string>): readonly FullIssue[] {
  return Array.from({ length: count }, (_, index) =>
    aFullIssue({
      id: index + 1,
      number: index + 1,
      title: `${name} ${index + 1}`,
      url: `https://${name}.example.com/acme/app/issues/${index + 1}`,
      labels: name === 'home' ? ['critical'] : [],
      state: closed.has(`${name}:${index + 1}`) ? 'closed' : 'open',
    }),
  );
}

async function lived(counts: Readonly<Record<Name, number>>, minutes: readonly Minute[]): Promise<Lived> {
  const repositories = NAMES.map((server) => ({ owner: 'acme', name: 'app', server }));
  const { deps, clock, events } = simulation(() => [], NOON, {
    servers: SERVERS,
    repositories,
    taskFile: '{server}/{owner}/{repo}/issue-{number}.md',
  });
  const closed = new Set<string>();
  const codes: number[] = [];
  const went: [string, number][] = [];
  for (const [pass, { moods, closes }] of minutes.entries()) {
    clock.now += MINUTE;
    if (closes) closed.add(`${closes.server}:${closes.number}`);
    const endsAt = clock.now + BUDGET_MS;
    const all = (name: Name): readonly FullIssue[] => issuesOf(name, counts[name], closed);
    const listing = (name: Name): Listing => ({
      issues: all(name).filter(({ state }) => state === 'open'),
      warnings: [],
      isUnread: () => false,
    });
    const sliceOf = (name: Name, ms: number): GiteaSlice => {
      const until = clock.now + ms;
      const read = async ({ repository, number }: { repository: string; number: number }) => {
        expect(repository).toBe('acme/app');
        const mood = moods[name];
        if (mood === 'silent' || mood === 'slow') clock.now = Math.max(clock.now, until);
        if (mood !== 'well' && mood !== 'held') throw outage(mood);
        const issue = all(name)[number - 1] ?? null;
        return mood === 'held' ? issue && { ...issue, blockers: [BLOCKER] } : issue;
      };
      return { ...deps.gitea(ms), readIssue: read, peekIssue: read };
    };
    const given: DispatchDeps = {
      ...deps,
      timeLeft: () => endsAt - clock.now,
      listIssues: async () => {
        // All are listed at once.
        if (Object.values(moods).includes('slow')) clock.now += SLOW_MS;
        return joined(
          NAMES.map((server): Part => {
            return moods[server] === 'away' ? { server, error: outage('away') } : { server, listing: listing(server) };
          }),
        );
      },
      gitea: (ms) => routed(SERVERS, ({ name }) => sliceOf(name === 'home' ? 'home' : 'team', ms)),
    };
    const before = deps.journal.read().length;
    try {
      codes.push(await dispatch(given));
    } catch (error) {
      codes.push(error instanceof UserError ? error.exitCode : EXIT.failure);
    }
    expect(clock.now).toBeLessThanOrEqual(endsAt + 7000);
    for (const { ref } of deps.journal.read().slice(before)) went.push([ref.replace('acme/app#', ''), pass]);
  }
  const away = deps.state.heartbeat()?.away ?? [];
  return {
    went,
    codes,
    tasks: Object.values(deps.state.read().state.tasks ?? {}).map(({ repository }) => repository),
    away: away.map(({ server, since }) => [server, Math.floor((Date.parse(since) - NOON) / MINUTE) - 1]),
    said: events.filter(({ name }) => name === 'RECOVERED').map(({ message }) => message),
  };
}

const well = (count: number): Minute[] =>
  Array.from({ length: count }, () => ({ moods: { team: 'well', home: 'well' }, closes: null }));

const aMinute: fc.Arbitrary<Minute> = fc.record({
  moods: fc.record({
    team: fc.constantFrom<Mood>('well', 'away', 'silent', 'slow'),
    home: fc.constantFrom<Mood>('well', 'away', 'silent', 'slow'),
  }),
  closes: fc.option(fc.record({ server: fc.constantFrom(...NAMES), number: fc.integer({ min: 1, max: 4 }) }), {
    nil: null,
    freq: 4,
  }),
});

test('in any history each issue goes at most once, none is archived unseen, and in the end all have gone', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({ team: fc.integer({ min: 0, max: 4 }), home: fc.integer({ min: 0, max: 4 }) }),
      fc.array(aMinute, { maxLength: 10 }),
      async (counts, minutes) => {
        // Whatever failed last waits for at most 15 minutes.
        const { went, codes } = await lived(counts, [...minutes, ...well(25)]);
        const names = went.map(([name]) => name);
        expect(new Set(names).size).toBe(names.length);
        for (const [pass, { moods }] of minutes.entries()) {
          const isAnyWell = Object.values(moods).includes('well');
          const isAllAway = Object.values(moods).every((mood) => mood === 'away');
          if (isAnyWell) expect([pass, codes[pass]]).toEqual([pass, 0]);
          if (isAllAway) expect([pass, codes[pass]]).toEqual([pass, 75]);
        }
        // What was closed before its turn came need not have gone.
        const closed = new Set(minutes.flatMap(({ closes }) => (closes ? [`${closes.server}:${closes.number}`] : [])));
        for (const server of NAMES)
          for (let number = 1; number <= counts[server]; number += 1)
            if (!closed.has(`${server}:${number}`)) expect(names).toContain(`${server}:${number}`);
      },
    ),
    { numRuns: 6 },
  );
}, 120_000);

test.for<Mood>(['away', 'silent', 'slow'])(
  'while the server with the more urgent ones is %s, one of the other goes in every pass',
  async (mood) => {
    const { went, codes } = await lived(
      { team: 4, home: 40 },
      Array.from({ length: 5 }, () => ({ moods: { team: 'well', home: mood }, closes: null })),
    );
    expect(went.map(([name]) => name)).toEqual(['team:1', 'team:2', 'team:3', 'team:4']);
    expect(codes).toEqual([0, 0, 0, 0, 0]);
  },
);

test('what was learnt of the issues of a server is known when it answers again, and stands in front of nobody', async () => {
  const minute = (home: Mood): Minute => ({ moods: { team: 'well', home }, closes: null });
  const { went } = await lived({ team: 20, home: 60 }, [
    ...Array.from({ length: 8 }, () => minute('held')),
    minute('away'),
    ...Array.from({ length: 4 }, () => minute('held')),
  ]);
  expect(went.filter(([, pass]) => pass >= 8).map(([, pass]) => pass)).toEqual([8, 9, 10, 11, 12]);
});

test('tasks of a server that is away stay, and are archived when it says so', async () => {
  const minutes = [
    ...well(2),
    { moods: { team: 'well', home: 'away' }, closes: { server: 'home', number: 1 } } as const,
    { moods: { team: 'well', home: 'away' }, closes: null } as const,
  ];
  expect((await lived({ team: 1, home: 1 }, minutes)).tasks.toSorted()).toEqual(['home:acme/app', 'team:acme/app']);
  expect((await lived({ team: 1, home: 1 }, [...minutes, ...well(1)])).tasks).toEqual(['team:acme/app']);
});

test('a machine takes what another one offers under its own name of the server, and nothing of one that it has not', () => {
  const offered = (server: string, repository: string) => ({
    key: taskKey(server, 7, 'hans'),
    agent: 'hans',
    issue: anIssue({ id: 7, repository }),
  });
  const offers = [offered('home.example.com', 'private:acme/app'), offered('elsewhere.org', 'team:acme/app')];
  const taken = (servers: Servers) => listingOf({ offers }, { servers }).issues.map(({ repository }) => repository);
  expect(taken(SERVERS)).toEqual(['home:acme/app']);
  expect(taken([aServer({ url: 'https://home.example.com' })])).toEqual(['acme/app']);
});

test('machines list the same only where names stand for the same servers', () => {
  const pattern = (server: string) => ({ owner: 'acme', name: server === 'team' ? 'app' : 'api', server });
  const [team, home] = SERVERS;
  const scope = scopeOf({ servers: [team, home], repositories: [pattern('team'), pattern('home')] });
  expect(scopeOf({ servers: [home, team], repositories: [pattern('home'), pattern('team')] })).toBe(scope);
  const swapped = [
    { ...team, name: 'home' },
    { ...home, name: 'team' },
  ] as const;
  expect(scopeOf({ servers: swapped, repositories: [pattern('team'), pattern('home')] })).not.toBe(scope);
});

test('since when a server is away is remembered, also from passes in which all were; that it is back is said once', async () => {
  const minute = (team: Mood, home: Mood): Minute => ({ moods: { team, home }, closes: null });
  const { away, said } = await lived({ team: 0, home: 0 }, [
    minute('well', 'well'),
    minute('away', 'away'),
    minute('away', 'well'),
  ]);
  expect(away).toEqual([['team', 1]]);
  expect(said).toEqual([expect.stringContaining('passes succeed again')]);
  const back = await lived({ team: 0, home: 0 }, [
    minute('well', 'away'),
    minute('away', 'away'),
    minute('well', 'away'),
    minute('well', 'well'),
    minute('well', 'well'),
  ]);
  expect(back.away).toEqual([]);
  expect(back.said).toEqual([
    expect.stringContaining('passes succeed again'),
    expect.stringMatching(/^home answers again; it was away for 3m/u),
  ]);
});
