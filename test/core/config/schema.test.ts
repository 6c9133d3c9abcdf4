import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import {
  ConfigSchema,
  EitherSchema,
  isLogin,
  isRepositoryPattern,
  knownKeys,
} from '../../../src/core/config/schema.ts';

const GITEA = { url: 'https://git.example.com', repositories: ['acme/app'] };
const complaints = (raw: object): readonly string[] =>
  ConfigSchema.safeParse({ gitea: GITEA, ...raw }).error?.issues.map(
    ({ path, message }) => `${path.join('.')}: ${message}`,
  ) ?? [];

test('the JSON Schema for editors is the one that the program checks by', async () => {
  const schema = { title: 'Configuration of dispatcher', ...z.toJSONSchema(EitherSchema) };
  await expect(`${JSON.stringify(schema, null, 2)}\n`).toMatchFileSnapshot('../../../deploy/config.schema.json');
});

test('no two keys have the same description', () => {
  const descriptions = [...JSON.stringify(z.toJSONSchema(ConfigSchema)).matchAll(/"description":"([^"]+)"/gu)].map(
    ([, text]) => text,
  );
  expect(descriptions.length).toBeGreaterThan(35);
  expect(new Set(descriptions).size).toBe(descriptions.length);
});

describe('a value that is none', () => {
  test.for<[object, string]>([
    [{ workspace: '' }, 'workspace: must not be empty'],
    [{ agents: { 'a b': null } }, 'agents.a b: '],
    [{ agents: { hans: { maxTasks: 0 } } }, 'agents.hans.maxTasks: must be at least 1'],
    [{ rateLimit: '60' }, 'rateLimit: must be a duration such as 60s, 5m or 1h'],
    [{ rateLimit: 60 }, 'rateLimit: must be a duration such as 60s, 5m or 1h'],
    [{ rateLimit: 'x60s' }, 'rateLimit: must be a duration such as 60s, 5m or 1h'],
    [{ rateLimit: '60s!' }, 'rateLimit: must be a duration such as 60s, 5m or 1h'],
    [{ gitea: { ...GITEA, repositories: [] } }, 'gitea.repositories: must name at least one repository'],
    [{ gitea: { ...GITEA, repositories: ['acme'] } }, 'gitea.repositories.0: must be owner/repository or owner/*'],
    [{ gitea: { ...GITEA, url: 'ftp://x' } }, 'gitea.url: must be an http(s) address without user, query or fragment'],
    [{ gitea: { ...GITEA, url: 'x https://y' } }, 'gitea.url: must be an http(s) address'],
    [{ gitea: { ...GITEA, url: 'https://' } }, 'gitea.url: must be an http(s) address'],
    [{ gitea: { ...GITEA, url: 'https://x/?a' } }, 'gitea.url: must be an http(s) address'],
    [{ tasks: { file: 'issue.md' } }, 'tasks.file: must be a relative path'],
    [{ tasks: { file: 'issue-{number}.mdx' } }, 'tasks.file: must be a relative path'],
    [{ tasks: { file: '/issue-{number}.md' } }, 'tasks.file: must be a relative path'],
    [{ tasks: { file: '../issue-{number}.md' } }, 'tasks.file: must be a relative path'],
    [{ tasks: { file: 'a/./issue-{number}.md' } }, 'tasks.file: must be a relative path'],
    [{ priority: { labels: { x: 'soon' } } }, 'priority.labels.x: must be critical, high, normal or low'],
    [{ log: { format: 'xml' } }, 'log.format: '],
    [{ trust: { authors: ['a b'] } }, 'trust.authors.0: must be a Gitea login'],
    [{ attachments: { save: true, maxBytes: 0 } }, 'attachments.maxBytes: must be at least 1'],
    [{ attachments: { save: true, types: ['.png'] } }, 'attachments.types.0: must be an ending such as png'],
    [{ attachments: { save: true, types: ['png/x'] } }, 'attachments.types.0: must be an ending such as png'],
    [{ attachments: { save: true, types: ['a'.repeat(11)] } }, 'attachments.types.0: must be an ending such as png'],
    [{ onDispatch: { command: [] } }, 'onDispatch.command: must name a program'],
    [{ dashboard: { port: 0 } }, 'dashboard.port: '],
    [{ dashboard: { port: 65_536 } }, 'dashboard.port: '],
    [
      { dashboard: { auth: { user: 'a:b', passwordFile: 'x' } } },
      'dashboard.auth.user: must be one word without a colon',
    ],
    [
      { dashboard: { auth: { user: ' a', passwordFile: 'x' } } },
      'dashboard.auth.user: must be one word without a colon',
    ],
    [
      { dashboard: { auth: { user: 'a ', passwordFile: 'x' } } },
      'dashboard.auth.user: must be one word without a colon',
    ],
    [{ dashboard: { allowedHosts: ['a:80'] } }, 'dashboard.allowedHosts.0: must be a host name without port'],
    [{ dashboard: { allowedHosts: ['/a'] } }, 'dashboard.allowedHosts.0: must be a host name without port'],
    [{ monitor: { pingUrl: 'https://me@x.org/' } }, 'monitor.pingUrl: must be an http(s) address without user'],
    [{ monitor: { pingUrl: 'x https://x.org/' } }, 'monitor.pingUrl: must be an http(s) address without user'],
    [{ monitor: { pingUrl: 'https://x.org/#a' } }, 'monitor.pingUrl: must be an http(s) address without user'],
    [{ monitor: { metricsFile: 'a.prom.txt' } }, 'monitor.metricsFile: must end in .prom'],
    [{ monitor: { metricsFile: 'a_prom' } }, 'monitor.metricsFile: must end in .prom'],
    [{ unknown: 1 }, ': '],
  ])('%o', ([raw, complaint]) => {
    expect(complaints(raw).join()).toContain(complaint);
  });
});

