import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { workspace } from '../support/command.ts';

test('11.23 a repository that was deleted and made again: its number is another issue, which goes; the old task is archived', async () => {
  const at = await workspace({ yaml: 'gitea: { url: URL, repositories: [acme/app] }\nrateLimit: 1s\n' });
  const createdAt = new Date(Date.now() - 3_600_000);
  const issue = (title: string, body: string): { readonly id: number } =>
    at.gitea.addIssue({ repository: 'acme/app', number: 1, title, body, assignees: ['hans'], createdAt });
  const before = issue('Of the old repository', 'Old words.');
  await at.run([]);
  expect(at.read('.agent-tasks/hans/issue-1.md')).toContain('Old words.');
  at.gitea.deleteIssue('acme/app#1');
  const after = issue('Of the new repository', 'New words.');
  expect(after.id).not.toBe(before.id);
  let said = '';
  for (let pass = 0; pass < 3; pass += 1) {
    await pause(1050);
    said += (await at.run([])).stdout;
  }
  expect(said).toContain('acme/app#1 is another issue now: its repository was deleted and made again');
  expect(said.match(/DISPATCHED/gu)).toHaveLength(1);
  const texts = at.tasks().map((name) => [name, at.read(name).includes('New words.')]);
  expect(texts).toEqual([
    ['.agent-tasks/hans/archive/issue-1.md', false],
    [expect.stringMatching(/^\.agent-tasks\/hans\/issue-1(?:\.2)?\.md$/u), true],
  ]);
  expect(at.read('.agent-dispatcher/archived.jsonl')).toContain('"reason":"replaced"');
  // It is a task of its own, not another attempt at the old one.
  expect(at.read(String(texts[1]?.[0]))).toContain('attempt: 1\n');
});
