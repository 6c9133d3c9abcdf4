// A server that fails or lies in every way that is known: an outage is never "no issues", and with the faults gone the task
// goes.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, test } from 'vitest';
import { type Workspace, workspace } from '../support/command.ts';
import { type Fault, FAULTS } from '../support/gitea/server.ts';
import { EMPTY_ISSUE } from '../support/gitea/json.ts';
import { brokenAfterwards, conclude, office, sampled, together } from './experiment.ts';

const json = (body: unknown, headers: Record<string, string> = {}): Fault => ({
  headers: { 'content-type': 'application/json', ...headers },
  body: typeof body === 'string' ? body : JSON.stringify(body),
});
const row = {
  id: 1,
  number: 1,
  title: 'x',
  state: 'open',
  labels: [],
  assignees: [{ login: 'hans' }],
  created_at: '2026-04-09T10:00:00Z',
  updated_at: '2026-04-09T10:00:00Z',
  pull_request: null,
  repository: { full_name: 'acme/app' },
};
const every = (name: keyof typeof row, values: readonly unknown[]): readonly [string, Fault][] =>
  values.map((value) => [`${name} is ${JSON.stringify(value) ?? 'missing'}`, json([{ ...row, [name]: value }])]);

function flood(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  const piece = ' '.repeat(1_000_000);
  let left = 100;
  const more = (): void => {
    left -= 1;
    if (left === 0) response.end('[]');
    else if (!response.destroyed) response.write(piece, more);
  };
  more();
}

function another({ url = '' }: IncomingMessage, response: ServerResponse): void {
  const page = Number(/page=(\d+)/u.exec(url)?.[1] ?? 1);
  const rows = Array.from({ length: 50 }, (_, index) => ({
    ...row,
    id: page * 50 + index,
    number: page * 50 + index,
    assignees: [],
  }));
  response.writeHead(200, { 'content-type': 'application/json', 'x-total-count': '1000000' }).end(JSON.stringify(rows));
}

/** How the listing answers; what an honest pass may do about it is below. */
const LISTINGS: readonly (readonly [string, Fault])[] = [
  ...Object.entries(FAULTS).filter(([name]) => name !== 'hang' && name !== 'drip'),
  ...[400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 413, 418, 422, 423, 425, 429, 431, 451].map(
    (status): [string, Fault] => [
      `${status} as JSON`,
      { status, headers: { 'content-type': 'application/json' }, body: '{"message":"no"}' },
    ],
  ),
  ...[500, 501, 502, 503, 504, 505, 507, 508, 511, 520, 521, 522, 530].map((status): [string, Fault] => [
    `${status} as HTML`,
    { status, headers: { 'content-type': 'text/html' }, body: '<h1>oops</h1>' },
  ]),
  ['429 for a minute', { status: 429, headers: { 'retry-after': '60' }, body: '' }],
  [
    '429 until a date',
    { status: 429, headers: { 'retry-after': new Date(Date.now() + 60_000).toUTCString() }, body: '' },
  ],
  ['an object', json({})],
  ['null', json(null)],
  ['a text', json('"issues"')],
  ['a number', json(7)],
  ['nothing with 200', json('')],
  ['nothing with 204', { status: 204 }],
  ['a list cut short', json('[{"id":1,')],
  ['two documents', json('[] []')],
  ['a list with a byte order mark', json('\uFEFF[{}]')],
  ['deep nesting', json('['.repeat(20_000))],
  ['only empty objects', json([EMPTY_ISSUE, EMPTY_ISSUE])],
  ['only nulls', json([null, null])],
  ['only lists', json([[], []])],
  ['a total that promises more', json([], { 'x-total-count': '1000000' })],
  ['a total that is no number', json([EMPTY_ISSUE], { 'x-total-count': 'many' })],
  ['a redirect elsewhere', { status: 302, headers: { location: 'http://example.invalid/' } }],
  [
    'a redirect to itself',
    (request: IncomingMessage, response: ServerResponse) =>
      void response.writeHead(302, { location: request.url ?? '/' }).end(),
  ],
  ['a redirect to nowhere', { status: 301 }],
  ['a redirect to a file', { status: 302, headers: { location: 'file:///etc/passwd' } }],
  [
    'a wrong length',
    (_request: IncomingMessage, response: ServerResponse) =>
      void response.writeHead(200, { 'content-type': 'application/json', 'content-length': '2' }).end('[]'.repeat(1)),
  ],
  ['a hundred megabytes of nothing', (_request: IncomingMessage, response: ServerResponse) => flood(response)],
  ['pages without end', (request: IncomingMessage, response: ServerResponse) => another(request, response)],
  ['the same id twice', json([row, { ...row, number: 2 }])],
  ['the same number twice', json([row, { ...row, id: 2 }])],
  ...every('id', [0, -1, 1.5, '1', null, {}, 2 ** 60]),
  ...every('number', [0, -5, 1.5, '1', null]),
  ...every('title', [null, 7, {}, []]),
  ...every('state', [null, '', 'merged', 7]),
  ...every('labels', ['x', [7], [null], [{ name: null }]]),
  ...every('assignees', ['hans', [null], [{}], [{ login: '' }], [{ login: 7 }]]),
  ...every('created_at', [null, '', 'yesterday', 7]),
  ...every('repository', [
    { full_name: '../..' },
    { full_name: 'a/b/c' },
    { full_name: 7 },
    { full_name: 'acme/app\u0000' },
  ]),
];

