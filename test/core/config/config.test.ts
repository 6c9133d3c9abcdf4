import { describe, expect, test } from 'vitest';
import { normaliseConfig } from '../../../src/core/config/config.ts';
import { coversRepository, isSingle, parsePattern } from '../../../src/core/config/patterns.ts';
import { crossCheck } from '../../../src/core/config/cross-check.ts';
import type { RawConfig } from '../../../src/core/config/schema.ts';

const GITEA = { url: 'https://git.example.com', repositories: ['acme/app'] };
const PLACE = {
  file: '/etc/d/config.yaml',
  folder: '/etc/d',
  resolve: (folder: string, path: string) => `${folder}|${path}`,
};
const normalised = (raw: Partial<RawConfig> = {}) => normaliseConfig({ gitea: GITEA, ...raw }, PLACE);

describe('a configuration with every default filled in', () => {
  test('has these', () => {
    expect(normalised()).toMatchInlineSnapshot(`
      {
        "agentLabels": Map {},
        "agents": null,
        "attachments": null,
        "context": {
          "blocks": true,
          "lastAttempt": true,
          "references": 5,
          "repository": true,
          "timeline": true,
        },
        "dashboard": {
          "allowedHosts": [],
          "auth": null,
          "host": "127.0.0.1",
          "port": 8098,
        },
        "file": "/etc/d/config.yaml",
        "historyKeepMs": 7776000000,
        "holdLabels": [],
        "instructions": {
          "agents": Map {},
          "labels": Map {},
          "repositories": Map {},
        },
        "logFile": "/etc/d|.|.agent-dispatcher.log",
        "logFormat": "text",
        "monitor": {
          "metricsFile": null,
          "office": "/etc/d|.",
          "pingUrl": null,
        },
        "onDispatch": null,
        "priorityLabels": Map {},
        "rateLimitMs": 60000,
        "rateLimits": {
          "agents": Map {},
          "repositories": Map {},
        },
        "receipt": {
          "comment": false,
          "label": null,
          "reaction": null,
        },
        "repositories": [
          {
            "name": "app",
            "owner": "acme",
          },
        ],
        "servers": [
          {
            "caFile": null,
            "formerUrls": [],
            "name": null,
            "repositories": [
              {
                "name": "app",
                "owner": "acme",
              },
            ],
            "tokenFile": null,
            "url": "https://git.example.com",
          },
        ],
        "stalledAfterMs": 86400000,
        "stateDirectory": "/etc/d|.|.agent-dispatcher",
        "store": null,
        "taskFile": "issue-{number}.md",
        "tasksDirectory": "/etc/d|.|.agent-tasks",
        "template": null,
        "trust": {
          "assigners": null,
          "authors": null,
          "commenters": null,
        },
        "updates": {
          "enabled": true,
          "ignoreAuthors": [
            "gitea-actions",
            "forgejo-actions",
          ],
          "pullRequests": true,
          "reopen": true,
        },
        "workspace": "/etc/d|.",
      }
    `);
  });

  test('keeps what was written, with names in lower case and paths made whole', () => {
    expect(
      normalised({
        gitea: { url: 'https://git.example.com/git//', repositories: ['acme/app'], tokenFile: 'token' },
        workspace: 'w',
        agents: { Hans: null, greta: { maxTasks: 2, template: 't.hbs' } },
        tasks: { directory: 'tasks', file: 'x-{number}.md', template: 'task.hbs' },
        rateLimit: '5m',
        priority: { labels: { ' Urgent ': 'CRITICAL', Someday: 'low' } },
        holdLabels: [' On Hold '],
        log: { file: 'log', format: 'json' },
        updates: { enabled: false, ignoreAuthors: ['CI'] },
        trust: { authors: ['Ana'], commenters: ['Bob'], assigners: ['Cleo'] },
        receipt: { reaction: 'eyes', label: 'sent', comment: true },
        attachments: { save: true, maxBytes: 5, types: ['PNG'] },
        onDispatch: { command: ['notify', 'Me'], timeout: '5s' },
        state: 'state',
        dashboard: { host: '::1', port: 80, auth: { passwordFile: 'pw' }, allowedHosts: ['Board.example.com'] },
        monitor: { pingUrl: 'https://hc.example.com/x', metricsFile: 'd.prom' },
      }),
    ).toMatchInlineSnapshot(`
      {
        "agentLabels": Map {},
        "agents": Map {
          "hans" => {
            "attempts": 3,
            "maxTasks": null,
            "template": null,
          },
          "greta" => {
            "attempts": 3,
            "maxTasks": 2,
            "template": "/etc/d|t.hbs",
          },
        },
        "attachments": {
          "maxBytes": 5,
          "types": [
            "png",
          ],
        },
        "context": {
          "blocks": true,
          "lastAttempt": true,
          "references": 5,
          "repository": true,
          "timeline": true,
        },
        "dashboard": {
          "allowedHosts": [
            "board.example.com",
          ],
          "auth": {
            "passwordFile": "/etc/d|pw",
            "user": "dispatcher",
          },
          "host": "::1",
          "port": 80,
        },
        "file": "/etc/d/config.yaml",
        "historyKeepMs": 7776000000,
        "holdLabels": [
          "on hold",
        ],
        "instructions": {
          "agents": Map {},
          "labels": Map {},
          "repositories": Map {},
        },
        "logFile": "/etc/d|w|log",
        "logFormat": "json",
        "monitor": {
          "metricsFile": "/etc/d|w|d.prom",
          "office": "/etc/d|w",
          "pingUrl": "https://hc.example.com/x",
        },
        "onDispatch": {
          "command": [
            "notify",
            "Me",
          ],
          "timeoutMs": 5000,
        },
        "priorityLabels": Map {
          "urgent" => "CRITICAL",
          "someday" => "LOW",
        },
        "rateLimitMs": 300000,
        "rateLimits": {
          "agents": Map {},
          "repositories": Map {},
        },
        "receipt": {
          "comment": true,
          "label": "sent",
          "reaction": "eyes",
        },
        "repositories": [
          {
            "name": "app",
            "owner": "acme",
          },
        ],
        "servers": [
          {
            "caFile": null,
            "formerUrls": [],
            "name": null,
            "repositories": [
              {
                "name": "app",
                "owner": "acme",
              },
            ],
            "tokenFile": "/etc/d|token",
            "url": "https://git.example.com/git",
          },
        ],
        "stalledAfterMs": 86400000,
        "stateDirectory": "/etc/d|w|state",
        "store": null,
        "taskFile": "x-{number}.md",
        "tasksDirectory": "/etc/d|w|tasks",
        "template": "/etc/d|task.hbs",
        "trust": {
          "assigners": [
            "cleo",
          ],
          "authors": [
            "ana",
          ],
          "commenters": [
            "bob",
          ],
        },
        "updates": {
          "enabled": false,
          "ignoreAuthors": [
            "ci",
          ],
          "pullRequests": true,
          "reopen": true,
        },
        "workspace": "/etc/d|w",
      }
    `);
  });

  test('saves attachments of usual types only when asked to', () => {
    expect(normalised({ attachments: { save: true } }).attachments).toEqual({
      maxBytes: 5_000_000,
      types: [
        'png',
        'jpg',
        'jpeg',
        'gif',
        'webp',
        'txt',
        'log',
        'md',
        'csv',
        'json',
        'yaml',
        'yml',
        'diff',
        'patch',
        'pdf',
      ],
    });
    expect(normalised({ attachments: { save: false, maxBytes: 5 } }).attachments).toBeNull();
  });

  test('ends a command after 10 s, and asks browsers for the user dispatcher, unless told otherwise', () => {
    expect(normalised({ onDispatch: { command: ['x'] } }).onDispatch?.timeoutMs).toBe(10_000);
    const auth = { user: 'ana', passwordFile: 'pw' };
    expect(normalised({ dashboard: { auth } }).dashboard.auth?.user).toBe('ana');
  });
});

