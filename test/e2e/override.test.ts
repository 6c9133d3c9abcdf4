import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Workspace, workspace } from '../support/command.ts';

const TWO = 'gitea:\n  url: URL\n  repositories: [acme/app, "labs/*"]\n';
const TEAM =
  'gitea:\n  url: URL\n  repositories: [acme/app]\nagents: { hans: {}, greta: { maxTasks: 1 } }\nholdLabels: [on hold]\n';

/** A workspace whose slot has just been used by an urgent issue. */
async function busyWorkspace(): Promise<Workspace> {
  const at = await workspace();
  at.gitea.addIssue({ repository: 'acme/app', number: 1, labels: ['critical'], assignees: ['hans'] });
  at.gitea.addIssue({ repository: 'acme/app', number: 5, labels: ['low'], assignees: ['hans'] });
  await at.run([]);
  return at;
}

describe('dispatch --issue', () => {
  test('jumps the order of priorities', async () => {
    const at = await workspace();
    at.gitea.addIssue({ repository: 'acme/app', number: 1, labels: ['critical'], assignees: ['hans'] });
    at.gitea.addIssue({ repository: 'acme/app', number: 5, labels: ['low'], assignees: ['hans'] });
    expect((await at.run(['dispatch', '--issue', '5'])).stdout).toContain('DISPATCHED: hans → Issue #5');
    expect(at.read('.agent-tasks/hans/issue-5.md')).toContain('trigger: "manual"');
  });

  test('obeys the rate limit, and says so', async () => {
    const at = await busyWorkspace();
    const { code, stderr } = await at.run(['dispatch', '--issue', '5']);
    expect(code).toBe(5);
    expect(stderr).toMatch(
      /^dispatcher: acme\/app#5 is not dispatched to hans:\n {2}rate limit: one task every 60s, next slot in \w+\n {2}fix: add --force to lift this\n$/u,
    );
  });

  test('with --force lifts it, says what it lifted, and the forced one counts for the limit', async () => {
    const at = await busyWorkspace();
    const { code, stdout } = await at.run(['dispatch', '--issue', '5', '--force']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^lifted by --force: rate limit: one task every 60s, next slot in \w+\n\[DISPATCHER\]/u);
    expect(at.read('.agent-tasks/hans/issue-5.md')).toContain('trigger: "forced"');
    at.gitea.addIssue({ repository: 'acme/app', number: 6, assignees: ['hans'] });
    expect((await at.run(['dispatch', '--issue', '6'])).code).toBe(5);
  });

  test('with --force sends an issue again, and keeps the file before in archive/', async () => {
    const at = await busyWorkspace();
    at.write('.agent-tasks/hans/issue-1.md', 'with the notes of hans');
    const again = await at.run(['dispatch', '--issue', '1', '--force']);
    expect(again.stdout).toContain('lifted by --force: dispatched: hans has its task file');
    expect(at.read('.agent-tasks/hans/archive/issue-1.md')).toBe('with the notes of hans');
    expect(at.read('.agent-tasks/hans/issue-1.md')).toContain('attempt: 2');
    await at.run(['dispatch', '--issue', '1', '--force']);
    expect(at.tasks()).toContain('.agent-tasks/hans/archive/issue-1.2.md');
  });

  test.for([
    { what: 'a pull request', number: 7, code: 5, says: 'acme/app#7 is a pull request, not an issue' },
    {
      what: 'a closed issue',
      number: 8,
      code: 5,
      says: 'acme/app#8 is closed\n  fix: reopen it first: http',
    },
    {
      what: 'an unassigned issue',
      number: 9,
      code: 5,
      says: 'acme/app#9 is assigned to nobody\n  fix: assign it: http',
    },
    { what: 'an unknown number', number: 99, code: 2, says: 'there is no issue #99 in acme/app' },
    {
      what: 'an issue of several agents',
      number: 10,
      code: 2,
      says: 'acme/app#10 is assigned to greta and hans\n  fix: say which one: --agent greta',
    },
    {
      what: 'an issue of nobody configured',
      number: 11,
      code: 5,
      says: 'acme/app#11 is assigned to bob, none of them a configured agent',
    },
    {
      what: 'an agent with all the tasks it may have',
      number: 12,
      code: 5,
      says: 'agent_busy: greta has 1 of at most 1 tasks',
    },
    { what: 'a held issue', number: 13, code: 5, says: 'held: label On Hold' },
  ])('answers $code for $what, with and without --force where force lifts nothing', async ({ number, code, says }) => {
    const at = await workspace({ yaml: TEAM });
    at.gitea.addIssue({ repository: 'acme/app', number: 3, assignees: ['greta'] });
    await at.run([]);
    at.gitea.addIssue({ repository: 'acme/app', number: 7, pullRequest: true, assignees: ['hans'] });
    at.gitea.addIssue({ repository: 'acme/app', number: 8, state: 'closed', assignees: ['hans'] });
    at.gitea.addIssue({ repository: 'acme/app', number: 9 });
    at.gitea.addIssue({ repository: 'acme/app', number: 10, assignees: ['hans', 'greta'] });
    at.gitea.addIssue({ repository: 'acme/app', number: 11, assignees: ['bob'] });
    at.gitea.addIssue({ repository: 'acme/app', number: 12, assignees: ['greta'] });
    at.gitea.addIssue({ repository: 'acme/app', number: 13, labels: ['On Hold'], assignees: ['hans'] });
    const refused = await at.run(['dispatch', '--issue', String(number)]);
    expect(refused).toMatchObject({ code, stdout: '' });
    expect(refused.stderr).toContain(says);
    const forced = await at.run(['dispatch', '--issue', String(number), '--force']);
    const isLifted = number === 12 || number === 13;
    expect(forced.code).toBe(isLifted ? 0 : code);
    if (isLifted) expect(forced.stdout).toContain('lifted by --force: ');
  });

  test('--agent sends it to someone else only by --force, and never to a stranger', async () => {
    const at = await workspace({ yaml: TEAM });
    at.gitea.addIssue({ repository: 'acme/app', number: 5, assignees: ['hans'] });
    expect(await at.run(['dispatch', '--issue', '5', '--agent', 'greta'])).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('acme/app#5 is not assigned to greta'),
    });
    expect(await at.run(['dispatch', '--issue', '5', '--agent', 'eve', '--force'])).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('eve is not among the configured agents'),
    });
    const forced = await at.run(['dispatch', '--issue', '5', '--agent', 'Greta', '--force']);
    expect(forced.code).toBe(0);
    expect(forced.stdout).toContain('lifted by --force: not assigned to greta');
    expect(at.tasks()).toEqual(['.agent-tasks/greta/issue-5.md']);
  });

  test('without agents in the configuration a name that leaves the folder is refused, whatever the force', async () => {
    const at = await workspace();
    at.gitea.addIssue({ repository: 'acme/app', number: 5, assignees: ['hans'] });
    const { code, stderr } = await at.run(['dispatch', '--issue', '5', '--agent', '../evil', '--force']);
    expect(code).toBe(5);
    expect(stderr).toContain('unsafe_name');
    expect(at.tasks()).toEqual([]);
  });

  test('a number that fits several repositories is not guessed', async () => {
    const at = await workspace({ yaml: TWO });
    for (const repository of ['acme/app', 'labs/one', 'labs/two'])
      at.gitea.addIssue({ repository, number: 5, title: `In ${repository}`, assignees: ['hans'] });
    const { code, stderr } = await at.run(['dispatch', '--issue', '5']);
    expect(code).toBe(2);
    expect(stderr).toContain('#5 fits 3 issues:\n');
    expect(stderr).toContain('  labs/one#5  In labs/one\n');
    expect((await at.run(['dispatch', '--issue', '5', '--repo', 'labs/two'])).code).toBe(0);
    expect(at.tasks()).toEqual(['.agent-tasks/hans/labs/two/issue-5.md']);
    expect(await at.run(['dispatch', '--issue', '5', '--repo', 'other/x'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('other/x is not among gitea.repositories'),
    });
  });
});