test('ways of a listing to go wrong', async (context) => {
  const listings = sampled(LISTINGS);
  const found = await together(listings, async ([name, fault]) => {
    const at = await owner();
    const mend = at.gitea.intercept(/issues\/search/u, fault);
    const hit = await at.run([]);
    mend();
    // Rows that cannot be understood are left out with a warning; everything else is an outage, or the token.
    const isWarned = hit.stdout.includes('WARNING') || /total that|204|a wrong length|state is/u.test(name);
    const broken = [
      ...([0, 4, 75, 78].includes(hit.code ?? -1) ? [] : [`exit ${hit.code}`]),
      ...(hit.stdout.includes('DISPATCHED') ? ['dispatched something'] : []),
      ...(hit.code !== 0 || isWarned ? [] : [`taken for "no issues" (${hit.stdout}${hit.stderr})`]),
      ...(hit.code === 0 || hit.stderr.includes('fix: ') ? [] : [`no remedy (${hit.stderr})`]),
      ...(await brokenAfterwards(at, [hit], { due: ['hans 1'] })),
    ];
    return broken.map((what) => `${name}: ${what}`);
  });
  conclude(context, 'a listing that fails or lies', listings.length, found);
});

const owner = async (): Promise<Workspace> => {
  const at = await workspace({ yaml: 'gitea: { url: URL, repositories: ["acme/*"] }\nrateLimit: 1s\n' });
  at.gitea.addIssue({ repository: 'acme/app', number: 1, title: 'First', assignees: ['hans'] });
  return at;
};

const READS = ['/issues/1(?:\\?|$)', '/issues/1/comments', '/issues/1/dependencies'];
const ANSWERS: readonly (readonly [string, Fault])[] = [
  ...[400, 403, 404, 409, 418, 451].map((status): [string, Fault] => [
    `${status}`,
    { status, headers: { 'content-type': 'application/json' }, body: '{"message":"no"}' },
  ]),
  ['500', { status: 500, headers: { 'content-type': 'text/html' }, body: 'oops' }],
  ['HTML', FAULTS.html],
  ['half of it', FAULTS.truncated],
  ['a reset', FAULTS.reset],
  ['null', json(null)],
  ['a list of nulls', json([null])],
  ['an empty object', json({})],
  ['a text', json('"x"')],
];

test('an issue that cannot be read whole: the next one goes in the same pass, and it goes when it is mended', async (context) => {
  const cases = sampled(
    READS.flatMap((path) => ANSWERS.map(([name, fault]) => ({ path, name, fault }))),
    1,
  );
  const found = await together(cases, async ({ path, name, fault }) => {
    const at = await office();
    const mend = at.gitea.intercept(new RegExp(path, 'u'), fault);
    const hit = await at.run([]);
    mend();
    // What cannot be told of its comments or blockers may be no obstacle, such as a feature that the server does not have.
    const went = hit.stdout.includes('DISPATCHED') ? [] : [`nothing went (${hit.stdout}${hit.stderr})`];
    await at.run(['dispatch', '--issue', '1']);
    return [...went, ...(await brokenAfterwards(at, [hit]))].map((what) => `${name} from ${path}: ${what}`);
  });
  conclude(context, 'an issue that cannot be read whole', cases.length, found);
});