describe('values that do not go together', () => {
  const complaints = (raw: Partial<RawConfig>) => crossCheck({ gitea: GITEA, ...raw });

  test.for<[Partial<RawConfig>, unknown]>([
    [{}, []],
    [{ rateLimit: '1s' }, []],
    [{ rateLimit: '999ms' }, [{ path: ['rateLimit'], message: 'must be at least 1s' }]],
    [{ onDispatch: { command: ['x'] } }, []],
    [{ onDispatch: { command: ['x'], timeout: '30s' } }, []],
    [
      { onDispatch: { command: ['x'], timeout: '31s' } },
      [{ path: ['onDispatch', 'timeout'], message: 'must be at most 30s' }],
    ],
    [{ agents: { hans: null, Greta: null } }, []],
    [{ agents: { hans: null, Hans: null } }, [{ path: ['agents', 'Hans'], message: expect.stringContaining('twice') }]],
  ])('%o', ([raw, expected]) => {
    expect(complaints(raw)).toEqual(expected);
  });
});

describe('repositories', () => {
  test.for([
    ['acme/app', 'acme/app', true],
    ['acme/app', 'ACME/App', true],
    ['ACME/App', 'acme/app', true],
    ['acme/app', 'acme/api', false],
    ['acme/app', 'other/app', false],
    ['acme/*', 'acme/anything', true],
    ['acme/*', 'other/app', false],
    ['acme/app', 'acme', false],
  ] as const)('%s covers %s: %s', ([pattern, name, covered]) => {
    expect(coversRepository([parsePattern('x/y'), parsePattern(pattern)], name)).toBe(covered);
  });

  test.for([
    [['acme/app'], true],
    [['acme/*'], false],
    [['acme/app', 'acme/api'], false],
    [[], false],
  ] as const)('of %o an issue is named by its number alone: %s', ([patterns, single]) => {
    expect(isSingle(patterns.map((pattern) => parsePattern(pattern)))).toBe(single);
  });

  test.for([
    [['acme/app'], 'issue-{number}.md', 'issue-{number}.md'],
    [['acme/app', 'acme/api'], 'issue-{number}.md', '{owner}/{repo}/issue-{number}.md'],
    [['acme/app', 'acme/api'], '{repo}-{number}.md', '{repo}-{number}.md'],
    [['acme/app', 'ACME/api'], '{repo}-{number}.md', '{repo}-{number}.md'],
    [['acme/app', 'other/app'], '{repo}-{number}.md', '{owner}/{repo}-{number}.md'],
    [['acme/app', 'other/app'], '{owner}-{repo}-{number}.md', '{owner}-{repo}-{number}.md'],
  ] as const)('of %o with files %s are told apart as %s', ([repositories, file, whole]) => {
    const gitea = { ...GITEA, repositories: [...repositories] };
    expect(normaliseConfig({ gitea, tasks: { file } }, PLACE).taskFile).toBe(whole);
  });
});

