import { describe, expect, onTestFinished, test } from 'vitest';
import { FAULTS, type FakeGitea, type FakeGiteaOptions, startFakeGitea } from './gitea/server.ts';

// The fake is only worth what it shares with the real server: each sentence here was read in Gitea's source, and those
// about listing, single issues, comments, dependencies, 307, 400, 401, 403 and 404 were compared with a Forgejo 1.20.

async function gitea(options?: FakeGiteaOptions): Promise<FakeGitea> {
  const server = await startFakeGitea(options);
  onTestFinished(async () => server.close());
  return server;
}
const get = async (server: FakeGitea, path: string, token = server.token): Promise<Response> =>
  fetch(`${server.url}/api/v1${path}`, {
    redirect: 'manual',
    headers: token ? { authorization: `Bearer ${token}` } : {},
  });
const bodyOf = async (response: Response) => JSON.parse(await response.text());
const json = async (server: FakeGitea, path: string) => bodyOf(await get(server, path));
const LIST = '/repos/acme/app/issues';

describe('a listing', () => {
  test('is newest first, clamped to the configured page size, with the total and without a Link', async () => {
    const server = await gitea({ maxResponseItems: 7 });
    for (let index = 0; index < 20; index += 1)
      server.addIssue({ repository: 'acme/app', createdAt: new Date(index * 1000) });
    const response = await get(server, `${LIST}?limit=50&page=3`);
    expect(response.headers.get('x-total-count')).toBe('20');
    expect(response.headers.get('link')).toBeNull();
    expect((await bodyOf(response)).map((issue: { number: number }) => issue.number)).toEqual([6, 5, 4, 3, 2, 1]);
    expect(await json(server, `${LIST}?page=4&limit=50`)).toEqual([]);
  });

  test('has 30 a page by default under a repository, and 20 in a search', async () => {
    const server = await gitea();
    for (let index = 0; index < 40; index += 1) server.addIssue({ repository: 'acme/app' });
    expect(await json(server, LIST)).toHaveLength(30);
    expect(await json(server, '/repos/issues/search?owner=acme')).toHaveLength(20);
  });

  test('holds pull requests unless issues are asked for, and null where nobody is assigned', async () => {
    const server = await gitea();
    server.addIssue({ repository: 'acme/app', pullRequest: true });
    server.addIssue({ repository: 'acme/app' });
    expect(await json(server, LIST)).toHaveLength(2);
    expect(await json(server, `${LIST}?type=issues`)).toMatchObject([
      { number: 2, assignees: null, assignee: null, pull_request: null },
    ]);
  });

  test('takes `since` inclusively, in whole seconds', async () => {
    const server = await gitea();
    server.addIssue({ repository: 'acme/app', createdAt: new Date('2026-04-09T12:00:00.900Z') });
    expect(await json(server, `${LIST}?since=2026-04-09T12:00:00Z`)).toHaveLength(1);
    expect(await json(server, `${LIST}?since=2026-04-09T12:00:01Z`)).toHaveLength(0);
  });

  test('loses a row to the next page when one is closed in between', async () => {
    const server = await gitea({ maxResponseItems: 2 });
    for (let index = 0; index < 4; index += 1)
      server.addIssue({ repository: 'acme/app', createdAt: new Date(index * 1000) });
    expect(await json(server, `${LIST}?page=1`)).toMatchObject([{ number: 4 }, { number: 3 }]);
    server.editIssue('acme/app#4', { state: 'closed' });
    expect(await json(server, `${LIST}?page=2`)).toMatchObject([{ number: 1 }]);
  });
});

describe('updated_at', () => {
  const THEN = new Date('2026-01-01T00:00:00Z');
  test.for<{ change: string; moves: boolean; apply: (server: FakeGitea) => void }>([
    {
      change: 'a new comment',
      moves: true,
      apply: (server) => server.addComment('acme/app#1', { author: 'bob', body: 'x' }),
    },
    { change: 'an edited title', moves: true, apply: (server) => server.editIssue('acme/app#1', { title: 'x' }) },
    { change: 'an edited comment', moves: false, apply: (server) => server.editComment('acme/app#1', 0, 'x') },
    { change: 'a renamed label', moves: false, apply: (server) => server.renameLabel('bug', 'Bug') },
    {
      change: 'a renamed repository',
      moves: false,
      apply: (server) => server.renameRepository('acme/app', 'acme/new'),
    },
  ])('$change moves it: $moves', async ({ moves, apply }) => {
    const server = await gitea();
    server.addIssue({
      repository: 'acme/app',
      createdAt: THEN,
      labels: ['bug'],
      comments: [{ author: 'bob', body: 'y' }],
    });
    apply(server);
    const [issue] = await json(server, '/repos/issues/search?owner=acme');
    expect(issue?.['updated_at'] === '2026-01-01T00:00:00Z').toBe(!moves);
  });
});

