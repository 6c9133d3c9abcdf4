import { describe, expect, test } from 'vitest';
import { NO_CONTEXT } from '../../../src/core/issue/context.ts';
import { contextOn, fullIssueOn, referencesOn } from '../../../src/core/issue/on-server.ts';
import { onServers } from '../../../src/core/task/on-servers.ts';
import { taskNames } from '../../../src/core/mailbox/settings.ts';
import { placeOf } from '../../../src/core/mailbox/place.ts';
import { aFullIssue, aServer, aTrackedTask, iso, NOON, SERVER } from '../../support/builders.ts';

const TEAM = aServer({ name: 'team' });
const HOME = aServer({ name: 'home', url: 'https://codeberg.org' });
const ALONE = aServer();

test('whatever a server names gets its name in front, and what has none stays so', () => {
  const blockers = [
    { ref: 'acme/api#3', title: 'First', open: true, url: null },
    { ref: null, title: 'hidden', open: true, url: null },
  ];
  expect(fullIssueOn('team', aFullIssue({ blockers }))).toMatchObject({
    repository: 'team:acme/app',
    blockers: [{ ref: 'team:acme/api#3' }, { ref: null }],
  });
  const waiting = [{ ref: 'acme/app#9', title: 'x', url: 'https://x' }];
  expect(contextOn('team', { ...NO_CONTEXT, waiting }).waiting).toMatchObject([{ ref: 'team:acme/app#9' }]);
});

describe('what a text names', () => {
  const refs = (servers: Parameters<typeof referencesOn>[0], text: string, repository: string): readonly string[] =>
    referencesOn(servers, text, repository).map((place) => `${place.repository}#${place.number}`);

  test.for([
    ['waits for #12', ['team:acme/app#12']],
    ['acme/api#3, see:acme/web#4', ['team:acme/api#3', 'team:acme/web#4']],
    ['home:hans/x#5 first', ['home:hans/x#5']],
    [
      'https://codeberg.org/hans/x/issues/6 and https://git.example.com/acme/app/issues/7',
      ['team:acme/app#7', 'home:hans/x#6'],
    ],
    ['https://codeberg.org.evil.org/hans/x/issues/6', []],
    ['nowhere:hans/x#5', ['team:hans/x#5']],
  ] as const)('%j about an issue of team: %j', ([text, found]) => {
    expect(refs([TEAM, HOME], text, 'team:acme/app')).toEqual(found);
  });

  test('where there is one server, nothing has a name in front', () => {
    expect(refs([ALONE], 'home:hans/x#5 and #6', 'acme/app')).toEqual(['hans/x#5', 'acme/app#6']);
  });
});

describe('a task that is out when servers come and go', () => {
  const wait = { updatedAt: NOON, listed: ['acme/app#2'], others: ['acme/api#3'] };
  const pull = {
    repository: 'acme/app',
    number: 9,
    isOurs: true,
    isOpen: true,
    from: iso(NOON),
    updatedAt: null,
    movedAt: null,
    lookAt: null,
    looks: 0,
    othersAt: null,
    said: [],
    failed: [],
    conflict: 'none' as const,
  };
  const task = aTrackedTask({ waitsFor: wait, pulls: [pull] });

  test('gets the name of its server, with all that it waits for, and loses it again', () => {
    const several = onServers({ servers: [TEAM, HOME] })(task);
    expect(several).toMatchObject({
      server: SERVER,
      repository: 'team:acme/app',
      waitsFor: { listed: ['team:acme/app#2'], others: ['team:acme/api#3'] },
      pulls: [{ repository: 'team:acme/app' }],
    });
    expect(onServers({ servers: [ALONE] })(several)).toEqual(task);
    expect(onServers({ servers: [aServer({ name: 'office' }), HOME] })(several)).toMatchObject({
      repository: 'office:acme/app',
      waitsFor: { listed: ['office:acme/app#2'] },
    });
  });

  test('keeps what it waits for on another server', () => {
    const waitsFor = { ...wait, others: ['home:hans/x#4'] };
    const several = aTrackedTask({ repository: 'team:acme/app', waitsFor });
    expect(onServers({ servers: [aServer({ name: 'office' }), HOME] })(several).waitsFor?.others).toEqual([
      'home:hans/x#4',
    ]);
  });

  test('is the same value where nothing changes, and of a server that is gone has no name', () => {
    expect(onServers({ servers: [ALONE] })(task)).toBe(task);
    const away = aTrackedTask({ server: 'old.org', repository: 'old:acme/app' });
    expect(onServers({ servers: [TEAM, HOME] })(away)).toMatchObject({ server: 'old.org', repository: 'acme/app' });
  });

  test.for([
    ['{server}/{owner}/{repo}/issue-{number}.md', 'issue-5.md', 'acme/app#5', 'new'],
    ['{server}/{owner}/{repo}/issue-{number}.md', 'acme/app/issue-5.md', 'acme/app#5', 'new'],
    ['{server}/{owner}/{repo}/issue-{number}.md', 'doing/issue-5.md', 'acme/app#5', 'doing'],
    ['{server}/{owner}/{repo}/issue-{number}.md', 'mine/issue-5.md', 'acme/app#5', 'doing'],
    ['{server}/{owner}/{repo}/issue-{number}.md', 'issue-5.md', 'team:acme/app#5', 'doing'],
    ['issue-{number}.md', 'team/acme/app/issue-5.md', 'team:acme/app#5', 'new'],
    ['issue-{number}.md', 'done/team/acme/app/issue-5.md', 'team:acme/app#5', 'done'],
    ['issue-{number}.md', 'home/acme/app/issue-5.md', 'team:acme/app#5', 'doing'],
    ['{owner}/{repo}/issue-{number}.md', 'team/acme/app/issue-5.2.md', 'team:acme/app#5', 'new'],
  ] as const)('with the pattern %s its file %s (%s) is %s, and keeps its place', ([taskFile, path, ref, stage]) => {
    const place = placeOf(path, ref, taskNames({ taskFile }));
    expect(place?.stage).toBe(stage);
    if (stage === 'new') expect(place?.home).toBe(path);
  });
});
