import { expect, test } from 'vitest';
import { UserError } from '../../../src/core/errors.ts';
import { joined } from '../../../src/core/listing/joined.ts';
import type { Listing } from '../../../src/core/listing/listing.ts';
import { anIssue, NOON } from '../../support/builders.ts';

const listing = (overrides: Partial<Listing> = {}): Listing => ({
  issues: [anIssue({ id: 7 })],
  warnings: [],
  isUnread: () => false,
  stamp: 'a',
  ...overrides,
});
const refused = new UserError('refused', { exitCode: 4, code: 'gitea_unauthorized', hint: 'make another' });
const silent = new UserError('silence', { exitCode: 75, code: 'gitea_timeout' });

test('issues of the same id, repository and number stay two, each with its server in front', () => {
  const both = joined([
    { server: 'team', listing: listing() },
    { server: 'home', listing: listing({ issues: [anIssue({ id: 7 }), anIssue({ id: 8, number: 2 })] }) },
  ]);
  const names = (issues: Listing['issues']) => issues.map(({ id, repository }) => `${repository} ${id}`);
  expect(names(both.issues)).toEqual(['team:acme/app 7', 'home:acme/app 7', 'home:acme/app 8']);
  expect(names(both.find?.(new Set([7])) ?? [])).toEqual(['team:acme/app 7', 'home:acme/app 7']);
});

test('a server that cannot be read is a warning, and tells nothing of its issues', () => {
  const { issues, warnings, isUnread, answers, pulls } = joined([
    {
      server: 'team',
      listing: listing({
        warnings: ['acme/x cannot be read'],
        isUnread: (name) => name === 'acme/x',
        pulls: {
          moved: [{ repository: 'acme/app', number: 3, updatedAt: NOON, isOpen: true }],
          isUntold: (name) => name === 'acme/app',
        },
      }),
    },
    { server: 'home', error: silent },
  ]);
  expect(issues).toHaveLength(1);
  expect(warnings).toEqual(['home is away, the other servers go on: silence', 'team: acme/x cannot be read']);
  expect(['team:acme/app', 'team:acme/x', 'home:acme/app', 'acme/app'].map(isUnread)).toEqual([
    false,
    true,
    true,
    true,
  ]);
  expect(answers).toEqual([
    { server: 'team', error: null },
    { server: 'home', error: { code: 'gitea_timeout', message: 'silence', hint: null } },
  ]);
  expect(pulls?.moved).toMatchObject([{ repository: 'team:acme/app', number: 3 }]);
  expect(['team:acme/app', 'home:acme/app'].map((name) => pulls?.isUntold(name))).toEqual([true, false]);
});

test.for([
  { what: 'one does not answer', errors: [silent, silent], exitCode: 75 },
  { what: 'a token is refused, which weighs more', errors: [silent, refused], exitCode: 4 },
])('when none can be read because $what: exit $exitCode, and each is named', ({ errors, exitCode }) => {
  const [team = silent, home = silent] = errors;
  expect(() =>
    joined([
      { server: 'team', error: team },
      { server: 'home', error: home },
    ]),
  ).toThrow(
    expect.objectContaining({
      exitCode,
      message: `none of the servers can be read: team: ${team.message}; home: ${home.message}`,
    }),
  );
});

test('the stamp is another one when that of one server is, or when one goes away; unknown when one is', () => {
  const stamp = (team: string | undefined, home: string | null): string | undefined =>
    joined([
      { server: 'team', listing: listing({ stamp: team }) },
      home === null ? { server: 'home', error: silent } : { server: 'home', listing: listing({ stamp: home }) },
    ]).stamp;
  const stamps = [stamp('a', 'b'), stamp('b', 'a'), stamp('a', null), stamp('a', 'a')];
  expect(new Set(stamps).size).toBe(4);
  expect(stamp('a', 'b')).toBe(stamps[0]);
  expect(stamp(undefined, 'b')).toBeUndefined();
});