describe('what is not there', () => {
  test.for([
    { what: 'an issue', path: `${LIST}/9`, status: 404, type: 'application/json' },
    { what: 'a repository', path: '/repos/acme/none/issues', status: 404, type: 'application/json' },
    { what: 'a path', path: '/nothing', status: 404, type: 'text/plain' },
    { what: 'an owner in a search', path: '/repos/issues/search?owner=nobody', status: 400, type: 'application/json' },
    { what: 'the issue of comments', path: `${LIST}/9/comments`, status: 500, type: 'application/json' },
  ])('$what: $status, $type', async ({ path, status, type }) => {
    const server = await gitea();
    server.addIssue({ repository: 'acme/app' });
    const response = await get(server, path);
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toContain(type);
  });

  test('a deleted issue leaves no trace, and a tracker that is switched off answers like a missing repository', async () => {
    const server = await gitea();
    server.addRepository('acme/off', { hasIssues: false });
    const { ref } = server.addIssue({ repository: 'acme/app' });
    server.deleteIssue(ref);
    expect((await get(server, `${LIST}/1`)).status).toBe(404);
    expect((await get(server, '/repos/acme/off/issues')).status).toBe(404);
  });

  test('an empty timeline and empty reactions are null', async () => {
    const server = await gitea();
    server.addIssue({ repository: 'acme/app' });
    expect(await json(server, `${LIST}/1/timeline`)).toBeNull();
    expect(await json(server, `${LIST}/1/reactions`)).toBeNull();
  });

  test('a blocker that may not be read is HIDDEN, with number 0 and no repository', async () => {
    const server = await gitea();
    server.addIssue({ repository: 'acme/app', dependsOn: ['secret/x#1'] });
    expect(await json(server, `${LIST}/1/dependencies`)).toMatchObject([
      { title: 'HIDDEN', number: 0, repository: null },
    ]);
  });

  test('a server that is being installed answers 404 with a page, an overloaded one 503 with a page', async () => {
    const server = await gitea();
    const release = server.intercept(/./u, FAULTS.installing);
    expect((await get(server, '/version')).headers.get('refresh')).toBe('1; url=/');
    release();
    server.intercept(/./u, FAULTS.overloaded, 1);
    expect((await get(server, '/version')).headers.get('content-type')).toBe('text/html');
    expect((await get(server, '/version')).status).toBe(200);
  });
});

