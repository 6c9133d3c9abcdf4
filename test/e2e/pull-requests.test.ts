// What is said of the pull request of a dispatched issue: reviews, comments on lines, failed checks, conflicts.

import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type Workspace, workspace } from '../support/command.ts';
import type { FakeGiteaOptions } from '../support/gitea/server.ts';

const TASK = '.agent-tasks/hans/issue-1.md';
const update = (number = 1): string => `.agent-tasks/hans/issue-1.update-${number}.md`;
const HEAD = '5e777a43a19d6562895954b5304979ebec1cbded';
const DAY = 86_400_000;

interface Pull {
  readonly repository: string;
  updatedAt: string | null;
  lookAt: string | null;
  looks: number;
  isOpen: boolean;
}

interface Office extends Workspace {
  readonly pass: () => Promise<string>;
  /** The paths that a pass asked for. */
  readonly asked: () => Promise<readonly string[]>;
  readonly pull: (change?: (pull: Pull) => void) => Pull | undefined;
}

/** An office whose hans has issue 1 and has made pull request 2 for it. */
async function office({ more = '', ...options }: FakeGiteaOptions & { readonly more?: string } = {}): Promise<Office> {
  const at = await workspace({
    scopes: ['read:issue', 'read:repository'],
    ...options,
    yaml: `gitea: { url: URL, repositories: [acme/app] }\nrateLimit: 1s\n${more}`,
  });
  const createdAt = new Date(Date.now() - DAY);
  at.gitea.addIssue({ repository: 'acme/app', title: 'Silent errors', assignees: ['hans'], createdAt });
  let last = 0;
  const pass = async (): Promise<string> => {
    await pause(Math.max(0, last + 1050 - Date.now()));
    const { code, stdout, stderr } = await at.run([]);
    last = Date.now();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout;
  };
  await pass();
  at.gitea.addIssue({
    repository: 'acme/app',
    title: 'Fix silent errors',
    pullRequest: true,
    author: 'hans',
    head: HEAD,
    createdAt,
  });
  at.gitea.setStatus({ repository: 'acme/app', sha: HEAD, context: 'lint', state: 'success', description: '' });
  at.gitea.editIssue('acme/app#1', { mentionedBy: [{ ref: 'acme/app#2', closes: true }] });
  await pass();
  // What was read within the second in which it moved is read once more.
  await pause(2050);
  await pass();
  const pull = (change?: (pull: Pull) => void): Pull | undefined => {
    const state = JSON.parse(at.read('.agent-dispatcher/state.json'));
    const [found] = Object.values<{ pulls: Pull[] }>(state.tasks).flatMap(({ pulls }) => pulls);
    if (found) change?.(found);
    at.write('.agent-dispatcher/state.json', JSON.stringify(state));
    return found;
  };
  const asked = async (): Promise<readonly string[]> => {
    const before = at.gitea.requests.length;
    await pass();
    return at.gitea.requests.slice(before).map((request) => request.replace('GET /api/v1/repos/', ''));
  };
  return { ...at, pass, asked, pull };
}

/** As if a look that waits for its time were due. */
const due = (at: Office): Pull | undefined => at.pull((pull) => (pull.lookAt &&= new Date(0).toISOString()));
/** Passes until one has news: a listing of one page takes turns with what changed. */
async function news(at: Office): Promise<string> {
  const stdout = await at.pass();
  return stdout === '' ? at.pass() : stdout;
}

