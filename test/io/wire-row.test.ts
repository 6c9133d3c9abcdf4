import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { FULL_NAME, parseListed } from '../../src/io/gitea/wire-row.ts';

const WHOLE = {
  id: 7,
  number: 5,
  title: 'A title',
  state: 'open',
  labels: [{ name: 'bug' }, { name: 'x'.repeat(2000) }],
  assignees: [{ login: 'zoe' }, { login: 'Hans' }, { login: 'zoe' }],
  user: { login: 'greta' },
  created_at: '2026-04-09T12:00:00+02:00',
  updated_at: '2026-04-09T10:00:01Z',
  pull_request: null,
  repository: { id: 3, full_name: 'acme/app' },
};

test('a row becomes an issue: short names, assignees once and in order, times in UTC', () => {
  expect(parseListed(WHOLE, null)).toEqual({
    kind: 'issue',
    repositoryId: 3,
    issue: {
      id: 7,
      repository: 'acme/app',
      number: 5,
      title: 'A title',
      labels: ['bug', 'x'.repeat(1000)],
      author: 'greta',
      assignees: ['Hans', 'zoe'],
      createdAt: Date.UTC(2026, 3, 9, 10),
      updatedAt: Date.UTC(2026, 3, 9, 10, 0, 1),
    },
  });
});

test.for([
  { what: 'no repository', row: { ...WHOLE, repository: null }, kind: 'issue', name: 'labs/one' },
  { what: 'no lists and no author', row: { ...WHOLE, labels: null, assignees: undefined, user: null }, kind: 'issue' },
  { what: 'a pull request', row: { ...WHOLE, pull_request: { merged: false } }, kind: 'pull' },
  { what: 'a closed one', row: { ...WHOLE, state: 'closed' }, kind: 'closed' },
])('$what is read as $kind', ({ row, kind, name = 'acme/app' }) => {
  const read = parseListed(row, 'labs/one');
  expect(read.kind).toBe(kind);
  if (read.kind === 'issue') expect(read.issue.repository).toBe(name);
});

// What Gitea promises, in another language: zod's.
const login = z.object({ login: z.string().min(1).max(255) });
const instant = z.string().refine((text) => !Number.isNaN(Date.parse(text)));
const Promised = z.object({
  id: z.int().positive(),
  number: z.int().positive(),
  title: z.string(),
  state: z.enum(['open', 'closed']),
  labels: z.array(z.object({ name: z.string() })).nullish(),
  assignees: z.array(login).nullish(),
  user: login.nullish(),
  created_at: instant,
  updated_at: instant,
  pull_request: z.unknown(),
  repository: z.object({ id: z.int().nullish(), full_name: z.string().regex(FULL_NAME) }).nullish(),
});

test('whatever is wrong in a row, it is told as the schema tells it; and its id is known where it is open', () => {
  const odd = fc.oneof(
    fc.constantFrom(undefined, null, 0, -1, 1.5, 2 ** 53, Number.NaN, true, '', 'open', 'closed', 'no date', '../x'),
    fc.constantFrom([], {}, [null], [{}], [{ name: 1 }], [{ login: '' }], { login: 'x'.repeat(256) }, { login: 5 }),
    fc.constantFrom({ full_name: 'a/..' }, { id: 1.5, full_name: 'a/b' }, { id: null, full_name: 'a/b' }),
    fc.jsonValue(),
  );
  const row = fc
    .record(Object.fromEntries(Object.keys(WHOLE).map((key) => [key, odd])), { requiredKeys: [] })
    .chain((changes) => fc.subarray(Object.keys(changes), { maxLength: 2 }).map((keys) => pick(changes, keys)))
    .map((changes) => ({ ...WHOLE, ...changes }));
  let bad = 0;
  fc.assert(
    fc.property(fc.oneof({ weight: 9, arbitrary: row }, { weight: 1, arbitrary: odd }), (raw) => {
      const read = parseListed(raw, 'acme/app');
      expect(read.kind === 'bad').toBe(!Promised.safeParse(raw).success);
      if (read.kind !== 'bad') return;
      bad += 1;
      const { data } = z
        .object({ id: z.int().positive(), state: z.literal('open'), pull_request: z.null().optional() })
        .safeParse(raw);
      expect(read.id).toBe(data?.id ?? null);
    }),
    { numRuns: 2000 },
  );
  expect(bad).toBeGreaterThan(100);
});

function pick(from: Readonly<Record<string, unknown>>, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(keys.map((key) => [key, from[key]]));
}
