import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import { loadConfig, parseConfig } from '../../src/io/config-file.ts';
import { aServer } from '../support/builders.ts';

const MINIMAL = 'gitea:\n  url: https://x.org\n  repositories: [a/b]\n';

/** The complaints about a configuration, without the file's name. */
function problems(text: string): readonly string[] {
  try {
    parseConfig(text, 'F');
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    expect(error.exitCode).toBe(78);
    return error.message
      .split('\n')
      .slice(1)
      .map((line) => line.replace('  F:', ''));
  }
  return [];
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'dispatcher-config-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

describe('a mistake is told with line, column and what to do', () => {
  test.for<[string, string[]]>([
    [`${MINIMAL}rateLimt: 60s\n`, ['4:1: unknown key rateLimt (did you mean rateLimit?)']],
    [`${MINIMAL}agents:\n  hans: { maxTask: 2 }\n`, ['5:11: unknown key agents.hans.maxTask (did you mean maxTasks?)']],
    [
      `${MINIMAL}zzz: 1\n`,
      [
        '4:1: unknown key zzz (known: gitea, workspace, agents, tasks, rateLimit, rateLimits, priority, holdLabels, log, updates, trust, instructions, context, receipt, attachments, onDispatch, state, store, history, dashboard, monitor)',
      ],
    ],
    [`${MINIMAL}gitea: {}\n`, ['4:1: this key stands twice']],
    ['gitea:\n\turl: x\n', ['2:1: a tab cannot indent; use spaces']],
    ['gitea:\n  url: https://x.org\n', ['2:3: gitea.repositories is missing']],
    ['', ['1:1: gitea is missing']],
    ['- a\n', ['1:1: the file must be a group of keys']],
    // What an alias stands for is not missing, nor is what stands below a name of digits.
    [
      `${MINIMAL}agents:\n  hans: &usual { maxTasks: 0 }\n  greta: *usual\n  123: { maxTasks: 0 }\n`,
      [
        '5:28: agents.hans.maxTasks must be at least 1',
        '6:10: agents.greta.maxTasks must be at least 1',
        '7:8: agents.123.maxTasks must be at least 1',
      ],
    ],
    // Of the right form, and still no address.
    [
      'gitea:\n  url: http://git.example.com:99999\n  repositories: [a/b]\n',
      ['2:8: gitea.url is no address: look at its host and its port'],
    ],
    [
      `${MINIMAL}monitor: { pingUrl: "https://[hc/x" }\n`,
      ['4:21: monitor.pingUrl is no address: look at its host and its port'],
    ],
    [
      'gitea:\n  url: git.example.com\n  repositories: [a/b]\n',
      ['2:8: gitea.url must be an http(s) address without user, query or fragment'],
    ],
    [
      'gitea:\n  url: https://me:pw@x.org\n  repositories: [a/b]\n',
      ['2:8: gitea.url must be an http(s) address without user, query or fragment'],
    ],
    [
      'gitea:\n  url: https://x.org\n  repositories: [a/b, "../c", a/.., b]\n',
      [
        '3:23: gitea.repositories[1] must be owner/repository or owner/*',
        '3:31: gitea.repositories[2] must be owner/repository or owner/*',
        '3:37: gitea.repositories[3] must be owner/repository or owner/*',
      ],
    ],
    [
      'gitea:\n  url: https://x.org\n  repositories: []\n',
      ['3:17: gitea.repositories must name at least one repository'],
    ],
    ['gitea:\n  url: https://x.org\n  repositories: a/b\n', ['3:17: gitea.repositories must be a list']],
    [
      'gitea:\n  - name: team\n    url: https://x.org\n    repositories: [a/b, c]\n    tokenfile: x\n  - url: y\n    name: Home\n',
      [
        '4:25: gitea[0].repositories[1] must be owner/repository or owner/*',
        '5:5: unknown key gitea[0].tokenfile (did you mean tokenFile?)',
        '6:5: gitea[1].repositories is missing',
        '6:10: gitea[1].url must be an http(s) address without user, query or fragment',
        '7:11: gitea[1].name must be small letters, digits and hyphens, such as team',
      ],
    ],
    ['gitea: []\n', ['1:8: gitea must name at least one server']],
    [
      'gitea:\n  - { name: a, url: "https://x.org", repositories: [a/b] }\n  - { name: a, url: "http://X.org/", repositories: [a/*] }\n',
      [
        '3:13: gitea[1].name is the name of gitea[0] as well',
        '3:21: gitea[1].url is the server of gitea[0]: what is on it belongs into one entry',
      ],
    ],
    [`${MINIMAL}rateLimit: 60\n`, ['4:12: rateLimit must be a duration such as 60s, 5m or 1h']],
    [`${MINIMAL}rateLimit: fast\n`, ['4:12: rateLimit must be a duration such as 60s, 5m or 1h']],
    [`${MINIMAL}rateLimit: 10ms\n`, ['4:12: rateLimit must be at least 1s']],
    [`${MINIMAL}agents: { hans: { rateLimit: 10ms } }\n`, ['4:30: agents.hans.rateLimit must be at least 1s']],
    [
      `${MINIMAL}rateLimits: { repositories: { acme/app: 1ms, app: 1m } }\n`,
      ['4:46: rateLimits.repositories.app: the name must be owner/repository or owner/*'],
    ],
    [
      `${MINIMAL}rateLimits: { repositories: { acme/app: 1ms } }\n`,
      ['4:41: rateLimits.repositories.acme/app must be at least 1s'],
    ],
    [`${MINIMAL}store: { lease: 1m }\n`, ['4:17: store.lease must be at least 2m: passes come once a minute']],
    [
      `${MINIMAL}store: { url: mysql://x }\n`,
      ['4:15: store.url must be an address such as postgres://dispatcher@db.example.com/dispatcher'],
    ],
    [
      `${MINIMAL}store: { url: "postgres://a@b/c", urlFile: d }\n`,
      ['4:44: store.urlFile stands beside store.url: only one of them'],
    ],
    [`${MINIMAL}log: { format: xml }\n`, ['4:16: log.format must be one of text, json']],
    [`${MINIMAL}agents: { hans: { maxTasks: 0 } }\n`, ['4:29: agents.hans.maxTasks must be at least 1']],
    [`${MINIMAL}agents: { hans: { maxTasks: 1.5 } }\n`, ['4:29: agents.hans.maxTasks must be a whole number']],
    [`${MINIMAL}agents: { "../x": {} }\n`, ['4:11: agents.../x: the name must be a Gitea login']],
    [
      `${MINIMAL}agents: { Hans: {}, hans: {} }\n`,
      ['4:17: agents.Hans names an agent twice: Gitea logins do not tell upper from lower case'],
    ],
    [
      `${MINIMAL}priority: { labels: { Sev1: urgent } }\n`,
      ['4:29: priority.labels.Sev1 must be critical, high, normal or low'],
    ],
    [
      `${MINIMAL}tasks: { file: "../issue-{number}.md" }\n`,
      [
        '4:16: tasks.file must be a relative path that ends in .md, has {number}, and besides only {owner}, {repo}, {server}, letters, digits, ._-/',
      ],
    ],
    [
      `${MINIMAL}tasks: { file: "task.md" }\n`,
      [
        '4:16: tasks.file must be a relative path that ends in .md, has {number}, and besides only {owner}, {repo}, {server}, letters, digits, ._-/',
      ],
    ],
    [`${MINIMAL}dashboard: { port: 70000 }\n`, ['4:20: dashboard.port must be at most 65535']],
    [
      'a: &a [x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n',
      ['1:1: Excessive alias count indicates a resource exhaustion attack'],
    ],
  ])('%j', ([text, expected]) => {
    expect(problems(text)).toEqual(expected);
  });

  test('all of them at once, in the order of the file', () => {
    expect(problems('gitea:\n  url: x\n  repositories: 1\nlgo: {}\nrateLimit: 1\n')).toHaveLength(4);
  });

  test('so many of them that nobody reads them all: the first fifty, and how many more', () => {
    const found = problems('['.repeat(200));
    expect(found).toHaveLength(51);
    expect(found.at(-1)).toMatch(/^ *… and \d+ more$/u);
  });

  test('a path with a NUL character, which no file can have', () => {
    const text = 'gitea: { url: http://x, repositories: [a/b] }\nworkspace: "a\\0b"\n';
    expect(problems(text)).toEqual(['2:12: workspace must not hold a NUL character']);
  });
});

describe('a configuration', () => {
  test.for([
    { repositories: '[a/b]', file: undefined, pattern: 'issue-{number}.md' },
    { repositories: '[a/b, a/c]', file: undefined, pattern: '{owner}/{repo}/issue-{number}.md' },
    { repositories: '[a/*]', file: 'issue-{number}.md', pattern: '{owner}/{repo}/issue-{number}.md' },
    { repositories: '[a/b, a/c]', file: '{repo}-{number}.md', pattern: '{repo}-{number}.md' },
    { repositories: '[a/b, c/b]', file: '{repo}-{number}.md', pattern: '{owner}/{repo}-{number}.md' },
    { repositories: '[a/b, c/b]', file: '{owner}/{repo}-{number}.md', pattern: '{owner}/{repo}-{number}.md' },
  ])('with repositories $repositories the task file $file becomes $pattern', ({ repositories, file, pattern }) => {
    const place = folder();
    const tasks = file === undefined ? '' : `tasks: { file: "${file}" }\n`;
    writeFileSync(join(place, 'c.yaml'), MINIMAL.replace('[a/b]', repositories) + tasks);
    expect(loadConfig('c.yaml', { environment: {}, cwd: place }).taskFile).toBe(pattern);
  });

  test('has every default filled in', () => {
    const place = folder();
    writeFileSync(join(place, 'dispatcher.yaml'), MINIMAL);
    expect(loadConfig(undefined, { environment: { HOME: place }, cwd: place })).toEqual({
      file: join(place, 'dispatcher.yaml'),
      servers: [aServer({ url: 'https://x.org', repositories: [{ owner: 'a', name: 'b' }] })],
      repositories: [{ owner: 'a', name: 'b' }],
      workspace: place,
      agents: null,
      tasksDirectory: join(place, '.agent-tasks'),
      taskFile: 'issue-{number}.md',
      stalledAfterMs: 86_400_000,
      template: null,
      rateLimitMs: 60_000,
      rateLimits: { agents: new Map(), repositories: new Map() },
      priorityLabels: new Map(),
      store: null,
      historyKeepMs: 7_776_000_000,
      holdLabels: [],
      logFile: join(place, '.agent-dispatcher.log'),
      logFormat: 'text',
      stateDirectory: join(place, '.agent-dispatcher'),
      dashboard: { host: '127.0.0.1', port: 8098, auth: null, allowedHosts: [] },
      monitor: { pingUrl: null, metricsFile: null, office: place },
      updates: { enabled: true, ignoreAuthors: ['gitea-actions', 'forgejo-actions'], reopen: true, pullRequests: true },
      trust: { authors: null, commenters: null, assigners: null },
      agentLabels: new Map(),
      instructions: { agents: new Map(), repositories: new Map(), labels: new Map() },
      context: { timeline: true, repository: true, references: 5, blocks: true, lastAttempt: true },
      receipt: { reaction: null, label: null, comment: false },
      attachments: null,
      onDispatch: null,
    });
  });

  test('is read relative to its file, and writes relative to its workspace', () => {
    const place = folder();
    const yaml = `${MINIMAL.replace('https://x.org', 'https://x.org/git/')}workspace: ws\ntasks: { directory: t, template: x.hbs }\nlog: { file: l.log }\nstate: /var/s\nagents: { Hans: { template: h.hbs }, greta: }\n`;
    writeFileSync(join(place, 'c.yaml'), yaml.replace('[a/b]', '[a/b]\n  tokenFile: tok'));
    expect(loadConfig('c.yaml', { environment: {}, cwd: place })).toMatchObject({
      servers: [{ url: 'https://x.org/git', tokenFile: join(place, 'tok') }],
      workspace: join(place, 'ws'),
      tasksDirectory: join(place, 'ws/t'),
      template: join(place, 'x.hbs'),
      logFile: join(place, 'ws/l.log'),
      stateDirectory: '/var/s',
      agents: new Map([
        ['hans', { maxTasks: null, template: join(place, 'h.hbs'), attempts: 3 }],
        ['greta', { maxTasks: null, template: null, attempts: 3 }],
      ]),
    });
  });

  test.for([
    {
      rule: '--config wins',
      explicit: 'explicit.yaml',
      environment: { DISPATCHER_CONFIG: 'named.yaml' },
      found: 'explicit.yaml',
    },
    {
      rule: 'then $DISPATCHER_CONFIG',
      environment: { DISPATCHER_CONFIG: 'named.yaml' },
      found: 'named.yaml',
    },
    { rule: 'then ./dispatcher.yaml', environment: { XDG_CONFIG_HOME: 'xdg' }, found: 'dispatcher.yaml' },
    {
      rule: 'then the one in $XDG_CONFIG_HOME',
      environment: { XDG_CONFIG_HOME: 'xdg' },
      remove: true,
      found: 'xdg/dispatcher/config.yaml',
    },
    {
      rule: 'or in ~/.config',
      environment: { HOME: 'home' },
      remove: true,
      found: 'home/.config/dispatcher/config.yaml',
    },
  ])('is found in this order: $rule', ({ explicit, environment, remove, found }) => {
    const place = folder();
    for (const name of [
      'explicit.yaml',
      'named.yaml',
      'dispatcher.yaml',
      'xdg/dispatcher/config.yaml',
      'home/.config/dispatcher/config.yaml',
    ]) {
      mkdirSync(join(place, name, '..'), { recursive: true });
      writeFileSync(join(place, name), MINIMAL);
    }
    if (remove) rmSync(join(place, 'dispatcher.yaml'));
    const absolute = Object.fromEntries(
      Object.entries({ HOME: 'none', ...environment }).map(([key, value]) => [key, join(place, value)]),
    );
    expect(loadConfig(explicit, { environment: absolute, cwd: place }).file).toBe(join(place, found));
  });

  test('comes from the environment when there is no file', () => {
    const place = folder();
    const environment = { HOME: place, GITEA_URL: 'https://x.org/', GITEA_REPOSITORIES: 'a/b, c/*' };
    expect(loadConfig(undefined, { environment, cwd: place })).toMatchObject({
      file: null,
      servers: [{ name: null, url: 'https://x.org' }],
      repositories: [
        { owner: 'a', name: 'b' },
        { owner: 'c', name: null },
      ],
      workspace: place,
      taskFile: '{owner}/{repo}/issue-{number}.md',
    });
    expect(() => loadConfig(undefined, { environment: { ...environment, GITEA_URL: 'nope' }, cwd: place })).toThrow(
      '$GITEA_URL: must be an http(s) address',
    );
    expect(() => loadConfig(undefined, { environment: { HOME: place }, cwd: place })).toThrow('$GITEA_URL is not set');
  });

  test('that is named and not there is an error, not a reason to look elsewhere', () => {
    const place = folder();
    writeFileSync(join(place, 'dispatcher.yaml'), MINIMAL);
    expect(() => loadConfig('missing.yaml', { environment: {}, cwd: place })).toThrow('missing.yaml cannot be read');
  });
});
