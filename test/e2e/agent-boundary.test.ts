// Issue 12, "The task folder belongs to an agent, and an agent is not trusted": each way that was found, tried by the agent
// hans as a Unix user of his own against the built command. `12.N` is its number there. What swaps names while they are
// used is in test/faults/racing-agent.test.ts, a minute long.

import { execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { CAN_BE_ANOTHER } from '../support/another-user.ts';
import { startDashboard } from '../support/dashboard.ts';
import { as, DISPATCHER, type RolesOffice, rolesOffice } from '../support/roles.ts';

const HOUR = 3_600_000;

/** A folder that the dispatcher alone may enter, and what is in it. */
function privateFolder(at: RolesOffice): { readonly path: string; readonly picture: () => readonly string[] } {
  const path = join(at.folder, 'private');
  mkdirSync(path, { mode: 0o700 });
  writeFileSync(join(path, 'issue-1.md'), 'PRIVATE', { mode: 0o600 });
  for (const name of ['.', 'issue-1.md']) chownSync(join(path, name), DISPATCHER, DISPATCHER);
  return {
    path,
    picture: () =>
      readdirSync(path).map(
        (name) =>
          `${name} ${statSync(join(path, name)).mode.toString(8)} ${readFileSync(join(path, name), 'utf8').slice(0, 20)}`,
      ),
  };
}

function issue(at: RolesOffice, number: number, agent = 'hans', more: object = {}): void {
  at.gitea.addIssue({
    repository: 'acme/app',
    number,
    title: `Issue ${number}`,
    assignees: [agent],
    createdAt: new Date(Date.now() - HOUR),
    ...more,
  });
}

/** So many passes, each with a free slot. */
async function passes(at: RolesOffice, count: number): Promise<string> {
  let said = '';
  for (let pass = 0; pass < count; pass += 1) {
    const { code, stdout, stderr } = await at.runAs('dispatcher', []);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    said += stdout;
    await pause(1050);
  }
  return said;
}

const namesIn = (at: RolesOffice, agent: string): readonly string[] =>
  readdirSync(join(at.tasksFolder, agent), { recursive: true, encoding: 'utf8' })
    .filter((name) => !['.wake', 'doing', 'done', 'blocked'].includes(name))
    .toSorted();

describe.runIf(CAN_BE_ANOTHER)('an agent with a Unix user of his own', () => {
  test.for([
    { where: 'a private folder of the dispatcher', target: (at: RolesOffice) => join(at.folder, 'private') },
    { where: 'the folder of another agent', target: () => '../greta' },
  ])('11.12, 12.1 links the place of attachments to $where: nothing is written there', async ({ target }) => {
    const at = await rolesOffice({ more: 'attachments: { save: true }\n' });
    const { picture } = privateFolder(at);
    const before = picture();
    await at.shell(
      'agent hans',
      `ln -s '${target(at)}' issue-5.attachments; ln -s '${target(at)}' issue-6.attachments`,
    );
    const attachments = [{ name: 'issue-9.md', size: 10 }];
    for (const number of [5, 6]) issue(at, number, 'hans', { attachments });
    issue(at, 7, 'greta');
    await passes(at, 3);
    expect(picture()).toEqual(before);
    expect(namesIn(at, 'greta')).toEqual(['issue-7.md']);
  });

  test.for(['done', 'archive', 'doing', 'blocked'])(
    "12.2 links %s to another agent's folder: her task is neither archived nor dispatched again",
    async (place) => {
      const at = await rolesOffice();
      issue(at, 1, 'greta');
      issue(at, 1 + 1, 'hans');
      await passes(at, 2);
      const text = at.read('.agent-tasks/greta/issue-1.md');
      await at.shell('agent hans', `rm -rf ${place} && ln -s ../greta ${place}`);
      // Hers is not over, his is.
      at.gitea.editIssue('acme/app#2', { state: 'closed' });
      await passes(at, 2);
      expect(namesIn(at, 'greta')).toEqual(['issue-1.md']);
      expect(at.read('.agent-tasks/greta/issue-1.md')).toBe(text);
    },
  );

  test('12.3 has a link for an archive and for the names of drafts and news: nothing lands behind them', async () => {
    const at = await rolesOffice();
    const { path, picture } = privateFolder(at);
    issue(at, 1);
    await passes(at, 1);
    const before = picture();
    await at.shell(
      'agent hans',
      `for name in archive .issue-1.update-1.md .issue-2.md issue-2.md; do rm -rf $name; ln -s '${path}' $name; done; ln -s '${path}/issue-1.md' issue-1.update-1.md`,
    );
    at.gitea.addComment('acme/app#1', { author: 'alice', body: 'More' });
    issue(at, 2);
    await passes(at, 1);
    at.gitea.editIssue('acme/app#1', { state: 'closed' });
    await passes(at, 2);
    expect(picture()).toEqual(before);
  });

  test('12.4 swaps links in where the metrics are written: the token stays shut', async () => {
    const at = await rolesOffice({ more: 'monitor: { metricsFile: .agent-tasks/hans/m.prom }\n' });
    const token = join(at.folder, 'token');
    const swap = `while :; do for name in m.prom m.prom.tmp m.prom.*.tmp; do ln -sfn '${token}' "$name"; done; done`;
    const swapper = spawn('setpriv', as('agent hans', ['sh', '-c', swap]), {
      cwd: join(at.tasksFolder, 'hans'),
      stdio: 'ignore',
      detached: true,
    });
    onTestFinished(() => void process.kill(-Number(swapper.pid), 'SIGKILL'));
    for (let pass = 0; pass < 6; pass += 1) await at.runAs('dispatcher', []);
    expect(statSync(token).mode & 0o777).toBe(0o600);
    expect(readFileSync(token, 'utf8')).toBe(at.gitea.token);
  });

  test('12.5 hands back by cp and rm, as a file of his own that nobody else may link: archived, and dispatched afresh', async () => {
    const at = await rolesOffice();
    issue(at, 1);
    await passes(at, 1);
    await at.shell('agent hans', 'mkdir -p done && cp issue-1.md done/ && rm -f issue-1.md');
    expect(statSync(join(at.tasksFolder, 'hans/done/issue-1.md')).uid).not.toBe(DISPATCHER);
    at.gitea.editIssue('acme/app#1', { state: 'closed' });
    expect(await passes(at, 1)).toContain('ARCHIVED');
    expect(namesIn(at, 'hans').filter((name) => name.endsWith('.md'))).toEqual(['archive/issue-1.md']);
    at.gitea.editIssue('acme/app#1', { state: 'open' });
    await passes(at, 1);
    expect(at.read('.agent-tasks/hans/issue-1.md')).toContain('attempt: 2\n');
    // And by hand over such a file.
    await at.shell('agent hans', 'cp issue-1.md done/ && rm -f issue-1.md');
    const forced = await at.runAs('dispatcher', ['dispatch', '--issue', '1', '--force']);
    expect(forced).toMatchObject({ code: 0, stdout: expect.stringContaining('DISPATCHED') });
    expect(namesIn(at, 'hans').filter((name) => name.endsWith('.md'))).toEqual([
      'archive/issue-1.2.md',
      'archive/issue-1.md',
      'issue-1.md',
    ]);
  });

  test('12.5, 14.5 makes a done/ of his own: pass, explain and doctor say it, with the command that mends it', async () => {
    const at = await rolesOffice();
    issue(at, 1);
    issue(at, 2, 'greta');
    await passes(at, 1);
    const mine = 'rm -rf done && mkdir done && mv issue-1.md done/';
    expect((await at.shell('agent hans', mine)).code).toBe(0);
    at.gitea.editIssue('acme/app#1', { state: 'closed' });
    const said = await passes(at, 2);
    expect(said).toMatch(/the task of acme\/app#1|acme\/app#1 .*done may not be written by this user/u);
    // The others go on.
    expect(namesIn(at, 'greta')).toEqual(['issue-2.md']);
    const doctor = async (): Promise<string> => (await at.runAs('dispatcher', ['doctor'])).stdout;
    const [, fix = ''] =
      /✖ agent folders +failed: nothing is dispatched to hans \(folder_unusable\): .*done may not be written.*\n {4}fix: sudo (.*)\n/u.exec(
        await doctor(),
      ) ?? [];
    execFileSync('sh', ['-c', fix.replaceAll('sudo ', '')]);
    expect(await doctor()).toMatch(/✔ agent folders +each can be read and written/u);
    expect((await at.shell('agent hans', 'touch done/mine && rm done/mine')).code).toBe(0);
    // What failed waits for a minute: it has its turn now.
    const state = JSON.parse(at.read('.agent-dispatcher/state.json'));
    at.write('.agent-dispatcher/state.json', JSON.stringify({ ...state, turns: {} }));
    expect(await passes(at, 1)).toContain('ARCHIVED');
    expect(namesIn(at, 'hans').filter((name) => name.endsWith('.md'))).toEqual(['archive/issue-1.md']);
  });

  test('12.7 plants what a command could find where it runs: the hook runs none of it', async () => {
    const told = 'onDispatch: { command: [sh, -c, "pwd; make; python3 -m notify; ls >&2; exit 3"] }\n';
    const at = await rolesOffice({ more: told });
    await at.shell(
      'agent hans',
      String.raw`printf 'all:\n\ttouch /tmp/dispatcher-pwned-$$PPID\n' > Makefile; echo 'open("pwned", "w")' > notify.py; printf '#!/bin/sh\ntouch pwned\n' | tee sh > make; chmod 755 sh make`,
    );
    issue(at, 1);
    const { stdout } = await at.runAs('dispatcher', [], {
      PATH: `.::${join(at.folder, 'nothing')}:${process.env['PATH']}`,
    });
    expect(stdout).toMatch(/onDispatch \(sh\) ended with 3: .*dispatcher\.yaml/u);
    expect(namesIn(at, 'hans')).not.toContain('pwned');
    expect(existsSync(join(at.folder, 'pwned'))).toBe(false);
  });

  test('12.8 swaps a folder against a link while the dashboard opens files in it: nothing private is shown', async () => {
    const at = await rolesOffice();
    issue(at, 1);
    await passes(at, 1);
    const { path } = privateFolder(at);
    await at.shell('agent hans', 'mkdir -p doing && cp issue-1.md doing/issue-1.md');
    // It runs as root: whatever it is made to open, it may.
    const board = await startDashboard(at);
    const swap = `while :; do mv -T doing x; ln -s '${path}' doing; rm -f doing; mv -T x doing; done`;
    const swapper = spawn('setpriv', as('agent hans', ['sh', '-c', swap]), {
      cwd: join(at.tasksFolder, 'hans'),
      stdio: 'ignore',
      detached: true,
    });
    onTestFinished(() => void process.kill(-Number(swapper.pid), 'SIGKILL'));
    const answers = { found: 0, missing: 0 };
    for (const end = Date.now() + 6000; Date.now() < end;) {
      const several = Array.from({ length: 20 }, async () => fetch(`${board.url}/tasks/hans/doing/issue-1.md?raw`));
      for (const answer of await Promise.all(several)) {
        expect(await answer.text()).not.toContain('PRIVATE');
        answers[answer.ok ? 'found' : 'missing'] += 1;
      }
    }
    // Both happened, or nothing was swapped while it was asked.
    expect(Math.min(answers.found, answers.missing)).toBeGreaterThan(0);
  });
});

test('12.11 repositories called done, archive and x.attachments: new tasks are new, and maxTasks is kept', async () => {
  const at = await rolesOffice();
  at.write(
    'dispatcher.yaml',
    at
      .read('dispatcher.yaml')
      .replace('[acme/app]', '["done/*", acme/archive, acme/x.attachments]')
      .replace('hans: {}', 'hans: { maxTasks: 2 }'),
  );
  const createdAt = new Date(Date.now() - HOUR);
  for (const repository of ['done/doing', 'acme/archive', 'acme/x.attachments'])
    at.gitea.addIssue({ repository, number: 1, assignees: ['hans'], createdAt });
  const run = (args: readonly string[]): ReturnType<typeof at.run> => at.run(args);
  for (let pass = 0; pass < 4; pass += 1) {
    expect(await run([])).toMatchObject({ code: 0, stderr: '' });
    await pause(1050);
  }
  expect(namesIn(at, 'hans').filter((name) => name.endsWith('.md'))).toHaveLength(2);
  expect(JSON.parse((await run(['status', '--json'])).stdout)).toMatchObject({
    agents: [{ name: 'greta' }, { name: 'hans', counts: { new: 2, done: 0 } }],
  });
});

test('12.11 an attachment that is called as a task is no page of the dashboard', async () => {
  const at = await rolesOffice({ more: 'attachments: { save: true }\n' });
  issue(at, 1, 'hans', { attachments: [{ name: 'issue-2.md', size: 10 }] });
  expect(await at.run([])).toMatchObject({ code: 0, stderr: '' });
  const saved = namesIn(at, 'hans').find((name) => name.endsWith('issue-2.md')) ?? '';
  expect(saved).toMatch(/^issue-1\.attachments\/.*issue-2\.md$/u);
  const board = await startDashboard(at);
  expect((await fetch(`${board.url}/tasks/hans/issue-1.md`)).status).toBe(200);
  for (const query of ['', '?raw']) expect((await fetch(`${board.url}/tasks/hans/${saved}${query}`)).status).toBe(404);
});