describe('what is said of a pull request', () => {
  test('a review with its comments on lines is news, by file and line', async () => {
    const at = await office();
    expect(at.pull()).toMatchObject({ number: 2, isOurs: true, lookAt: null });
    at.gitea.addReview('acme/app#2', {
      author: 'carol',
      state: 'REQUEST_CHANGES',
      body: 'Close, but <!-- hidden --> the retry hides it.',
      comments: [
        { author: 'carol', body: 'This swallows the error.', path: 'src/db.ts', line: 41 },
        { author: 'carol', body: 'Why was this dropped?', path: 'src/`old`.ts', line: 0, oldLine: 7 },
      ],
    });
    expect(await news(at)).toMatch(/NEWS: hans: acme\/app#1 has news \(review\)/u);
    const text = at.read(update());
    expect(text).toContain('changed: ["review"]');
    expect(text).toContain('## Pull request acme/app#2 by hans\n');
    expect(text).toMatch(/^### Review by carol, \S+: request changes$/mu);
    expect(text).toMatch(/> Close, but {1,2}the retry hides it\./u);
    expect(text).toMatch(/> src\/db\.ts, line 41\n<!-- END[^]*> This swallows the error\./u);
    expect(text).toMatch(/> src\/`old`\.ts, line 7 as it was before\n<!-- END[^]*> Why was this dropped\?/u);
    expect(text).not.toContain('hidden -->');
    // Told once.
    at.gitea.addComment('acme/app#2', { author: 'hans', body: 'On it.' });
    await at.pass();
    await at.pass();
    expect(at.tasks()).toEqual([TASK, update()]);
  });

  test('an answer on a line of a review that was told, and a comment below it, are news without the rest', async () => {
    const at = await office();
    const id = at.gitea.addReview('acme/app#2', {
      author: 'carol',
      state: 'COMMENT',
      body: 'First look.',
      comments: [{ author: 'carol', body: 'Rename this.', path: 'a.ts', line: 1 }],
    });
    await news(at);
    at.gitea.answerReview('acme/app#2', id, { author: 'dora', body: 'To retries, say.', path: 'a.ts', line: 1 });
    at.gitea.answerReview('acme/app#2', id, { author: 'hans', body: 'Done.', path: 'a.ts', line: 1 });
    at.gitea.addComment('acme/app#2', { author: 'dora', body: 'And a test, please.' });
    expect(await news(at)).toContain('(review, pull request comments)');
    const text = at.read(update(2));
    expect(text).toContain('> To retries, say.');
    expect(text).toContain('> And a test, please.');
    for (const known of ['Rename this.', 'First look.', 'Done.']) expect(text).not.toContain(known);
  });

  test('one that was being written when another one was told is news once it is submitted', async () => {
    const at = await office();
    const draft = at.gitea.addReview('acme/app#2', {
      author: 'carol',
      state: 'PENDING',
      body: 'Begun long ago.',
      at: new Date(Date.now() - DAY),
      comments: [{ author: 'carol', body: 'Off by one.', path: 'a.ts', line: 3 }],
    });
    at.gitea.addReview('acme/app#2', { author: 'dora', state: 'APPROVED', body: '' });
    await news(at);
    expect(at.read(update())).toMatch(/^### Review by dora, \S+: approved$/mu);
    expect(at.read(update())).not.toContain('carol');
    at.gitea.submitReview('acme/app#2', draft, 'REQUEST_CHANGES');
    await news(at);
    expect(at.read(update(2))).toContain('> Begun long ago.');
    expect(at.read(update(2))).toContain('> Off by one.');
  });

  test.for([
    { what: 'the agent itself', author: 'Hans' },
    { what: 'a bot', author: 'gitea-actions' },
    { what: 'somebody who is not trusted', author: 'mallory' },
  ])('what $what says is no news', async ({ author }) => {
    const at = await office({ more: 'trust: { commenters: [alice] }\n' });
    at.gitea.addReview('acme/app#2', {
      author,
      state: 'REQUEST_CHANGES',
      body: 'noise',
      comments: [{ author, body: 'noise', path: 'a.ts', line: 1 }],
    });
    at.gitea.addComment('acme/app#2', { author, body: 'noise' });
    await at.pass();
    await at.pass();
    expect(at.tasks()).toEqual([TASK]);
  });

  test('a failed check is news once for each commit; while checks run it is looked again', async () => {
    const at = await office();
    const status = (state: 'pending' | 'failure' | 'success', description = ''): void =>
      at.gitea.setStatus({ repository: 'acme/app', sha: HEAD, context: 'ci/test', state, description });
    status('pending');
    at.gitea.editIssue('acme/app#2', { title: 'Fix silent errors for good' });
    await at.pass();
    await at.pass();
    expect(at.tasks()).toEqual([TASK]);
    const looking = due(at);
    expect(looking?.lookAt).not.toBeNull();
    status('failure', '3 of 120 failed\u202E <b>x</b>');
    // It moved nothing: the look that was due tells.
    expect(await at.pass()).toContain('(failed checks)');
    const text = at.read(update());
    expect(text).toContain(`### Failed checks of commit ${HEAD.slice(0, 12)}`);
    expect(text).toMatch(/> - ci\/test: 3 of 120 failed [^\n]*x[^\n]* \(http:\S+\/ci\/2\)/u);
    expect(text).not.toMatch(/[\u202E]|(?<!\\)<b>/u);
    expect(at.pull()?.lookAt).toBeNull();
    at.gitea.editIssue('acme/app#2', { title: 'Fix' });
    await at.pass();
    await at.pass();
    expect(at.tasks()).toEqual([TASK, update()]);
  });

  test('a conflict is news once it is certain, and again when it comes back', async () => {
    const at = await office();
    at.gitea.setMergeable('acme/app#2', false);
    // Another pull request went into the same branch: the listing shows that.
    at.gitea.addIssue({ repository: 'acme/app', pullRequest: true, state: 'closed', merged: true });
    await at.pass();
    await at.pass();
    expect(due(at)?.lookAt).not.toBeNull();
    // The server may not have tried yet.
    await at.pass();
    expect(at.tasks()).toEqual([TASK]);
    due(at);
    expect(await at.pass()).toContain('(merge conflict)');
    expect(at.read(update())).toContain('**It cannot be merged into main**');
    expect(at.pull()?.lookAt).toBeNull();
    at.gitea.setMergeable('acme/app#2', true);
    at.gitea.editIssue('acme/app#2', { title: 'Rebased' });
    await at.pass();
    await at.pass();
    at.gitea.setMergeable('acme/app#2', false);
    at.gitea.editIssue('acme/app#2', { title: 'Rebased again' });
    await at.pass();
    await at.pass();
    due(at);
    expect(await at.pass()).toContain('(merge conflict)');
    expect(at.tasks()).toEqual([TASK, update(), update(2)]);
  });

  test('a draft, and what nobody could merge yet, is no conflict', async () => {
    const at = await office();
    at.gitea.editIssue('acme/app#2', { draft: true });
    for (let time = 0; time < 3; time += 1) {
      await at.pass();
      due(at);
    }
    expect(at.tasks()).toEqual([TASK]);
  });
});

describe('what it costs', () => {
  test('a pass in which nothing moves asks as much as without a pull request', async () => {
    const at = await office();
    for (let time = 0; time < 4; time += 1) expect(await at.asked()).toHaveLength(1);
    // A change of the issue itself is seen in either turn.
    at.gitea.addComment('acme/app#1', { author: 'alice', body: 'One more thing.' });
    expect(await at.pass()).toContain('(comments)');
  });

  test('a look asks for the pull request, its reviews, comments and checks, and once for the lines of a new review', async () => {
    const at = await office();
    at.gitea.addReview('acme/app#2', {
      author: 'carol',
      state: 'COMMENT',
      body: '',
      comments: [{ author: 'carol', body: 'x', path: 'a', line: 1 }],
    });
    const asked = [...(await at.asked()), ...(await at.asked())].filter((path) => !/issues\?/u.test(path));
    expect(asked.map((path) => path.replace(/\?.*$/u, '').replace(/reviews\/\d+/u, 'reviews/N')).toSorted()).toEqual([
      `acme/app/commits/${HEAD}/status`,
      'acme/app/issues/2/comments',
      'acme/app/pulls/2',
      'acme/app/pulls/2/reviews',
      'acme/app/pulls/2/reviews/N/comments',
    ]);
  });

  test('nothing where it is switched off', async () => {
    const at = await office({ more: 'updates: { pullRequests: false }\n' });
    at.gitea.addReview('acme/app#2', { author: 'carol', state: 'REQUEST_CHANGES', body: 'No.' });
    await at.pass();
    await at.pass();
    expect(at.tasks()).toEqual([TASK]);
    expect(at.gitea.requests.join('\n')).not.toContain('/pulls/');
  });

  test('a closed one is watched no more; neither is one of a repository that is not configured', async () => {
    const at = await office();
    at.gitea.addIssue({ repository: 'labs/tool', pullRequest: true, number: 1 });
    at.gitea.editIssue('acme/app#1', {
      mentionedBy: [
        { ref: 'acme/app#2', closes: true },
        { ref: 'labs/tool#1', closes: false },
      ],
    });
    await at.pass();
    at.gitea.editIssue('acme/app#2', { state: 'closed' });
    await at.pass();
    await at.pass();
    expect(at.pull()?.isOpen).toBe(false);
    at.gitea.addComment('acme/app#2', { author: 'dora', body: 'Too late.' });
    const asked = [...(await at.asked()), ...(await at.asked())].filter((path) => path.includes('/pulls/'));
    expect(asked).toEqual([]);
    expect(at.gitea.requests.join('\n')).not.toContain('labs/tool');
  });

  test('one that is opened again is watched again, and only what was said since is news', async () => {
    const at = await office();
    at.gitea.addReview('acme/app#2', { author: 'carol', state: 'REQUEST_CHANGES', body: 'The first thing.' });
    expect(await news(at)).toContain('(review)');
    at.gitea.editIssue('acme/app#2', { state: 'closed' });
    await at.pass();
    await at.pass();
    await pause(1050); // `updated_at` has seconds
    at.gitea.editIssue('acme/app#2', { state: 'open' });
    at.gitea.addReview('acme/app#2', { author: 'carol', state: 'REQUEST_CHANGES', body: 'The second thing.' });
    expect(await news(at)).toContain('(review)');
    expect(at.read(update(2))).toContain('> The second thing.');
    expect(at.read(update(2))).not.toContain('> The first thing.');
    // Whatever moves its issue.
    at.gitea.addComment('acme/app#1', { author: 'alice', body: 'Well?' });
    await news(at);
    await at.pass();
    expect(at.read(update(3))).not.toContain('thing.');
  });
});

describe('what goes wrong', () => {
  test('a token without read:repository tells what a page of the tracker shows, with one note', async () => {
    const at = await office({ scopes: ['read:issue'] });
    at.gitea.addReview('acme/app#2', { author: 'carol', state: 'REQUEST_CHANGES', body: 'Not like this.' });
    at.gitea.addComment('acme/app#2', { author: 'dora', body: 'See the log.' });
    expect(await news(at)).toContain('(review, pull request comments)');
    const text = at.read(update());
    expect(text).toContain('> Not like this.');
    expect(text).toContain('> See the log.');
    expect(text.match(/^\(Not read: .*read:repository\)\)$/gmu)).toHaveLength(1);
  });

  test('one that cannot be read is said and waits; the news of its issue is told', async () => {
    const at = await office();
    at.gitea.intercept(/pulls\/2/u, { status: 500, body: '{}' });
    at.gitea.addComment('acme/app#2', { author: 'dora', body: 'See the log.' });
    at.gitea.addComment('acme/app#1', { author: 'alice', body: 'Tell us.' });
    const said = (await at.pass()) + (await at.pass());
    expect(said).toContain('WARNING: what is said of acme/app#2 could not be read: ');
    expect(said).toContain('(comments)');
    expect(await at.asked()).toHaveLength(1);
  });

  test('a task that is done is offered again for its own pull request, and not for one that only names the issue', async () => {
    const at = await office();
    await at.run(['done', '1', '--agent', 'hans']);
    at.gitea.addIssue({ repository: 'acme/app', title: 'Unrelated', pullRequest: true, author: 'bob', number: 9 });
    at.gitea.editIssue('acme/app#1', {
      mentionedBy: [
        { ref: 'acme/app#2', closes: true },
        { ref: 'acme/app#9', closes: false },
      ],
    });
    await at.pass();
    at.gitea.addComment('acme/app#9', { author: 'carol', body: 'Nice.' });
    expect(await news(at)).toMatch(/has news \(pull request comments\): /u);
    at.gitea.addReview('acme/app#2', { author: 'carol', state: 'REQUEST_CHANGES', body: 'No.' });
    expect(await news(at)).toContain('; it was done, and is new again: ');
  });
});