describe('11.15 tasks.file is refused where two issues, or a task and something else, would have one name', () => {
  const several = ['acme/app1', 'acme/app12', 'b/app1'];
  test.for([
    ['{repo}{number}.md', several, 'different issues one name'],
    ['{repo}1{number}.md', several, 'different issues one name'],
    ['{number}{repo}.md', several, 'different issues one name'],
    ['{owner}-{repo}-{number}.md', several, 'different issues one name'],
    ['{owner}.{repo}/{number}.md', several, 'different issues one name'],
    ['done/issue-{number}.md', ['acme/app'], 'must not have a folder done'],
    ['x.attachments/{number}.md', ['acme/app'], 'must not have a folder x.attachments'],
    ['issue-5.update-{number}.md', ['acme/app'], 'nor be called as news is'],
    ['.issue-{number}.md', ['acme/app'], 'must not begin with a dot'],
    ['{repo}{number}.md', ['acme/app'], null],
    ['{repo}-{number}.md', several, null],
    ['{owner}/{repo}-{number}.md', several, null],
    ['{owner}/{repo}/issue-{number}.md', several, null],
  ] as const)('%s in %j', ([file, repositories, says]) => {
    const problems = crossCheck({
      gitea: { url: 'https://git.example.com', repositories: [...repositories] },
      tasks: { file },
    });
    expect(problems.map(({ message }) => message)).toEqual(says === null ? [] : [expect.stringContaining(says)]);
  });
});