describe('a pull request', () => {
  const SHA = '5e777a43a19d6562895954b5304979ebec1cbded';
  const PULLS = '/repos/acme/app/pulls';
  const withPull = async (options: FakeGiteaOptions = {}): Promise<FakeGitea> => {
    const server = await gitea({ scopes: ['read:issue', 'read:repository'], ...options });
    server.addIssue({ repository: 'acme/app', pullRequest: true, head: SHA, createdAt: new Date(0) });
    return server;
  };

  test('says its branches, its last commit, and false where nobody could merge it yet', async () => {
    const server = await withPull();
    const shown = { number: 1, base: { ref: 'main' }, head: { sha: SHA }, mergeable: true, draft: false };
    expect(await json(server, `${PULLS}/1`)).toMatchObject(shown);
    // Its number is not the one of its issue.
    expect((await json(server, `${PULLS}/1`)).id).not.toBe((await json(server, `${LIST}/1`)).id);
    server.setMergeable('acme/app#1', false);
    expect(await json(server, `${PULLS}/1`)).toMatchObject({ mergeable: false, draft: false });
    server.setMergeable('acme/app#1', true);
    server.editIssue('acme/app#1', { draft: true, head: '' });
    expect(await json(server, `${PULLS}/1`)).toMatchObject({ mergeable: false, draft: true, head: { sha: '' } });
  });

  test('has reviews, the oldest first and clamped; one that is being written is counted and not shown', async () => {
    const server = await withPull({ maxResponseItems: 3 });
    const ids = ['COMMENT', 'PENDING', 'REQUEST_REVIEW', 'APPROVED'].map((state) =>
      server.addReview('acme/app#1', { author: 'bob', state, body: state }),
    );
    const response = await get(server, `${PULLS}/1/reviews?limit=50`);
    expect(response.headers.get('x-total-count')).toBe('4');
    const reviews = await bodyOf(response);
    expect(reviews).toMatchObject([{ state: 'COMMENT' }, { state: 'REQUEST_REVIEW', user: null }]);
    expect(await json(server, `${PULLS}/1/reviews?limit=50&page=2`)).toMatchObject([{ state: 'APPROVED' }]);
    expect((await get(server, `${PULLS}/1/reviews/${ids[1]}/comments`)).status).toBe(404);
    expect((await get(server, `${PULLS}/9/reviews`)).status).toBe(404);
  });

  test('a review that is submitted keeps the time at which it was begun, and the number', async () => {
    const server = await withPull();
    const at = new Date('2026-01-01T00:00:00Z');
    const id = server.addReview('acme/app#1', { author: 'bob', state: 'PENDING', body: 'x', at });
    expect((await json(server, `${LIST}/1`)).updated_at).toBe('1970-01-01T00:00:00Z');
    server.submitReview('acme/app#1', id, 'APPROVED');
    const [review] = await json(server, `${PULLS}/1/reviews`);
    expect(review).toMatchObject({ id, state: 'APPROVED', submitted_at: '2026-01-01T00:00:00Z' });
    expect(review.updated_at > review.submitted_at).toBe(true);
    expect((await json(server, `${LIST}/1`)).updated_at > '2026').toBe(true);
  });

  test('has comments on lines under their review, answers too; `position` is a line', async () => {
    const server = await withPull();
    const comments = [{ author: 'bob', body: 'x', path: 'a.ts', line: 0, oldLine: 7 }];
    const id = server.addReview('acme/app#1', { author: 'bob', state: 'COMMENT', body: '', comments });
    server.answerReview('acme/app#1', id, { author: 'eve', body: 'y', path: 'a.ts', line: 3 });
    expect(await json(server, `${PULLS}/1/reviews`)).toMatchObject([{ id, comments_count: 2 }]);
    expect(await json(server, `${PULLS}/1/reviews/${id}/comments`)).toMatchObject([
      { body: 'x', path: 'a.ts', position: 0, original_position: 7, pull_request_review_id: id },
      { body: 'y', position: 3, original_position: 0, user: { login: 'eve' } },
    ]);
    expect(await json(server, `${LIST}/1/comments`)).toEqual([]);
  });

  test('the checks of a commit: nothing in an object when there are none; each has a `status`, and moves nothing', async () => {
    const server = await withPull();
    const path = `/repos/acme/app/commits/${SHA}/status`;
    expect(await json(server, path)).toMatchObject({ state: '', total_count: 0, statuses: null });
    for (const state of ['pending', 'error'] as const)
      server.setStatus({ repository: 'acme/app', sha: SHA, context: 'ci', state, description: 'd' });
    server.setStatus({ repository: 'acme/app', sha: SHA, context: 'lint', state: 'success', description: '' });
    expect(await json(server, path)).toMatchObject({
      state: 'failure',
      statuses: [
        { context: 'ci', status: 'error', description: 'd' },
        { context: 'lint', status: 'success' },
      ],
    });
    expect((await json(server, `${LIST}/1`)).updated_at).toBe('1970-01-01T00:00:00Z');
  });

  test('needs read:repository; what the tracker shows of it does not', async () => {
    const server = await withPull({ scopes: ['read:issue'] });
    server.addReview('acme/app#1', { author: 'bob', state: 'APPROVED', body: 'fine' });
    for (const path of ['', '/reviews']) expect((await get(server, `${PULLS}/1${path}`)).status).toBe(403);
    expect((await get(server, `/repos/acme/app/commits/${SHA}/status`)).status).toBe(403);
    expect(await json(server, `${LIST}/1`)).toMatchObject({ pull_request: { merged: false } });
    expect(await json(server, `${LIST}/1/timeline`)).toMatchObject([{ type: 'review', body: 'fine' }]);
  });
});

describe('who asks', () => {
  test('with a wrong token, or none, is refused with 401; without the scope with 403 and its name', async () => {
    const server = await gitea({ scopes: ['read:user'] });
    expect((await get(server, LIST, 'f'.repeat(40))).status).toBe(401);
    expect((await get(server, LIST, '')).status).toBe(401);
    const response = await get(server, '/repos/issues/search');
    expect(response.status).toBe(403);
    expect((await bodyOf(response)).message).toBe(
      'token does not have at least one of required scope(s): [read:issue]',
    );
  });

  test('for a renamed repository is sent on by 307 with a page, the query kept, to a path of the same server', async () => {
    const server = await gitea({ rootUrl: 'http://wrong.example:3000' });
    server.addIssue({ repository: 'acme/app' });
    server.renameRepository('acme/app', 'acme/new');
    const response = await get(server, `${LIST}?page=1`);
    expect(response.status).toBe(307);
    expect(response.headers.get('location')).toBe('/api/v1/repos/acme/new/issues?page=1');
    expect(response.headers.get('content-type')).toContain('text/html');
    expect(await json(server, '/repos/acme/new/issues')).toMatchObject([
      { html_url: 'http://wrong.example:3000/acme/new/issues/1' },
    ]);
  });
});