describe('a bare number where owner/* is configured', () => {
  test.for([
    { what: 'a pull request is told as such', number: 7, code: 5, says: 'labs/one#7 is a pull request, not an issue' },
    { what: 'a closed issue is told as such', number: 8, code: 5, says: 'labs/two#8 is closed' },
    {
      what: 'an unknown number is told as such',
      number: 99,
      code: 2,
      says: 'there is no issue #99 in acme/app, labs/*',
    },
  ])('$what', async ({ number, code, says }) => {
    const at = await workspace({ yaml: TWO });
    at.gitea.addIssue({ repository: 'labs/one', number: 1, assignees: ['hans'] });
    at.gitea.addIssue({ repository: 'labs/two', number: 1, assignees: ['hans'] });
    at.gitea.addIssue({ repository: 'labs/one', number: 7, pullRequest: true, assignees: ['hans'] });
    at.gitea.addIssue({ repository: 'labs/two', number: 8, state: 'closed', assignees: ['hans'] });
    const result = await at.run(['dispatch', '--issue', String(number)]);
    expect(result.code).toBe(code);
    expect(result.stderr).toContain(says);
  });

  test('the one that is open is meant, whatever is closed elsewhere', async () => {
    const at = await workspace({ yaml: TWO });
    at.gitea.addIssue({ repository: 'acme/app', number: 5, state: 'closed', assignees: ['hans'] });
    at.gitea.addIssue({ repository: 'labs/one', number: 5, pullRequest: true, assignees: ['hans'] });
    at.gitea.addIssue({ repository: 'labs/two', number: 5, assignees: ['hans'] });
    expect((await at.run(['dispatch', '--issue', '5'])).stdout).toContain('DISPATCHED: hans → labs/two#5');
  });
});

