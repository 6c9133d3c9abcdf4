// A server that fails or lies in every way that is known: an outage is never "no issues", and with the faults gone the task
// goes.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { workspace } from '../support/command.ts';
import { type Fault, FAULTS } from '../support/gitea/server.ts';
import { EMPTY_ISSUE } from '../support/gitea/json.ts';
import { violations } from '../support/invariants.ts';

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

const AT_ONCE = 4;

test(`${LISTINGS.length} ways of a listing to go wrong`, async ({ task }) => {
  const found: string[] = [];
  const next = LISTINGS.values();
  const experiment = async (name: string, fault: Fault): Promise<void> => {
    const at = await workspace({ yaml: 'gitea: { url: URL, repositories: ["acme/*"] }\nrateLimit: 1s\n' });
    at.gitea.addIssue({ repository: 'acme/app', number: 1, title: 'First', assignees: ['hans'] });
    const startedAt = Date.now();
    const mend = at.gitea.intercept(/issues\/search/u, fault);
    const broken = await at.run([]);
    // Rows that cannot be understood are left out with a warning; everything else is an outage, or the token.
    if (![0, 4, 75, 78].includes(broken.code ?? -1)) found.push(`${name}: exit ${broken.code}`);
    if (broken.stdout.includes('DISPATCHED')) found.push(`${name}: dispatched something`);
    if (
      broken.code === 0 &&
      !broken.stdout.includes('WARNING') &&
      !/total that|204|a wrong length|state is/u.test(name)
    ) {
      found.push(`${name}: taken for "no issues" (${broken.stdout}${broken.stderr})`);
    }
    if (broken.code !== 0 && !broken.stderr.includes('fix: ')) found.push(`${name}: no remedy (${broken.stderr})`);
    mend();
    const healed = await at.run([]);
    found.push(
      ...violations(at, {
        allowed: [],
        rateLimitMs: 1000,
        startedAt,
        due: ['hans 1'],
        forced: false,
        outputs: [broken.stdout, broken.stderr, healed.stdout, healed.stderr],
      }).map(({ invariant, what }) => `${name}: ${invariant} ${what}`),
    );
  };
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const [name, fault] of next) await experiment(name, fault);
    }),
  );
  task.meta.experiment = { name: 'a server that fails or lies', cases: LISTINGS.length, violations: found.length };
  expect(found).toEqual([]);
});
