import { Agent } from 'node:https';
import { http, HttpResponse } from 'msw';
import { setupServer } from 'msw/node';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type ClientOptions, createClient } from '../../src/io/gitea/client.ts';
import { readFullIssue } from '../../src/io/gitea/full-issue.ts';
import { listOpenIssues } from '../../src/io/gitea/listing.ts';
import { unsavedScope } from '../../src/io/state/listing-cache.ts';

const URL_BASE = 'https://git.example.com/forge';
const server = setupServer();
beforeAll(() => server.listen({ onUnhandledRequest: 'error' }));
afterEach(() => server.resetHandlers());
afterAll(() => server.close());

const waits: number[] = [];
const clientWith = (overrides: Partial<ClientOptions> = {}) => {
  waits.length = 0;
  return createClient({
    url: URL_BASE,
    token: 'secret',
    tokenSource: 'a test',
    version: '1.2.3',
    agent: new Agent(),
    signal: new AbortController().signal,
    timeLeft: () => 30_000,
    sleep: async (ms) => void waits.push(ms),
    random: () => 0.5,
    ...overrides,
  });
};
/** Answers one request after the other, the last one for ever. */
const answers = (...responses: (() => Response)[]): { readonly count: () => number } => {
  let asked = 0;
  server.use(
    http.get(
      `${URL_BASE}/api/v1/x`,
      () => responses[Math.min(asked++, responses.length - 1)]?.() ?? HttpResponse.error(),
    ),
  );
  return { count: () => asked };
};
const status =
  (code: number, headers: Record<string, string> = {}) =>
  () =>
    new HttpResponse('busy', { status: code, headers });
const ok = () => HttpResponse.json({ fine: true });

describe('a request', () => {
  test('carries the token as Bearer, asks for JSON and says who it is', async () => {
    let headers: Headers | undefined;
    server.use(http.get(`${URL_BASE}/api/v1/x`, ({ request }) => ((headers = request.headers), ok())));
    expect(await clientWith()('/x')).toEqual({ status: 200, body: { fine: true }, totalCount: null, date: null });
    expect(headers?.get('authorization')).toBe('Bearer secret');
    expect(headers?.get('accept')).toBe('application/json');
    expect(headers?.get('user-agent')).toMatch(/^dispatcher\/1\.2\.3/u);
  });

  test.for([429, 502, 503, 504])('is tried again twice after %s, with growing jittered pauses', async (code) => {
    const { count } = answers(status(code), status(code), ok);
    expect(await clientWith()('/x')).toMatchObject({ status: 200 });
    expect(count()).toBe(3);
    expect(waits).toEqual([500, 1000]);
  });

  test('is given up after the second repetition', async () => {
    const { count } = answers(status(503));
    await expect(clientWith()('/x')).rejects.toMatchObject({ exitCode: 75, code: 'gitea_unavailable' });
    expect(count()).toBe(3);
  });

  test.for([
    { form: 'seconds', headers: { 'retry-after': '7' }, wait: 7000 },
    {
      form: 'a date',
      headers: { 'retry-after': 'Thu, 09 Apr 2026 12:00:09 GMT', date: 'Thu, 09 Apr 2026 12:00:00 GMT' },
      wait: 9000,
    },
    {
      form: 'a date in the past',
      headers: { 'retry-after': 'Thu, 09 Apr 2026 11:00:00 GMT', date: 'Thu, 09 Apr 2026 12:00:00 GMT' },
      wait: 0,
    },
    { form: 'nonsense', headers: { 'retry-after': 'soon' }, wait: 500 },
  ])('waits as Retry-After says in the form of $form', async ({ headers, wait }) => {
    answers(status(429, headers), ok);
    await clientWith()('/x');
    expect(waits).toEqual([wait]);
  });

  test('does not wait for longer than the pass has left', async () => {
    const { count } = answers(status(429, { 'retry-after': '31' }));
    await expect(clientWith()('/x')).rejects.toMatchObject({ code: 'gitea_throttled' });
    expect(count()).toBe(1);
  });

  test.for([400, 404])('answers %s as a fact about what was asked', async (code) => {
    answers(() => HttpResponse.json({ message: 'no' }, { status: code }));
    expect(await clientWith()('/x')).toEqual({ status: code });
  });

  test('takes a 404 page in HTML for a server that is no Gitea', async () => {
    answers(() => HttpResponse.html('<h1>404</h1>', { status: 404 }));
    await expect(clientWith()('/x')).rejects.toMatchObject({ code: 'gitea_not_api', exitCode: 75 });
  });

  test.for([
    { code: 401, error: 'gitea_unauthorized' },
    { code: 403, error: 'gitea_forbidden' },
  ])('answers $code with exit 4, where the token came from, and no token', async ({ code, error }) => {
    const { count } = answers(() => HttpResponse.json({ message: 'secret' }, { status: code }));
    await expect(clientWith()('/x')).rejects.toMatchObject({
      code: error,
      exitCode: 4,
      hint: expect.stringContaining('the token came from a test'),
      message: expect.not.stringContaining('secret'),
    });
    expect(count()).toBe(1);
  });

  test('whose answer drips without end is given up in its time, twice repeated', async () => {
    let asked = 0;
    server.use(
      http.get(`${URL_BASE}/api/v1/x`, () => {
        asked += 1;
        const body = new ReadableStream({
          start: (stream) => {
            const timer = setInterval(() => stream.enqueue(new TextEncoder().encode(' ')), 10);
            setTimeout(() => clearInterval(timer), 1000);
          },
        });
        return new HttpResponse(body, { headers: { 'content-type': 'application/json' } });
      }),
    );
    await expect(clientWith({ requestTimeoutMs: 50 })('/x')).rejects.toMatchObject({
      exitCode: 75,
      code: 'gitea_unreachable',
      message: expect.stringContaining('no answer within'),
    });
    expect(asked).toBe(3);
  });

  test('ends with the pass', async () => {
    const controller = new AbortController();
    server.use(
      http.get(`${URL_BASE}/api/v1/x`, async () => new Promise(() => setTimeout(() => controller.abort(), 20))),
    );
    await expect(clientWith({ signal: controller.signal, timeLeft: () => 0 })('/x')).rejects.toMatchObject({
      code: 'gitea_timeout',
      exitCode: 75,
    });
  });
});