describe('a value that is one', () => {
  test.for<object>([
    { gitea: { ...GITEA, url: 'http://localhost:3000/git/' } },
    { gitea: { ...GITEA, url: 'https://x' } },
    { agents: { 'H.a-n_s9': null, hans: { maxTasks: 1, template: 't' } } },
    { tasks: { file: '{owner}/{repo}/Issue_{number}.x-1.md' } },
    { tasks: { file: 'a..b/issue-{number}.md' } },
    { rateLimit: '5 m' },
    { priority: { labels: { x: 'P0', y: 'Medium' } } },
    { log: { file: 'x', format: 'text' } },
    { updates: { enabled: true, ignoreAuthors: [] } },
    { dashboard: { host: '::', port: 65_535, auth: { user: "a!9;~'", passwordFile: 'x' }, allowedHosts: ['a-1.b'] } },
    { dashboard: { port: 1 } },
    { attachments: { save: false, types: ['a', 'a'.repeat(10)] } },
    { monitor: { pingUrl: 'http://x/ping?a=b', metricsFile: 'd.prom' } },
    { monitor: { pingUrl: 'https://x.org' } },
  ])('%o', (raw) => {
    expect(complaints(raw)).toEqual([]);
  });
});

test('names that may stand in the configuration', () => {
  expect(['acme/app', 'acme/*', 'a.b/c-d_e'].filter((name) => !isRepositoryPattern(name))).toEqual([]);
  expect(
    ['*/app', '../app', './app', 'a/..', 'a/.', 'a/b/c', 'a', 'ä/b', ' a/b', 'a/b '].filter(isRepositoryPattern),
  ).toEqual([]);
  expect(isLogin('a'.repeat(100))).toBe(true);
  expect(['', '.a', '-a', 'a'.repeat(101), 'a b', 'a\n'].filter(isLogin)).toEqual([]);
});

test('the keys that may stand somewhere', () => {
  expect(knownKeys(['gitea'])).toEqual(['url', 'formerUrls', 'repositories', 'caFile', 'tokenFile']);
  expect(knownKeys(['agents', 'hans'])).toEqual(['maxTasks', 'rateLimit', 'template', 'labels', 'attempts']);
  expect(knownKeys(['dashboard', 'auth'])).toEqual(['user', 'passwordFile']);
  expect(knownKeys([])).toContain('monitor');
  expect(knownKeys(['agents'])).toEqual([]);
  expect(knownKeys(['rateLimit'])).toEqual([]);
  expect(knownKeys(['nowhere', 'else'])).toEqual([]);
});
