import { expect, test } from 'vitest';
import { workspace } from '../support/command.ts';
import { FAULTS } from '../support/gitea/server.ts';

// In a file of its own, and both at once: it takes as long as a pass may.
test('a pass ends within 45 s with a server that never answers, or drips without end, and says what happened', async () => {
  const ends = [FAULTS.hang, FAULTS.drip].map(async (fault) => {
    const at = await workspace();
    at.gitea.addIssue({ repository: 'acme/app', assignees: ['hans'] });
    at.gitea.intercept(/./u, fault);
    const started = performance.now();
    const end = await at.run([]);
    return { ...end, ms: performance.now() - started };
  });
  for (const { code, stderr, ms } of await Promise.all(ends)) {
    expect(ms).toBeLessThan(45_000);
    expect(code).toBe(75);
    expect(stderr).toMatch(/did not answer within the time of a pass\n {2}fix: /u);
  }
});
