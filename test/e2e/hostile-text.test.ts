// Texts that are made to be slow, by whoever may open an issue: nobody waits for them.

import { expect, test } from 'vitest';
import { workspace } from '../support/command.ts';

const BLANKS = ' '.repeat(20_000);

test.for([
  { what: 'a heading of 20,000 blanks', seed: { body: `# a${BLANKS}b` } },
  { what: 'a label of 200,000 blanks', seed: { labels: [`priority${BLANKS.repeat(10)}x`] } },
  { what: 'a title of 200,000 blanks', seed: { title: `[${BLANKS.repeat(10)}high` } },
  { what: '50,000 signs of a heading', seed: { body: `# ${'#'.repeat(50_000)}x` } },
  { what: 'an attachment of 200,000 dots', seed: { attachments: [{ name: `${'.'.repeat(200_000)}-.txt`, size: 3 }] } },
  { what: '200,000 brackets behind broken HTML', seed: { body: `<div\n\nb\n\n${'['.repeat(200_000)}` } },
  { what: 'a comment of 20,000 blanks', seed: { comments: [{ author: 'eve', body: `## ${BLANKS}x` }] } },
])('11.18 an issue with $what goes in its turn, and so do the others', async ({ seed }) => {
  const at = await workspace({
    yaml: 'gitea: { url: URL, repositories: [acme/app] }\nrateLimit: 1s\nattachments: { save: true }\n',
  });
  const createdAt = new Date(Date.now() - 60_000);
  at.gitea.addIssue({ repository: 'acme/app', title: 'Bait', assignees: ['hans'], author: 'eve', createdAt, ...seed });
  at.gitea.addIssue({ repository: 'acme/app', title: 'Next', assignees: ['hans'] });
  const started = performance.now();
  expect(await at.run([])).toMatchObject({ code: 0, stderr: '' });
  expect(await at.run([])).toMatchObject({ code: 0, stderr: '' });
  expect(at.tasks()).toEqual(['.agent-tasks/hans/issue-1.md', '.agent-tasks/hans/issue-2.md']);
  expect(performance.now() - started).toBeLessThan(20_000);
});