test('the token follows no redirect to another origin', async (context) => {
  const seen: string[] = [];
  const stranger = createServer((request, response) => {
    seen.push(JSON.stringify(request.headers) + request.url);
    response.writeHead(200, { 'content-type': 'application/json' }).end('[]');
  });
  await new Promise<void>((resolve) => void stranger.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void stranger.close());
  const address = stranger.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const targets = [`http://127.0.0.1:${port}/`, `//127.0.0.1:${port}/api/v1/`, `http://localhost:${port}/x`];
  const all = [301, 302, 303, 307, 308].flatMap((status) =>
    targets.flatMap((location) => ['search', ...READS].map((path) => ({ status, location, path }))),
  );
  const cases = sampled(all.toSorted((a, b) => a.path.localeCompare(b.path)));
  const found = await together(cases, async ({ status, location, path }) => {
    const at = path === 'search' ? await owner() : await office();
    const mend = at.gitea.intercept(new RegExp(path, 'u'), { status, headers: { location } });
    const hit = await at.run([]);
    mend();
    await at.run(['dispatch', '--issue', '1']);
    const leaked = seen.filter((text) => text.includes(at.gitea.token)).map(() => 'I6 the token was sent elsewhere');
    const broken = await brokenAfterwards(at, [hit], { due: ['hans 1'] });
    return [...leaked, ...broken].map((what) => `${status} from ${path} to ${location}: ${what}`);
  });
  conclude(context, 'a redirect to another origin', cases.length, found);
});

test('issues that are closed while the pages are read are neither lost nor taken for closed', async (context) => {
  const found = await together([1, 2, 3, 4, 5, 6], async (closed) => {
    const at = await workspace({
      yaml: 'gitea: { url: URL, repositories: [acme/app] }\nrateLimit: 1s\n',
      maxResponseItems: 3,
    });
    for (let number = 1; number <= 9; number += 1) {
      at.gitea.addIssue({ repository: 'acme/app', number, title: `Issue ${number}`, assignees: ['hans'] });
    }
    await at.run([]);
    const close: Fault = async (request, response) => {
      const truth = await fetch(`${at.gitea.url}${request.url}`, {
        headers: { authorization: request.headers.authorization ?? '' },
      });
      response.writeHead(truth.status, Object.fromEntries(truth.headers)).end(await truth.text());
      at.gitea.editIssue(`acme/app#${closed}`, { state: 'closed' });
    };
    at.gitea.intercept(/page=1\b|\/issues\?(?!.*page=)/u, close, 1);
    const hit = await at.run([]);
    const archived = at.files().filter((name) => name.includes('/archive/') && !name.includes(`issue-${closed}.md`));
    const broken = [
      ...archived.map((name) => `${name} was archived`),
      ...(await brokenAfterwards(at, [hit], { due: [] })),
    ];
    return broken.map((what) => `#${closed} closed meanwhile: ${what}`);
  });
  conclude(context, 'issues closed while pages are read', 6, found);
});

const canSign = spawnSync('openssl', ['version']).status === 0;

test.skipIf(!canSign)(
  'servers that cannot be reached or trusted: said with a remedy, and what the remedy says heals',
  async (context) => {
    const at = await office([1]);
    const { certificate, url } = await secured(at);
    const config = at.read('dispatcher.yaml');
    const dead = ['http://127.0.0.1:1', 'http://nowhere.invalid', 'https://127.0.0.1:1', url];
    const found: string[] = [];
    for (const address of dead) {
      at.write('dispatcher.yaml', config.replace(at.gitea.url, address));
      const { code, stderr } = await at.run([]);
      if (code !== 75 || !/\n {2}fix: /u.test(stderr)) found.push(`${address}: exit ${code}: ${stderr}`);
    }
    const trusting = await at.run([], { NODE_EXTRA_CA_CERTS: certificate });
    if (!trusting.stdout.includes('DISPATCHED')) found.push(`with NODE_EXTRA_CA_CERTS: ${trusting.stderr}`);
    if (!(await at.run(['status'])).stdout.includes('hans')) found.push('no status');
    conclude(context, 'servers that cannot be reached or trusted', dead.length + 1, found);
  },
);

/** The fake Gitea behind TLS, with a certificate that nobody has signed. */
async function secured(at: Workspace): Promise<{ readonly certificate: string; readonly url: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'dispatcher-tls-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  execFileSync('openssl', [...made, ...subject, '-keyout', key, '-out', certificate], { stdio: 'ignore' });
  const server = createSecureServer(
    { key: readFileSync(key), cert: readFileSync(certificate) },
    (request, response) => {
      const passed = httpRequest(`${at.gitea.url}${request.url}`, { headers: request.headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      });
      request.pipe(passed);
    },
  );
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return { certificate, url: `https://127.0.0.1:${typeof address === 'object' ? address?.port : 0}` };
}
