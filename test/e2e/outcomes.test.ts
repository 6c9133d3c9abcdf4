// Every outcome and every reason of a candidate, where people and programs look for it.

import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startDashboard } from '../support/dashboard.ts';
import { type Workspace, workspace } from '../support/command.ts';

const YAML = `gitea: { url: URL, repositories: [acme/app] }
rateLimit: 1s
holdLabels: [later]
agents: { hans: {}, greta: {}, ida: { maxTasks: 1 }, "2-": {} }
`;

/** An office in which one pass meets every outcome and reason there is. */
async function office(): Promise<Workspace> {
  const at = await workspace({ yaml: YAML });
  const old = (number: number): Date => new Date(Date.now() - (100 - number) * 60_000);
  const issue = (number: number, agent: string, more: object = {}): void =>
    void at.gitea.addIssue({
      repository: 'acme/app',
      number,
      title: `Issue ${number}`,
      assignees: [agent],
      createdAt: old(number),
      ...more,
    });
  issue(1, 'hans');
  issue(2, 'hans');
  issue(3, 'ida');
  for (const number of [1, 2, 3]) await at.run(['dispatch', '--issue', String(number), '--force']);
  mkdirSync(join(at.folder, '.agent-tasks/hans/done'));
  renameSync(join(at.folder, '.agent-tasks/hans/issue-2.md'), join(at.folder, '.agent-tasks/hans/done/issue-2.md'));
  issue(4, 'hans', { labels: ['later'] });
  issue(5, 'hans', { labels: ['P0'], dependsOn: ['acme/app#20'] });
  issue(6, 'ida');
  issue(7, 'greta');
  issue(8, 'pm');
  issue(9, '.evil');
  issue(10, 'hans', { labels: ['P0'] });
  issue(11, 'hans', { labels: ['P1'] });
  issue(12, 'hans', { labels: ['P2'] });
  issue(13, 'hans', { labels: ['P3'] });
  issue(20, 'hans', { assignees: [], title: 'Groundwork' });
  at.gitea.intercept(/issues\/10\/comments/u, { status: 500, body: '{}' });
  await at.run(['pause', '--agent', 'greta']);
  await new Promise((resolve) => {
    setTimeout(resolve, 1050);
  });
  expect((await at.run([])).stdout).toContain('DISPATCHED: hans → Issue #11');
  return at;
}

const OUTCOMES: readonly { readonly ref: number; readonly outcome: string; readonly isNews: boolean }[] = [
  { ref: 1, outcome: 'dispatched', isNews: false },
  { ref: 2, outcome: 'done', isNews: false },
  { ref: 4, outcome: 'held', isNews: true },
  { ref: 5, outcome: 'blocked', isNews: true },
  { ref: 6, outcome: 'agent_busy', isNews: true },
  { ref: 7, outcome: 'paused', isNews: true },
  { ref: 8, outcome: 'unknown_agent', isNews: true },
  { ref: 9, outcome: 'unknown_agent', isNews: true },
  { ref: 10, outcome: 'failed', isNews: true },
  { ref: 11, outcome: 'chosen', isNews: false },
  { ref: 12, outcome: 'next', isNews: false },
  { ref: 13, outcome: 'waiting', isNews: false },
];

describe('each outcome and reason', () => {
  test('11.14 is told by explain, status --json and the page', async () => {
    const at = await office();
    const rows: readonly { ref: string; outcome: string; reason: string | null }[] = JSON.parse(
      (await at.run(['explain', '--json'])).stdout,
    ).rows;
    const explained = (await at.run(['explain'])).stdout;
    const status = JSON.parse((await at.run(['status', '--json'])).stdout);
    const board = await startDashboard(at);
    const page = await (await fetch(board.url)).text();
    onTestFinished(() => void board.child.kill());
    for (const { ref, outcome, isNews } of OUTCOMES) {
      const name = `acme/app#${ref}`;
      const row = rows.find((each) => each.ref === name);
      expect({ ref, outcome: row?.reason ?? row?.outcome }).toEqual({ ref, outcome });
      expect(explained).toMatch(new RegExp(`${name} .*${outcome}`, 'u'));
      expect(page).toContain(name);
      if (isNews) {
        expect(status.skipped).toContainEqual(expect.objectContaining({ ref: name, reason: outcome }));
        expect(page).toContain(outcome);
      }
    }
  });

  test('unsafe_name, where every assignee is an agent', async () => {
    const at = await workspace();
    at.gitea.addIssue({ repository: 'acme/app', number: 1, assignees: ['.evil'] });
    await at.run([]);
    expect((await at.run(['explain'])).stdout).toMatch(/unsafe_name/u);
    expect(JSON.parse((await at.run(['status', '--json'])).stdout).skipped).toMatchObject([{ reason: 'unsafe_name' }]);
  });
});
