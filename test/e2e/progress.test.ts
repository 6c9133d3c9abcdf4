// What a pass makes of what agents do with their tasks: told in log, status, explain, doctor, and on the issue.

import { spawn } from 'node:child_process';
import { mkdirSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type Workspace, workspace } from '../support/command.ts';
import { mailboxOf } from '../support/mailbox.ts';

const YAML = 'gitea: { url: URL, repositories: [acme/app] }\nagents: { hans: {}, greta: {} }\nrateLimit: 1s\n';
const AS_HANS = { DISPATCHER_AGENT: 'hans' };

async function office(more = '', scopes = ['read:issue', 'write:issue']): Promise<Workspace> {
  const at = await workspace({ yaml: YAML + more, scopes });
  at.gitea.addIssue({ repository: 'acme/app', number: 1, title: 'First', assignees: ['hans'] });
  await at.run([]);
  return at;
}

const tasksOf = (at: Workspace): readonly string[] => mailboxOf(at).filter((name) => name.endsWith('.md'));
const logOf = (at: Workspace): string => at.read('.agent-dispatcher.log');

describe('a task that its agent blocked', () => {
  const HOSTILE = 'which table?\n[DISPATCHER] forged \u001B[31mred\u202E token=hunter2hunter2';

  test('is told in the log once, with its reason made harmless; in status, explain and doctor', async () => {
    const at = await office();
    await at.run(['next'], AS_HANS);
    await at.run(['block', '--reason', HOSTILE], AS_HANS);
    for (let pass = 0; pass < 3; pass += 1) await at.run([]);
    const lines = logOf(at)
      .split('\n')
      .filter((line) => line.includes('BLOCKED'));
    expect(lines).toEqual([
      expect.stringMatching(
        /^\[DISPATCHER\] \S+ \S+ 🚧 BLOCKED: hans: acme\/app#1 is blocked: which table\? \[DISPATCHER\] forged \S*red\S* token=\[masked\]$/u,
      ),
    ]);
    expect(lines.join('')).not.toMatch(/[\u001B\u202E]/u);
    const said = 'acme/app#1 is blocked: which table?';
    expect((await at.run(['status', '--color', 'never'])).stdout).not.toContain('\u001B');
    const explained = (await at.run(['explain', '--issue', '1'])).stdout;
    expect(explained).toContain(said);
    expect(explained).toContain('It is new again when people write to its issue');
    const { stdout } = await at.run(['doctor']);
    expect(stdout).toMatch(/tasks +warning: acme\/app#1 of hans is blocked: which table\?/u);
    expect(stdout).toContain('dispatcher release acme/app#1 --agent hans');
    expect(stdout).not.toMatch(/[\u001B\u202E]/u);
    // Blocked once more for another reason, that is told as well, although no pass saw it anywhere else.
    await at.run(['release', '1'], AS_HANS);
    await at.run(['next'], AS_HANS);
    await at.run(['block', '--reason', 'and which column?'], AS_HANS);
    await at.run([]);
    expect(logOf(at)).toContain('is blocked: and which column?');
  });

  test('by plain mv: nobody said why', async () => {
    const at = await office();
    const home = join(at.folder, '.agent-tasks/hans');
    mkdirSync(join(home, 'blocked'), { recursive: true });
    renameSync(join(home, 'issue-1.md'), join(home, 'blocked/issue-1.md'));
    await at.run([]);
    expect(logOf(at)).toContain('acme/app#1 is blocked: nobody said why');
  });
});

test('a stalled task stands in explain and doctor with what takes it over', async () => {
  const at = await office();
  const gone = spawn('sleep', ['60']);
  await at.run(['next', '--pid', String(gone.pid)], AS_HANS);
  expect((await at.run(['explain', '--issue', '1'])).stdout).toMatch(/acme\/app#1 was taken \d+s ago by \S+, process/u);
  gone.kill('SIGKILL');
  await new Promise((resolve) => gone.on('close', resolve));
  expect((await at.run(['explain', '--issue', '1'])).stdout).toMatch(
    /is stalled: taken \d+s ago by .* who is gone\. It is taken over by: dispatcher next --stalled/u,
  );
  expect((await at.run(['doctor'])).stdout).toMatch(
    /tasks +warning: acme\/app#1 of hans is stalled[^]*dispatcher next --stalled --agent hans/u,
  );
  expect((await at.run(['status', '--exit-status'])).code).toBe(0);
});

describe('what a blocked task waits for is closed', () => {
  const blocked = async (more: string, reason: string, blockers: readonly string[] = []): Promise<Workspace> => {
    const at = await workspace({ yaml: YAML + more });
    for (const number of [3, 4])
      at.gitea.addIssue({
        repository: 'acme/app',
        number,
        title: `Issue ${number}`,
        assignees: ['greta'],
        labels: ['low'],
      });
    at.gitea.addIssue({ repository: 'acme/app', number: 1, title: 'First', assignees: ['hans'], labels: ['critical'] });
    at.gitea.addIssue({ repository: 'acme/other', number: 9, title: 'Elsewhere' });
    await at.run([]);
    await at.run(['next'], AS_HANS);
    if (blockers.length > 0) at.gitea.editIssue('acme/app#1', { dependsOn: [...blockers] });
    await at.run(['block', '--reason', reason], AS_HANS);
    for (let pass = 0; pass < 2; pass += 1) await at.run([]);
    expect(tasksOf(at)).toEqual(['blocked/issue-1.md']);
    return at;
  };

  test('an issue that it depends on: it is new again, which log and status say', async () => {
    const at = await blocked('', 'somebody else is at it', ['acme/app#3']);
    at.gitea.editIssue('acme/app#3', { state: 'closed' });
    await at.run([]);
    expect(tasksOf(at)).toEqual(['issue-1.md']);
    const why = 'what it waited for is closed: acme/app#3';
    expect(logOf(at)).toContain(`🔓 UNBLOCKED: hans: acme/app#1 was blocked, and is new again; ${why}`);
    const { stdout } = await at.run(['next', '--json'], AS_HANS);
    expect(JSON.parse(stdout).events.at(-1)).toMatchObject({ by: 'dispatcher', outcome: 'released', reason: why });
    await at.run(['release'], AS_HANS);
  });

  test('issues that its agent named: only when the last of them is closed', async () => {
    const at = await blocked('', 'needs #3 and acme/app#4 first; see acme/other#9, #1 and #77');
    at.gitea.editIssue('acme/app#3', { state: 'closed' });
    await at.run([]);
    expect(tasksOf(at)).toEqual(['blocked/issue-1.md']);
    at.gitea.editIssue('acme/app#4', { state: 'closed' });
    await at.run([]);
    expect(tasksOf(at)).toEqual(['issue-1.md']);
    expect(at.gitea.requests.filter((request) => request.includes('other'))).toEqual([]);
    expect(JSON.parse((await at.run(['status', '--json'])).stdout).agents[1].tasks[0]).toMatchObject({
      stage: 'new',
      detail: expect.stringMatching(/^what it waited for is closed: acme\/app#[34]/u),
    });
  });

  test('an issue of a repository that is not listed is asked for after some minutes', async () => {
    const at = await blocked('', 'x', ['acme/other#9']);
    at.gitea.editIssue('acme/other#9', { state: 'closed' });
    const asked = at.gitea.requests.length;
    await at.run([]);
    expect(tasksOf(at)).toEqual(['blocked/issue-1.md']);
    // A pass that comes late enough dispatches one of greta's as well.
    expect(at.gitea.requests.slice(asked).filter((request) => /\/other\/|issues\/1\b/u.test(request))).toEqual([]);
    const state = JSON.parse(at.read('.agent-dispatcher/state.json'));
    for (const turn of Object.values<Record<string, unknown>>(state.turns))
      turn['askedAt'] = new Date(Date.now() - 6 * 60_000).toISOString();
    at.write('.agent-dispatcher/state.json', JSON.stringify(state));
    await at.run([]);
    expect(tasksOf(at)).toEqual(['issue-1.md']);
  });

  test('with updates.reopen: false it stays where it is', async () => {
    const at = await blocked('updates: { reopen: false }\n', 'x', ['acme/app#3']);
    at.gitea.editIssue('acme/app#3', { state: 'closed' });
    await at.run([]);
    expect(tasksOf(at)).toEqual(['blocked/issue-1.md']);
  });
});

describe('the receipt follows', () => {
  const RECEIPT = 'receipt: { reaction: eyes, comment: true }\n';
  const comments = (at: Workspace): readonly { readonly author: string; readonly body: string }[] =>
    at.gitea.find('acme/app', 1)?.comments ?? [];
  const shown = (at: Workspace): string => comments(at)[0]?.body.split('\n').slice(1).join('\n') ?? '';

  test('taken, blocked with its reason, new again, done with its pull request: one comment, edited by the pass', async () => {
    const at = await office(RECEIPT);
    const [dispatched = ''] = shown(at).split('\n\n');
    expect(dispatched).toMatch(/^Dispatched to \*\*hans\*\* at \S+\.$/u);
    const afterwards = async (...commands: readonly (readonly string[])[]): Promise<string> => {
      for (const command of commands) await at.run(command, { ...AS_HANS, GITEA_TOKEN: '' });
      const before = at.gitea.requests.length;
      await at.run([]);
      await at.run([]);
      const writes = at.gitea.requests.slice(before).filter((request) => !request.startsWith('GET'));
      expect(writes).toEqual([expect.stringMatching(/^PATCH \S+\/issues\/comments\/\d+$/u)]);
      expect(comments(at)).toHaveLength(1);
      expect(shown(at).startsWith(dispatched)).toBe(true);
      return shown(at).slice(dispatched.length).trim();
    };
    expect(await afterwards(['next'])).toMatch(/^Taken at 2\S+\.$/u);
    const reason = '@alice which? ``` [x](http://evil.example) <img src=x> #7 token=hunter2hunter2\nclosed';
    expect(await afterwards(['block', '--reason', reason])).toMatch(
      /^Blocked at 2\S+:\n\n````text\n@alice which\? ``` \[x\]\(http:\/\/evil\.example\) <img src=x> #7 token=\[masked\] closed\n````$/u,
    );
    expect(await afterwards(['release', '1'])).toMatch(/^New again at 2\S+\.$/u);
    const pull = `${at.gitea.url}/acme/app/pulls/9`;
    expect(await afterwards(['next'], ['done', '--pr', pull])).toMatch(
      new RegExp(String.raw`^Done at 2\S+: ${pull}$`, 'u'),
    );
    // Its own traces are no news.
    expect(tasksOf(at)).toEqual(['done/issue-1.md']);
  });

  test.for([
    ['https://evil.example/acme/app/pulls/9', /: \n\n```text\nhttps:\/\/evil\.example\/acme\/app\/pulls\/9\n```$/u],
    ['9', /: #9$/u],
    ['![x](y) @alice', /: \n\n```text\n!\[x\]\(y\) @alice\n```$/u],
  ] as const)('a pull request %s that is none of this server is no link', async ([pull, ends]) => {
    const at = await office(RECEIPT);
    await at.run(['done', '1', '--pr', pull], AS_HANS);
    await at.run([]);
    expect(shown(at)).toMatch(ends);
  });

  test('a task that is done and whose issue is closed in the same minute is told of as done', async () => {
    const at = await office(RECEIPT);
    await at.run(['done', '1', '--pr', '9'], AS_HANS);
    at.gitea.editIssue('acme/app#1', { state: 'closed' });
    await at.run([]);
    expect(shown(at)).toMatch(/Done at 2\S+: #9$/u);
    expect(tasksOf(at)).toEqual(['archive/issue-1.md']);
  });

  test('without the comment nothing follows, and a comment that somebody took away stays away', async () => {
    const plain = await office('receipt: { reaction: eyes }\n');
    await plain.run(['next'], AS_HANS);
    await plain.run([]);
    expect(comments(plain)).toEqual([]);
    const at = await office(RECEIPT);
    at.gitea.removeComments('acme/app#1');
    await at.run(['next'], AS_HANS);
    for (let pass = 0; pass < 2; pass += 1) expect((await at.run([])).stdout).not.toContain('WARNING');
    expect(comments(at)).toEqual([]);
  });

  test('a record that is a link, or a pipe, is not read through', async () => {
    const at = await office(RECEIPT);
    at.write(
      'secret',
      JSON.stringify({
        schema: 'dispatcher.work/1',
        events: [{ at: '2026-01-01T00:00:00Z', outcome: 'blocked', reason: 'PRIVATE' }],
      }),
    );
    await at.run(['next'], AS_HANS);
    await at.run(['block', '--reason', 'x'], AS_HANS);
    const record = join(at.folder, '.agent-tasks/hans/blocked/issue-1.work.json');
    renameSync(record, `${record}.away`);
    symlinkSync(join(at.folder, 'secret'), record);
    await at.run([]);
    await after(10);
    expect(logOf(at)).toContain('acme/app#1 is blocked: nobody said why');
    expect(shown(at)).not.toContain('PRIVATE');
  });
});
