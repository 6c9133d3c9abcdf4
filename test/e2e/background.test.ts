// What a good colleague would look up before starting, found in the task file. Ten issues, twelve facts in each.

import { expect, test } from 'vitest';
import { workspace } from '../support/command.ts';

const YAML = `gitea: { url: URL, repositories: [acme/app] }
rateLimit: 1s
attachments: { save: true }
`;
const DAY = 86_400_000;

interface Story {
  readonly title: string;
  readonly decision: string;
  readonly constraint: string;
  readonly branch: string;
  readonly command: string;
  readonly assigner: string;
  readonly review: string;
  readonly due: string;
  readonly blocker: string;
  readonly criterion: string;
}

const story = (...parts: readonly string[]): Story => {
  const [title = '', decision = '', constraint = '', branch = '', command = ''] = parts;
  const [assigner = '', review = '', due = '', blocker = '', criterion = ''] = parts.slice(5);
  return { title, decision, constraint, branch, command, assigner, review, due, blocker, criterion };
};

const STORIES: readonly Story[] = [
  story(
    'Login fails behind a proxy',
    'We keep the old header for a year',
    'No new cookie may be set',
    'release/1.4',
    'npm run test:login',
    'carol',
    'The header is read twice',
    '2026-12-01',
    'Upgrade the proxy',
    'A login through two proxies works',
  ),
  story(
    'Export is empty on Sundays',
    'Weeks begin on Monday everywhere',
    'The file format is frozen',
    'export-v2',
    'make check-export',
    'dan',
    'Time zones are not looked at',
    '2026-12-02',
    'Agree on the week',
    'An export of a Sunday has rows',
  ),
  story(
    'Silent database errors',
    'Errors go to the log and to the page',
    'Never show a query to users',
    'main-db',
    'pytest tests/db',
    'erin',
    'The retry hides the error',
    '2026-12-03',
    'Choose a log format',
    'Each error has a number',
  ),
  story(
    'Slow search for long names',
    'The index is rebuilt at night',
    'At most 200 MB of memory',
    'search-index',
    'cargo bench search',
    'frank',
    'The bench does not run in CI',
    '2026-12-04',
    'Buy a second disk',
    'A search takes 50 ms',
  ),
  story(
    'Umlauts in file names',
    'Names are stored in NFC',
    'Old names must still open',
    'unicode',
    'go test ./names',
    'gina',
    'The rename is not atomic',
    '2026-12-05',
    'Back up the store',
    'A file named in NFD opens',
  ),
  story(
    'Webhooks are sent twice',
    'The receiver is told an id',
    'Never more than five tries',
    'hooks',
    'npm run test:hooks',
    'hugo',
    'The id changes between tries',
    '2026-12-06',
    'Tell the partners',
    'One event is one delivery',
  ),
  story(
    'Dark mode flickers',
    'The class is set before paint',
    'No script without nonce',
    'ui/dark',
    'npx playwright test dark',
    'ines',
    'Safari still flickers',
    '2026-12-07',
    'New tokens for colours',
    'No flash at reload',
  ),
  story(
    'Backups are not encrypted',
    'age is used, and not gpg',
    'Keys never leave the host',
    'backup-age',
    'bats backup.bats',
    'jan',
    'The key is in the log',
    '2026-12-08',
    'Get the keys signed',
    'A backup cannot be read without the key',
  ),
  story(
    'Import stops at 10,000 rows',
    'Rows are read as a stream',
    'One transaction for all rows',
    'import',
    'mvn -q verify -Pimport',
    'kim',
    'The stream is not closed',
    '2026-12-09',
    'Raise the limit of the proxy',
    'A million rows are imported',
  ),
  story(
    'Wrong price after a refund',
    'Rounding is done once, at the end',
    'Cents are integers',
    'billing-fix',
    'php artisan test --group=refund',
    'lea',
    'A test for zero is missing',
    '2026-12-10',
    'Freeze the price list',
    'Refund and price add up to zero',
  ),
];