describe('dispatch --dry-run', () => {
  test('writes nothing at all, and names the choice that the next pass makes', async () => {
    const at = await workspace({ yaml: TEAM });
    at.gitea.addIssue({ repository: 'acme/app', number: 1, labels: ['low'], assignees: ['hans'] });
    at.gitea.addIssue({ repository: 'acme/app', number: 2, labels: ['high'], assignees: ['greta'] });
    at.gitea.addIssue({
      repository: 'acme/app',
      number: 3,
      labels: ['critical', 'On Hold'],
      assignees: ['hans'],
    });
    at.gitea.addIssue({ repository: 'acme/app', number: 4, labels: ['critical'], assignees: ['bob'] });
    const { code, stdout } = await at.run(['dispatch', '-n'], { COLUMNS: '100' });
    expect(code).toBe(0);
    expect(at.files()).toEqual(['dispatcher.yaml']);
    expect(stdout.split('\n').slice(0, 12)).toEqual([
      'Dry run: nothing is written.',
      '',
      '#  PRIORITY  ISSUE       AGENT  OUTCOME                 SINCE  TITLE',
      '1  CRITICAL  acme/app#3  hans   skipped: held           now    Untitled',
      '2  CRITICAL  acme/app#4  bob    skipped: unknown_agent  now    Untitled',
      '3  HIGH      acme/app#2  greta  chosen                  now    Untitled',
      '4  LOW       acme/app#1  hans   next                    now    Untitled',
      '',
      'Passed over:',
      '  acme/app#3  held: label On Hold',
      '  acme/app#4  unknown_agent: bob is not among the configured agents',
      '',
    ]);
    expect(stdout).toContain(`A pass would write ${join(at.folder, '.agent-tasks/greta/issue-2.md')}:\n\n---\nschema:`);
    expect((await at.run([])).stdout).toContain('DISPATCHED: greta → Issue #2');
  });

  test('of one issue shows its file and what force would lift, and writes nothing', async () => {
    const at = await busyWorkspace();
    const before = at.files().map((name) => readFileSync(join(at.folder, name), 'utf8'));
    const { code, stdout } = await at.run(['dispatch', '--issue', '5', '--force', '-n']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^would be lifted by --force: rate limit[^\n]*\nwould write [^\n]*issue-5\.md:\n\n---\n/u);
    expect((await at.run(['dispatch', '--issue', '5', '-n'])).code).toBe(5);
    expect(at.files().map((name) => readFileSync(join(at.folder, name), 'utf8'))).toEqual(before);
  });
});
