import { expect, test } from 'vitest';
import { workspace } from '../support/command.ts';
import { FAULTS } from '../support/gitea/server.ts';

// In a file of its own: it takes as long as a pass may, beside the others.
test.for([
  { server: 'that never answers', fault: FAULTS.hang },
  { server: 'whose answer drips without end', fault: FAULTS.drip },
])('a pass ends within 45 s with a server $server, and says what happened', async ({ fault }) => {
  const at = await workspace();
  at.gitea.addIssue({ repository: 'acme/app', assignees: ['hans'] });
  at.gitea.intercept(/./u, fault);
  const started = performance.now();
  const { code, stderr } = await at.run([]);
  expect(performance.now() - started).toBeLessThan(45_000);
  expect(code).toBe(75);
  expect(stderr).toMatch(/did not answer within the time of a pass\n {2}fix: /u);
});
