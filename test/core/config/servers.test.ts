import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { normaliseConfig } from '../../../src/core/config/config.ts';
import { crossCheck } from '../../../src/core/config/cross-check.ts';
import { instructionsFor } from '../../../src/core/config/instructions.ts';
import { coversRepository } from '../../../src/core/config/patterns.ts';
import type { RawConfig } from '../../../src/core/config/schema.ts';
import { isNamedBy, nameOn, serverAt, splitServer, tokenVariable } from '../../../src/core/config/servers.ts';
import { ownLimits } from '../../../src/core/choice/own-limits.ts';
import { presentName } from '../../../src/core/issue/identity.ts';
import { aServer, MINUTE } from '../../support/builders.ts';

const TEAM = { name: 'team', url: 'https://git.example.com', repositories: ['acme/app'] };
const HOME = {
  name: 'home',
  url: 'https://codeberg.org/',
  repositories: ['acme/app', 'hans/*'],
  tokenFile: 'home.token',
};
const config = (raw: Partial<RawConfig>) =>
  normaliseConfig({ gitea: [TEAM, HOME], ...raw }, { file: '/etc/d/c.yaml', folder: '/etc/d', resolve });

describe('a list of servers', () => {
  test('is each with its name, its repositories and its token', () => {
    const { servers, repositories, taskFile } = config({});
    expect(servers).toEqual([
      aServer({ name: 'team' }),
      aServer({
        name: 'home',
        url: 'https://codeberg.org',
        tokenFile: '/etc/d/home.token',
        repositories: [
          { owner: 'acme', name: 'app' },
          { owner: 'hans', name: null },
        ],
      }),
    ]);
    expect(repositories).toEqual([
      { owner: 'acme', name: 'app', server: 'team' },
      { owner: 'acme', name: 'app', server: 'home' },
      { owner: 'hans', name: null, server: 'home' },
    ]);
    expect(taskFile).toBe('{server}/{owner}/{repo}/issue-{number}.md');
  });

  test('of one is that one, with nothing to tell apart', () => {
    const { name: _name, ...alone } = TEAM;
    const one = normaliseConfig({ gitea: [TEAM] }, { file: null, folder: '/x', resolve });
    expect(one).toEqual(normaliseConfig({ gitea: alone }, { file: null, folder: '/x', resolve }));
    expect(one).toMatchObject({ servers: [{ name: null }], taskFile: 'issue-{number}.md' });
  });

  test.for([
    ['{server}-{owner}/{repo}-{number}.md', '{server}-{owner}/{repo}-{number}.md'],
    ['{repo}/{number}.md', '{server}/{owner}/{repo}/{number}.md'],
    ['tasks/{number}.md', '{server}/{owner}/{repo}/tasks/{number}.md'],
  ] as const)('a pattern %s is used as %s', ([file, used]) => {
    expect(config({ tasks: { file } }).taskFile).toBe(used);
  });

  test.for<[string, Partial<RawConfig>, object]>([
    ['a name twice', { gitea: [TEAM, { ...HOME, name: 'team' }] }, { path: ['gitea', 1, 'name'] }],
    ['a server twice', { gitea: [TEAM, { ...HOME, url: 'http://GIT.example.com/' }] }, { path: ['gitea', 1, 'url'] }],
    [
      'a server that was another',
      { gitea: [TEAM, { ...HOME, formerUrls: ['https://x.org', TEAM.url] }] },
      { path: ['gitea', 1, 'formerUrls', 1] },
    ],
    [
      'a setting for no server',
      { instructions: { repositories: { 'elsewhere:acme/app': 'x' } } },
      { path: ['instructions', 'repositories', 'elsewhere:acme/app'] },
    ],
    [
      'a pattern that tells nobody apart',
      { tasks: { file: '{server}{owner}/{repo}/{number}.md' } },
      { path: ['tasks', 'file'] },
    ],
    [
      '{server} with one',
      { gitea: [TEAM], tasks: { file: '{server}/{number}.md' } },
      { path: ['tasks', 'file'], message: 'has {server}, and there is only one' },
    ],
    [
      'a server in a setting with one',
      { gitea: [TEAM], rateLimits: { repositories: { 'team:acme/app': '5m' } } },
      { path: ['rateLimits', 'repositories', 'team:acme/app'] },
    ],
  ])('%s is said where it stands', ([, raw, problem]) => {
    expect(crossCheck({ gitea: [TEAM, HOME], ...raw })).toEqual([expect.objectContaining(problem)]);
  });

  test('with settings for all, and for one', () => {
    const { instructions, rateLimits } = config({
      instructions: { repositories: { 'acme/*': 'Everywhere.', 'home:acme/app': 'At home.' } },
      rateLimits: { repositories: { 'acme/app': '5m', 'home:acme/*': '10m' } },
    });
    const told = (repository: string): readonly string[] =>
      instructionsFor(instructions, 'hans', { repository, labels: [] });
    expect([told('team:acme/app'), told('home:acme/app')]).toEqual([['Everywhere.'], ['Everywhere.', 'At home.']]);
    const limits = (repository: string) => ownLimits({ rateLimits }, { agent: 'hans', issue: { repository } });
    expect(limits('team:acme/app')).toEqual([
      { scope: 'repository team:acme/app', name: 'team:acme/app', ms: 5 * MINUTE },
    ]);
    expect(limits('home:acme/app')).toMatchObject([{ ms: 10 * MINUTE }]);
  });

  test('knows each by the addresses that it had', () => {
    const { servers } = config({ gitea: [{ ...TEAM, formerUrls: ['https://old.example.com/git'] }, HOME] });
    const present = presentName({ servers });
    expect(['old.example.com/git', 'codeberg.org', 'x.org'].map(present)).toEqual([
      'git.example.com',
      'codeberg.org',
      'x.org',
    ]);
  });
});

describe('a name', () => {
  test.for([
    ['acme/app', null, 'acme/app'],
    ['team:acme/app#5', 'team', 'acme/app#5'],
    ['Team:acme/app', 'team', 'acme/app'],
  ] as const)('%s is of the server %s: %s', ([name, server, rest]) => {
    expect(splitServer(name)).toEqual({ server, rest });
    expect(nameOn(server, rest).toLowerCase()).toBe(name.toLowerCase());
  });

  test.for([
    ['acme/app', 'team:acme/app', true],
    ['TEAM:Acme/App', 'team:acme/app', true],
    ['home:acme/app', 'team:acme/app', false],
    ['acme/app', 'acme/app', true],
    ['team:acme/app', 'acme/app', false],
    ['acme/api', 'team:acme/app', false],
  ] as const)('%s means %s: %s', ([typed, repository, isMeant]) => {
    expect(isNamedBy(typed, repository)).toBe(isMeant);
  });

  test('belongs to the server in front, and to none when that is not configured', () => {
    const { servers, repositories } = config({});
    const names = ['team:acme/app', 'home:acme/app', 'home:Hans/x', 'team:hans/x', 'acme/app', 'other:acme/app'];
    expect(names.map((name) => serverAt(servers, name)?.name)).toEqual([
      'team',
      'home',
      'home',
      'team',
      undefined,
      undefined,
    ]);
    expect(names.map((name) => coversRepository(repositories, name))).toEqual([true, true, true, false, false, false]);
  });

  test('of a server makes a variable that a shell can set', () => {
    expect([tokenVariable(null), tokenVariable('my-work-2')]).toEqual(['GITEA_TOKEN', 'GITEA_TOKEN_MY_WORK_2']);
  });
});
