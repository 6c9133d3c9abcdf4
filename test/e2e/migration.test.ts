import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { renderFrontMatter } from '../../src/core/task/front-matter.ts';
import { type Workspace, workspace } from '../support/command.ts';

/** The state file that version 0.1.0 left: #1 and #4 dispatched, #2 failed, #3 blocked by #9, #5 next. */
const STATE = fileURLToPath(new URL('fixtures/state-1.json', import.meta.url));

/** The office that it is of, with the two task files. */
async function office(): Promise<Workspace> {
  const at = await workspace({ yaml: 'gitea: { url: URL, repositories: [acme/app] }\nrateLimit: 1s\n' });
  for (const number of [1, 2, 3, 9, 4, 5]) {
    at.gitea.addIssue({
      repository: 'acme/app',
      number,
      title: `Issue ${number}`,
      assignees: number === 9 ? [] : ['hans'],
      labels: number === 1 ? ['critical'] : [],
      createdAt: new Date(Date.UTC(2026, 3, number)),
      ...(number === 3 ? { dependsOn: ['acme/app#9'] } : {}),
    });
  }
  mkdirSync(join(at.folder, '.agent-tasks/hans'), { recursive: true });
  mkdirSync(join(at.folder, '.agent-dispatcher'));
  for (const number of [1, 4]) {
    const ref = `acme/app#${number}`;
    const url = `${at.gitea.url}/acme/app/issues/${number}`;
    const issueId = at.gitea.find('acme/app', number)?.id ?? 0;
    const fields = { schema: 'dispatcher.task/1', ref, issue: number, url, agent: 'hans', issueId };
    at.write(`.agent-tasks/hans/issue-${number}.md`, `${renderFrontMatter(fields)}\nWork.\n`);
  }
  at.write('.agent-dispatcher/state.json', readFileSync(STATE, 'utf8').replaceAll('/srv/acme', at.folder));
  return at;
}

test('whoever looks at the state of an older version sees its last pass', async () => {
  const at = await office();
  const { stdout } = await at.run(['status', '--json']);
  expect(JSON.parse(stdout)).toMatchObject({
    lastPass: { outcome: 'dispatched', ref: 'acme/app#4' },
    counts: { waiting: 1, dispatched: 2 },
    next: { ref: 'acme/app#5' },
  });
  expect((await at.run(['explain', '--issue', '3'])).stdout).toContain('waits for acme/app#9');
});

test('the first pass takes it over: nothing is dispatched twice, what failed has its turn, tasks are followed', async () => {
  const at = await office();
  expect((await at.run([])).stdout).toContain('DISPATCHED: hans → Issue #2');
  expect(JSON.parse(at.read('.agent-dispatcher/state.json'))).toMatchObject({ version: 2 });
  at.gitea.editIssue('acme/app#1', { state: 'closed' });
  at.gitea.editIssue('acme/app#9', { state: 'closed' });
  await new Promise((resolve) => setTimeout(resolve, 1100));
  expect((await at.run([])).stdout).toContain('DISPATCHED: hans → Issue #3');
  expect(at.tasks()).toEqual(
    ['archive/issue-1.md', 'issue-2.md', 'issue-3.md', 'issue-4.md'].map((name) => `.agent-tasks/hans/${name}`),
  );
});

test('11.26 a server that moved to another address is the same one, when it is named', async () => {
  const at = await workspace({ yaml: 'gitea: { url: URL, repositories: [acme/app] }\nrateLimit: 1s\n' });
  at.gitea.addIssue({ repository: 'acme/app', assignees: ['hans'] });
  await at.run([]);
  const config = at.read('dispatcher.yaml');
  const { port } = new URL(at.gitea.url);
  const moved = config.replace('127.0.0.1', 'localhost');
  at.write('dispatcher.yaml', moved);
  await new Promise((resolve) => setTimeout(resolve, 1100));
  const strange = await at.run([]);
  expect(strange.stdout).toContain(`tasks of another server are out (127.0.0.1:${port})`);
  expect(at.tasks()).toContain('.agent-tasks/hans/issue-1.md');
  at.write('dispatcher.yaml', moved.replace('{ url', `{ formerUrls: ["http://127.0.0.1:${port}"], url`));
  at.gitea.editIssue('acme/app#1', { state: 'closed' });
  await new Promise((resolve) => setTimeout(resolve, 1100));
  expect((await at.run([])).stdout).toContain('ARCHIVED: hans: acme/app#1 is closed');
});