test.for(STORIES)('$title: all twelve facts are in the task, and a commit', async (about) => {
  const at = await workspace({ yaml: YAML, scopes: ['read:issue', 'read:repository'] });
  const opened = new Date(Date.now() - 9 * DAY);
  const day = (count: number): Date => new Date(opened.getTime() + count * DAY);
  const add = (seed: object) => at.gitea.addIssue({ repository: 'acme/app', createdAt: opened, ...seed });
  const earlier = add({
    title: 'An earlier decision',
    state: 'closed',
    body: `${about.constraint}, whatever happens.`,
  });
  const blocker = add({ title: about.blocker });
  const chatter = Array.from({ length: 130 }, (_, index) => ({
    author: 'bob',
    body: `Thought number ${index}.`,
    createdAt: new Date(day(1).getTime() + index * 60_000),
  }));
  const pull = add({
    title: `Fix: ${about.title}`,
    pullRequest: true,
    author: 'hans',
    createdAt: day(5),
    reviews: [{ author: about.assigner, state: 'REQUEST_CHANGES', body: about.review, at: day(6) }],
  });
  const issue = add({
    title: about.title,
    body: `It happens often, see #${earlier.number}.\n\n### ACCEPTANCE CRITERIA\n\n- [ ] ${about.criterion}\n\nTest plan\n---------\n\nRun \`${about.command}\`.\n`,
    assignees: ['hans'],
    assignedBy: { hans: about.assigner },
    assignedAt: day(4),
    ref: `refs/heads/${about.branch}`,
    due: about.due,
    dependsOn: [blocker.ref],
    mentionedBy: [{ ref: pull.ref, closes: true }],
    commits: ['0123456789abcdef0123456789abcdef01234567'],
    comments: [
      ...chatter,
      {
        author: 'carol',
        body: 'Here: ![](/attachments/shot)',
        createdAt: day(2),
        attachments: [{ name: 'shot.png', size: 9 }],
      },
      { author: 'bob', body: 'I said something else before.', createdAt: day(3), updatedAt: day(7) },
      { author: 'carol', body: `Decided: ${about.decision}.`, createdAt: day(8) },
    ],
  });
  const send = ['dispatch', '--issue', String(issue.number), '--force'];
  expect((await at.run(send)).code).toBe(0);
  const before = at.gitea.requests.length;
  expect((await at.run(send)).code).toBe(0);
  const asked = at.gitea.requests.slice(before).filter((request) => request.includes('/api/'));
  // The issue, its comments, its blockers: and at most eight more.
  expect(asked.length).toBeLessThanOrEqual(3 + 8);

  const file = at.read(`.agent-tasks/hans/issue-${issue.number}.md`);
  const facts = {
    'the newest decision': file.includes(about.decision),
    'a screenshot in a comment': /saved as issue-\d+\.attachments\/\w{8}-shot\.png/u.test(file),
    // A whole hash has the form of a token, and would be masked.
    'a commit that mentions it': file.includes('- commit 0123456789ab\n'),
    'an open pull request': file.includes(`${pull.ref} (open, closes this issue) by hans`),
    'a constraint in an issue it refers to': file.includes(about.constraint),
    'the branch to start from': file.includes(`to start from: ${about.branch}`),
    'the command to test with': file.includes(`> Run \`${about.command}\`.\n<!-- END`),
    'who assigned it': file.includes(`Assigned to hans by ${about.assigner}, `),
    'an edit after that': /edited \S+, after it was assigned/u.test(file),
    'how the last attempt ended':
      file.includes(`${about.assigner}, `) && file.includes(about.review) && file.includes('Attempt 1, the one before'),
    'the due date': file.includes(`Due: ${about.due}`),
    'a blocker': file.includes(about.blocker),
    'an acceptance criterion': file.includes(`acceptance criteria by alice`) && file.includes(about.criterion),
  };
  expect(Object.entries(facts).filter(([, isThere]) => !isThere)).toEqual([]);
});

