// What a good colleague would look up before starting, found in the task file. Ten issues, twelve facts in each.

import { expect, test } from 'vitest';
import { workspace } from '../support/command.ts';
import { factsIn, STORIES } from '../support/stories.ts';

const YAML = `gitea: { url: URL, repositories: [acme/app] }
rateLimit: 1s
attachments: { save: true }
`;
const DAY = 86_400_000;

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
  expect(Object.entries(factsIn(file, about, pull.ref)).filter(([, isThere]) => !isThere)).toEqual([]);
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