describe('a listing', () => {
  const row = (number: number, overrides: object = {}) => ({
    id: number,
    number,
    title: `Issue ${number}`,
    state: 'open',
    labels: [{ name: 'bug' }],
    assignees: [{ login: 'zoe' }, { login: 'Hans' }],
    created_at: '2026-04-09T12:00:00+02:00',
    updated_at: '2026-04-09T10:00:00Z',
    pull_request: null,
    repository: { full_name: 'acme/app' },
    ...overrides,
  });
  const pages = (
    all: readonly object[],
    { size = 50, total = all.length }: { size?: number; total?: number | null } = {},
  ): { readonly asked: string[] } => {
    const asked: string[] = [];
    server.use(
      http.get(`${URL_BASE}/api/v1/repos/*`, ({ request }) => {
        const url = new URL(request.url);
        asked.push(url.pathname.replace('/forge/api/v1', '') + url.search);
        const page = Number(url.searchParams.get('page'));
        return HttpResponse.json(all.slice((page - 1) * size, page * size), {
          headers: total === null ? {} : { 'x-total-count': String(total) },
        });
      }),
    );
    return { asked };
  };
  const list = async (...repositories: string[]) =>
    listOpenIssues(
      clientWith(),
      {
        url: URL_BASE,
        repositories: repositories.map((pattern) => {
          const [owner = '', name = ''] = pattern.split('/');
          return { owner, name: name === '*' ? null : name };
        }),
      },
      { cacheOf: unsavedScope },
    );

  test('asks for a lone repository by its own path, and for several of an owner by one search', async () => {
    const { asked } = pages([]);
    await list('acme/app', 'labs/*', 'Labs/one', 'team/a', 'team/b');
    expect(asked.toSorted()).toEqual([
      '/repos/acme/app/issues?state=open&type=issues&limit=50&page=1',
      '/repos/issues/search?owner=labs&state=open&type=issues&limit=50&page=1',
      '/repos/issues/search?owner=team&state=open&type=issues&limit=50&page=1',
    ]);
  });

  test.for([
    { what: 'the total is reached', count: 120, size: 50, total: 120 as number | null, requests: 3 },
    {
      what: 'the server hands out smaller pages than asked for',
      count: 120,
      size: 20,
      total: 120,
      requests: 6,
    },
    { what: 'an empty page comes, when no total is told', count: 100, size: 50, total: null, requests: 3 },
    {
      what: 'an empty page comes, when the total promises too much',
      count: 60,
      size: 50,
      total: 500,
      // And once more, to be sure of it.
      requests: 10,
    },
    { what: 'one page is all', count: 50, size: 50, total: 50, requests: 1 },
  ])('reads every issue, and stops when $what', async ({ count, size, total, requests }) => {
    const { asked } = pages(
      Array.from({ length: count }, (_, index) => row(index + 1)),
      { size, total },
    );
    expect((await list('acme/*')).issues).toHaveLength(count);
    expect(asked).toHaveLength(requests);
  });

  test('gives up on a server that hands out pages without end', async () => {
    server.use(http.get(`${URL_BASE}/api/v1/repos/*`, () => HttpResponse.json([row(1)])));
    await expect(list('acme/*')).rejects.toMatchObject({
      exitCode: 75,
      message: expect.stringContaining('the same issues again and again'),
    });
  });

  test('leaves out other repositories, pull requests, closed ones and duplicates, and sorts the assignees', async () => {
    pages([
      row(1),
      row(1),
      row(2, { repository: { full_name: 'acme/other' } }),
      row(3, { pull_request: { merged: false } }),
      row(4, { state: 'closed' }),
      row(5, { assignees: null, labels: null }),
    ]);
    const { issues, warnings } = await list('acme/app', 'acme/api');
    expect(warnings).toEqual(["acme/app, acme/api has 6 open issues by Gitea's count, and shows 3"]);
    expect(issues).toEqual([
      {
        id: 1,
        repository: 'acme/app',
        number: 1,
        title: 'Issue 1',
        labels: ['bug'],
        author: 'unknown',
        assignees: ['Hans', 'zoe'],
        createdAt: Date.UTC(2026, 3, 9, 10),
        updatedAt: Date.UTC(2026, 3, 9, 10),
      },
      expect.objectContaining({ id: 5, labels: [], assignees: [] }),
    ]);
  });

  test.for([
    { field: 'id', value: 0 },
    { field: 'id', value: '7' },
    { field: 'number', value: 0 },
    { field: 'number', value: 1.5 },
    { field: 'title', value: null },
    { field: 'state', value: '' },
    { field: 'created_at', value: 'yesterday' },
    { field: 'assignees', value: [{ login: '' }] },
    { field: 'assignees', value: 'hans' },
    { field: 'labels', value: [null] },
    { field: 'repository', value: null },
    { field: 'repository', value: { full_name: '../..' } },
    { field: 'repository', value: { full_name: 'acme/a/b' } },
  ])('an element whose $field is $value is counted and left out', async ({ field, value }) => {
    pages([row(1), row(2, { [field]: value })]);
    const { issues, warnings } = await list('acme/*');
    expect(issues.map((issue) => issue.number)).toEqual([1]);
    expect(warnings).toEqual(['Gitea sent 1 unreadable issue, left out of this pass']);
  });

  test('says exit 78 when nothing that is configured can be seen', async () => {
    server.use(
      http.get(`${URL_BASE}/api/v1/repos/*`, () => HttpResponse.json({ message: 'not found' }, { status: 404 })),
    );
    await expect(list('acme/app', 'labs/*')).rejects.toMatchObject({
      exitCode: 78,
      message: expect.stringContaining('none of: acme/app, labs/*'),
    });
  });
});