test('300 comments, 40 attachments and 5 references are one pass, within the caps', async () => {
  const at = await workspace({ yaml: YAML });
  const createdAt = new Date(Date.now() - DAY);
  const others = Array.from({ length: 7 }, (_, index) =>
    at.gitea.addIssue({ repository: 'acme/app', title: `Other ${index}`, body: 'word '.repeat(2000), createdAt }),
  );
  at.gitea.addIssue({
    repository: 'acme/app',
    title: 'A long one',
    assignees: ['hans'],
    createdAt,
    body: `${others.map(({ number }) => `#${number}`).join(' ')}\n\n${'A line of text.\n'.repeat(10_000)}`,
    comments: Array.from({ length: 300 }, (_, index) => ({ author: 'bob', body: `${index} ${'x '.repeat(3000)}` })),
    attachments: Array.from({ length: 40 }, (_, index) => ({ name: `shot-${index}.png`, size: 20_000 })),
  });
  const started = performance.now();
  expect(await at.run([])).toMatchObject({ code: 0, stderr: '' });
  expect(performance.now() - started).toBeLessThan(10_000);
  const file = at.read('.agent-tasks/hans/issue-8.md');
  expect(file.length).toBeLessThan(350_000);
  expect(file.match(/which the text refers to$/gmu)).toHaveLength(5);
  expect(file).toMatch(/^\(\d+ comments left out here: /mu);
  expect(at.files().filter((name) => name.includes('.attachments/'))).toHaveLength(20);
});

test('what cannot be read is a line in the file, and the task goes', async () => {
  const at = await workspace({ yaml: YAML });
  at.gitea.addIssue({ repository: 'acme/app', title: 'Groundwork', body: 'secret' });
  at.gitea.addIssue({
    repository: 'acme/app',
    title: 'Next',
    assignees: ['hans'],
    body: 'after #1 and other/private#1',
  });
  at.gitea.intercept(/issues\/2\/timeline/u, { status: 500, body: '{}' });
  at.gitea.intercept(/issues\/2\/blocks/u, { body: '{"not": "a list"}' });
  at.gitea.intercept(/issues\/1$/u, { body: '<html>', headers: { 'content-type': 'text/html' } });
  expect(await at.run([])).toMatchObject({ code: 0, stderr: '' });
  const file = at.read('.agent-tasks/hans/issue-2.md');
  expect(file.match(/^\(Not read: .*$/gmu)).toEqual([
    expect.stringContaining('acme/app#1: Gitea at '),
    expect.stringContaining('the default branch: the token may not read it'),
    expect.stringContaining('what happened to the issue: Gitea at '),
    expect.stringContaining('what waits for the issue: Gitea sent something other than a list'),
  ]);
  // Nobody brings the text of a repository into a task that the configuration does not name.
  expect(at.gitea.requests.join('\n')).not.toContain('private');
});

test('each part is left out that is switched off, with its request', async () => {
  const off = 'context: { timeline: false, repository: false, references: 0, blocks: false, lastAttempt: false }\n';
  const at = await workspace({ yaml: YAML + off });
  at.gitea.addIssue({ repository: 'acme/app', title: 'Groundwork' });
  const createdAt = new Date(Date.now() - DAY);
  at.gitea.addIssue({ repository: 'acme/app', title: 'Next', assignees: ['hans'], body: 'after #1', createdAt });
  expect((await at.run([])).code).toBe(0);
  expect(at.gitea.requests.map((request) => request.replace(/\?.*$/u, ''))).toEqual([
    'GET /api/v1/repos/acme/app/issues',
    'GET /api/v1/repos/acme/app/issues/2',
    'GET /api/v1/repos/acme/app/issues/2/comments',
    'GET /api/v1/repos/acme/app/issues/2/dependencies',
  ]);
});

test("the operator's own words stand among the rules, and an agent takes only what it may", async () => {
  const at = await workspace({
    yaml: `${YAML}agents: { hans: { labels: [Kind/Bug] } }
instructions: { agents: { hans: Use pnpm. }, repositories: { acme/*: Be brief. }, labels: { kind/bug: Add a test. } }
`,
  });
  const createdAt = new Date(Date.now() - DAY);
  at.gitea.addIssue({ repository: 'acme/app', title: 'A wish', assignees: ['hans'], labels: ['P0'], createdAt });
  at.gitea.addIssue({ repository: 'acme/app', title: 'A bug', assignees: ['hans'], labels: ['Kind/Bug'], createdAt });
  expect((await at.run([])).code).toBe(0);
  expect(at.files().filter((name) => name.startsWith('.agent-tasks/'))).toContain('.agent-tasks/hans/issue-2.md');
  expect(at.read('.agent-tasks/hans/issue-2.md')).toContain('\n- Use pnpm.\n- Be brief.\n- Add a test.\n');
  expect((await at.run(['explain', '--issue', '1'])).stdout).toMatch(
    /not_for_agent.*hans takes only issues with a label/su,
  );
  const refused = await at.run(['dispatch', '--issue', '1']);
  expect(refused).toMatchObject({ code: 5, stderr: expect.stringContaining('not_for_agent: hans takes only') });
});
