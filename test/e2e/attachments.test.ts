// Attachments come before the task, so they may not keep it: whatever their server does, the task goes in its time.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { finished, type Workspace, workspace } from '../support/command.ts';
import { FAULTS } from '../support/gitea/server.ts';

const TASK = '.agent-tasks/hans/issue-1.md';
/** A slice of a candidate is 10 s; the rest is for a slow machine. */
const IN_TIME_MS = 25_000;

async function office(count: number): Promise<Workspace> {
  const at = await workspace({
    yaml: 'gitea: { url: URL, repositories: [acme/app] }\nrateLimit: 1s\nattachments: { save: true }\n',
  });
  const attachments = Array.from({ length: count }, (_, index) => ({ name: `${index}.png`, size: 10 }));
  const createdAt = new Date(Date.now() - 3_600_000);
  at.gitea.addIssue({ repository: 'acme/app', number: 1, assignees: ['hans'], attachments, createdAt });
  return at;
}

const loads = (at: Workspace): readonly string[] => at.gitea.requests.filter((path) => path.includes('/attachments/'));

test.for(['drip', 'hang'] as const)(
  '11.5, 11.22 twenty that %s: the task goes within its slice, and so does the next one',
  { timeout: 90_000 },
  async (fault) => {
    const at = await office(20);
    at.gitea.addIssue({ repository: 'acme/app', number: 2, assignees: ['hans'] });
    at.gitea.intercept(/\/attachments\//u, FAULTS[fault]);
    const started = performance.now();
    expect(await at.run([])).toMatchObject({ code: 0, stdout: expect.stringContaining('DISPATCHED: hans → Issue #1') });
    expect(performance.now() - started).toBeLessThan(IN_TIME_MS);
    // At once, not one after the other; and the text still says where they are.
    expect(loads(at)).toHaveLength(4);
    expect(at.read(TASK)).toContain('19.png');
    await pause(1050);
    expect(await at.run([])).toMatchObject({ code: 0, stdout: expect.stringContaining('DISPATCHED: hans → Issue #2') });
  },
);

test('11.5 Ctrl-C ends a download at once; the next pass dispatches', async () => {
  const at = await office(20);
  const mend = at.gitea.intercept(/\/attachments\//u, FAULTS.drip);
  const child = at.start([]);
  const ended = finished(child);
  while (loads(at).length === 0) await pause(20);
  const started = performance.now();
  child.kill('SIGINT');
  expect((await ended).code).toBe(130);
  expect(performance.now() - started).toBeLessThan(3000);
  expect(existsSync(join(at.folder, TASK))).toBe(false);
  mend();
  expect((await at.run([])).stdout).toContain('DISPATCHED: hans → Issue #1');
  expect(at.tasks()).toHaveLength(21);
});

test('11.5 what is there is not loaded again', async () => {
  const at = await office(3);
  // The last of them cannot be had at first.
  const mend = at.gitea.intercept(/\/attachments\/\S*2$/u, { status: 500 });
  await at.run([]);
  const first = loads(at);
  expect(new Set(first)).toHaveProperty('size', 3);
  expect(at.tasks()).toHaveLength(3);
  mend();
  await pause(1050);
  expect(await at.run(['dispatch', '--issue', '1', '--force'])).toMatchObject({ code: 0 });
  const again = loads(at).slice(first.length);
  expect(again).toEqual([expect.stringMatching(/2$/u)]);
});