describe('the full issue', () => {
  const issue = {
    id: 77,
    number: 5,
    title: 'T',
    state: 'open',
    labels: [],
    assignees: [{ login: 'hans' }],
    created_at: '2026-04-09T10:00:00Z',
    updated_at: '2026-04-09T10:00:00Z',
    body: null,
    user: { login: 'Ghost' },
    milestone: { title: '1.0' },
    due_date: '2026-04-30T23:59:59+02:00',
    assets: [
      { name: 'a.png', size: 3, uuid: '1-2', browser_download_url: 'http://localhost:3000/attachments/1-2' },
      { name: 'b', size: 1, uuid: null, browser_download_url: 'https://elsewhere.org/b' },
      { name: 'c', size: 1, browser_download_url: 'javascript:alert(1)' },
    ],
    html_url: 'http://localhost:3000/acme/app/issues/5',
  };
  const base = `${URL_BASE}/api/v1/repos/acme/app/issues/5`;
  const read = async () => readFullIssue(clientWith(), { repository: 'acme/app', number: 5 }, URL_BASE);

  test('has its comments oldest first, its day, and addresses at the configured server whatever ROOT_URL says', async () => {
    server.use(
      http.get(base, () => HttpResponse.json(issue)),
      http.get(`${base}/comments`, () =>
        HttpResponse.json([
          { id: 2, body: 'second', user: { login: 'b' }, created_at: '2026-04-09T12:00:00Z' },
          { id: 1, body: 'first', user: null, created_at: '2026-04-09T11:00:00Z' },
          { broken: true },
        ]),
      ),
      http.get(`${base}/dependencies`, () =>
        HttpResponse.json(
          [
            { number: 3, title: 'B', state: 'open', repository: { full_name: 'acme/api' } },
            { number: 0, title: 'HIDDEN', state: '', repository: null },
          ],
          { headers: { 'x-total-count': '2' } },
        ),
      ),
    );
    expect(await read()).toMatchObject({
      url: `${URL_BASE}/acme/app/issues/5`,
      author: 'Ghost',
      body: '',
      milestone: '1.0',
      due: '2026-04-30',
      comments: [
        { author: 'unknown', body: 'first', url: `${URL_BASE}/acme/app/issues/5#issuecomment-1` },
        { author: 'b', body: 'second' },
      ],
      attachments: [
        { name: 'a.png', url: `${URL_BASE}/attachments/1-2` },
        { name: 'b', url: 'https://elsewhere.org/b' },
      ],
      blockers: [
        { ref: 'acme/api#3', title: 'B', open: true, url: `${URL_BASE}/acme/api/issues/3` },
        { ref: null, open: true, url: null },
      ],
    });
  });

  test('has no blockers on a server without that feature', async () => {
    server.use(
      http.get(base, () => HttpResponse.json(issue)),
      http.get(`${base}/comments`, () => HttpResponse.json(null)),
      http.get(
        `${base}/dependencies`,
        () => new HttpResponse('404 page not found', { status: 404, headers: { 'content-type': 'text/plain' } }),
      ),
    );
    expect(await read()).toMatchObject({ comments: [], blockers: [] });
  });

  test('is null when there is none, without asking for the comments of nothing', async () => {
    server.use(http.get(base, () => HttpResponse.json({ message: 'gone' }, { status: 404 })));
    expect(await read()).toBeNull();
  });
});
