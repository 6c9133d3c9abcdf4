// The agent's side with the built command: take a task, hand it back.

import { chmodSync, chownSync, mkdirSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { spawn, spawnSync } from 'node:child_process';
import { setTimeout as after } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { addTask, mailboxOf } from '../support/mailbox.ts';
import { COMMAND, type Finished, finished, NODE, RECORDING, type Workspace, workspace } from '../support/command.ts';

const YAML =
  'gitea: { url: URL, repositories: [acme/app] }\nagents: { hans: {}, greta: { maxTasks: 1 } }\nrateLimit: 1s\n';
const AS_HANS = { DISPATCHER_AGENT: 'hans' };

const CAN_TRACE = spawnSync('strace', ['-qq', '-e', 'trace=none', 'true']).status === 0;

const ofHans = (at: Workspace): readonly string[] =>
  at.tasks().flatMap((name) => (name.endsWith('.md') ? [name.replace('.agent-tasks/hans/', '')] : []));

const taskOf = ({ stdout }: Finished): string => stdout.trim().replace(/^.*\.agent-tasks\/hans\//u, '');

describe('next', () => {
  test('takes the most urgent new task, then the oldest, and exits 6 when there is none', async () => {
    const at = await workspace({ yaml: YAML });
    addTask(at, 'hans/issue-1.md');
    addTask(at, 'hans/issue-2.md', { priority: 'HIGH' });
    addTask(at, 'hans/issue-3.md', { priority: 'HIGH', createdAt: '1969-01-01T00:00:00Z' });
    const runs = [];
    for (let count = 0; count < 4; count += 1) runs.push(await at.run(['next'], AS_HANS));
    expect(runs.map(taskOf)).toEqual(['doing/issue-3.md', 'doing/issue-2.md', 'doing/issue-1.md', '']);
    expect(runs.map(({ code }) => code)).toEqual([0, 0, 0, 6]);
    expect(runs.at(-1)?.stderr).toBe('dispatcher: no new task for hans\n');
    expect(ofHans(at)).toEqual(['doing/issue-1.md', 'doing/issue-2.md', 'doing/issue-3.md']);
  });

  test('--peek tells which one it would be, and moves nothing', async () => {
    const at = await workspace({ yaml: YAML });
    addTask(at, 'hans/issue-1.md');
    expect(taskOf(await at.run(['next', '--peek'], AS_HANS))).toBe('issue-1.md');
    expect(ofHans(at)).toEqual(['issue-1.md']);
  });

  test('--json is one document with front matter, news, attachments and text', async () => {
    const at = await workspace({ yaml: YAML });
    addTask(at, 'hans/issue-1.md');
    at.write('.agent-tasks/hans/issue-1.update-1.md', 'It happens at night.\n');
    mkdirSync(join(at.folder, '.agent-tasks/hans/issue-1.attachments'));
    const { stdout } = await at.run(['next', '--json'], AS_HANS);
    const doing = join(at.folder, '.agent-tasks/hans/doing');
    expect(JSON.parse(stdout)).toMatchObject({
      schemaVersion: 1,
      agent: 'hans',
      ref: 'acme/app#1',
      title: 'Issue 1',
      priority: 'NORMAL',
      stage: 'doing',
      file: `${doing}/issue-1.md`,
      attempt: 1,
      events: [],
      attachments: `${doing}/issue-1.attachments`,
      news: [{ file: `${doing}/issue-1.update-1.md`, text: 'It happens at night.\n' }],
      frontMatter: { schema: 'dispatcher.task/1', issue: 1 },
      text: expect.stringContaining('# acme/app#1'),
    });
  });

  test('--wait ends as soon as a task appears, also below a folder that is new', async () => {
    const at = await workspace({ yaml: YAML });
    addTask(at, 'hans/done/issue-9.md');
    const waiting = at.start(['next', '--wait', '30s'], AS_HANS);
    setTimeout(() => addTask(at, 'hans/issue-1.md'), 1000);
    const startedAt = performance.now();
    expect(taskOf(await finished(waiting))).toBe('doing/issue-1.md');
    expect(performance.now() - startedAt).toBeLessThan(4000);
    expect((await at.run(['next', '--wait', '1s'], AS_HANS)).code).toBe(6);
  });

  test.skipIf(!CAN_TRACE)(
    '--wait finds it also where no folder can be watched, by looking again',
    async () => {
      const at = await workspace({ yaml: YAML });
      addTask(at, 'hans/done/issue-9.md');
      const blind = ['-f', '-qq', '-o', '/dev/null', '-e', 'trace=inotify_init1,inotify_add_watch'];
      const waiting = spawn(
        'strace',
        [...blind, '-e', 'inject=inotify_init1,inotify_add_watch:error=EMFILE', NODE, COMMAND, 'next', '--wait', '60s'],
        { cwd: at.folder, env: { PATH: process.env['PATH'], HOME: at.folder, ...AS_HANS }, stdio: 'pipe' },
      );
      setTimeout(() => addTask(at, 'hans/issue-1.md'), 2000);
      const startedAt = performance.now();
      expect(taskOf(await finished(waiting))).toBe('doing/issue-1.md');
      expect(performance.now() - startedAt).toBeLessThan(20_000);
    },
    40_000,
  );

  test('of eight at once each gets another task', async () => {
    const at = await workspace({ yaml: YAML });
    for (let issue = 1; issue <= 6; issue += 1) addTask(at, `hans/issue-${issue}.md`);
    const runs = await Promise.all(Array.from({ length: 8 }, async () => at.run(['next'], AS_HANS)));
    const tasks = runs.map(taskOf).filter((task) => task !== '');
    expect(new Set(tasks).size).toBe(6);
    expect(tasks).toHaveLength(6);
    expect(runs.filter(({ code }) => code === 6)).toHaveLength(2);
  });

  test('--stalled takes a task whose taker is gone, and leaves one whose taker lives', async () => {
    const at = await workspace({ yaml: YAML });
    addTask(at, 'hans/issue-1.md');
    addTask(at, 'hans/issue-2.md');
    const gone = spawn('sleep', ['60']);
    await at.run(['next', '--pid', String(gone.pid)], AS_HANS);
    await at.run(['next', '--pid', String(process.pid)], AS_HANS);
    expect((await at.run(['next', '--stalled'], AS_HANS)).code).toBe(6);
    gone.kill('SIGKILL');
    await new Promise((resolve) => gone.on('close', resolve));
    const { stdout } = await at.run(['next', '--stalled', '--json'], AS_HANS);
    expect(JSON.parse(stdout)).toMatchObject({
      ref: 'acme/app#1',
      attempt: 2,
      events: [{ outcome: 'gone', reason: expect.stringContaining(`process ${gone.pid}, and never handed back`) }],
    });
    expect((await at.run(['next', '--stalled'], AS_HANS)).code).toBe(6);
  });
});

describe('done, block, release', () => {
  test('move the task with its news, and write down why', async () => {
    const at = await workspace({ yaml: YAML });
    for (const issue of [1, 2, 3]) addTask(at, `hans/issue-${issue}.md`);
    at.write('.agent-tasks/hans/issue-2.update-1.md', 'News\n');
    for (const _ of [1, 2, 3]) await at.run(['next'], AS_HANS);
    const done = await at.run(
      ['done', '1', '--pr', 'https://git.example.com/acme/app/pulls/7', '--note', 'see there'],
      AS_HANS,
    );
    expect(done).toMatchObject({ code: 0, stdout: '', stderr: expect.stringContaining('acme/app#1 is done: ') });
    await at.run(['block', 'acme/app#2', '--reason', 'which\ntable?'], AS_HANS);
    await at.run(['release'], AS_HANS);
    expect(at.tasks().filter((name) => !name.endsWith('.json'))).toEqual([
      '.agent-tasks/hans/blocked/issue-2.md',
      '.agent-tasks/hans/blocked/issue-2.update-1.md',
      '.agent-tasks/hans/done/issue-1.md',
      '.agent-tasks/hans/issue-3.md',
    ]);
    expect(JSON.parse(at.read('.agent-tasks/hans/done/issue-1.work.json'))).toMatchObject({
      schema: 'dispatcher.work/1',
      events: [{ outcome: 'done', pullRequest: 'https://git.example.com/acme/app/pulls/7', note: 'see there' }],
    });
    expect(JSON.parse(at.read('.agent-tasks/hans/blocked/issue-2.work.json'))).toMatchObject({
      events: [{ outcome: 'blocked', reason: 'which table?' }],
    });
  });

  test('need no name while one task is taken, and ask for it when several are', async () => {
    const at = await workspace({ yaml: YAML });
    for (const issue of [1, 2]) addTask(at, `hans/issue-${issue}.md`);
    expect(await at.run(['done'], AS_HANS)).toMatchObject({
      code: 6,
      stderr: expect.stringContaining('no task in doing/'),
    });
    await at.run(['next'], AS_HANS);
    await at.run(['next'], AS_HANS);
    const unclear = await at.run(['done'], AS_HANS);
    expect(unclear.code).toBe(2);
    expect(unclear.stderr).toContain('acme/app#1, acme/app#2');
    await at.run(['done'], { ...AS_HANS, DISPATCHER_FILE: join(at.folder, '.agent-tasks/hans/doing/issue-2.md') });
    expect(ofHans(at)).toEqual(['doing/issue-1.md', 'done/issue-2.md']);
  });

  test('a path may be an older one of the task', async () => {
    const at = await workspace({ yaml: YAML });
    addTask(at, 'hans/issue-1.md');
    await at.run(['next'], AS_HANS);
    expect(await at.run(['done', '.agent-tasks/hans/issue-1.md'])).toMatchObject({ code: 0 });
    expect(ofHans(at)).toEqual(['done/issue-1.md']);
  });

  test.for(['../../etc/passwd.md', '/etc/x.md', '.agent-tasks/hans/../greta/issue-1.md', 'nonsense'])(
    '%s is refused',
    async (task) => {
      const at = await workspace({ yaml: YAML });
      addTask(at, 'hans/issue-1.md');
      addTask(at, 'greta/issue-1.md');
      expect((await at.run(['done', task, '--agent', 'hans'])).code).toBe(2);
      expect(at.tasks()).toEqual(['.agent-tasks/greta/issue-1.md', '.agent-tasks/hans/issue-1.md']);
    },
  );

  test('nothing is put over a file that has the name already', async () => {
    const at = await workspace({ yaml: YAML });
    addTask(at, 'hans/issue-1.md');
    at.write('.agent-tasks/hans/done', '');
    expect(await at.run(['done', '1'], AS_HANS)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is not a folder'),
    });
    expect(ofHans(at)).toEqual(['issue-1.md']);
  });
});

describe('plain mv says the same as the commands', () => {
  test('and what was moved by hand is found, also below the folder of its repository', async () => {
    const at = await workspace({ yaml: YAML.replace('[acme/app]', '[acme/app, acme/api]') });
    for (const repo of ['app', 'api']) {
      addTask(at, `hans/acme/${repo}/issue-1.md`, {
        ref: `acme/${repo}#1`,
        repository: `acme/${repo}`,
      });
    }
    const home = join(at.folder, '.agent-tasks/hans');
    mkdirSync(join(home, 'doing'));
    renameSync(join(home, 'acme/app/issue-1.md'), join(home, 'doing/issue-1.md'));
    expect(taskOf(await at.run(['next'], AS_HANS))).toBe('doing/acme/api/issue-1.md');
    expect((await at.run(['done', '1'], AS_HANS)).code).toBe(2);
    await at.run(['done', 'acme/app#1'], AS_HANS);
    await at.run(['done', 'acme/api#1'], AS_HANS);
    expect(ofHans(at)).toEqual(['done/acme/api/issue-1.md', 'done/acme/app/issue-1.md']);
  });

  test('a task that is taken, blocked or parked is dispatched once, and maxTasks counts new and taken ones', async () => {
    const at = await workspace({ yaml: YAML });
    for (const number of [1, 2]) {
      at.gitea.addIssue({ repository: 'acme/app', number, assignees: ['greta'], createdAt: new Date(number * 1000) });
    }
    await at.run([]);
    await at.run(['next', '--agent', 'greta']);
    const rows = async (): Promise<unknown> =>
      JSON.parse((await at.run(['explain', '--json'])).stdout).rows.map(
        (row: Record<string, unknown>) => row['reason'] ?? row['outcome'],
      );
    await at.run(['dispatch', '-q']);
    expect(await rows()).toEqual(['dispatched', 'agent_busy']);
    const home = join(at.folder, '.agent-tasks/greta');
    mkdirSync(join(home, 'parked'));
    renameSync(join(home, 'doing/issue-1.md'), join(home, 'parked/issue-1.md'));
    await at.run(['dispatch', '-q']);
    expect(await rows()).toEqual(['dispatched', 'agent_busy']);
    await at.run(['block', '1', '--agent', 'greta', '--reason', 'who knows?']);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await at.run(['dispatch', '-q']);
    expect(at.tasks().filter((name) => name.endsWith('.md'))).toEqual([
      '.agent-tasks/greta/blocked/issue-1.md',
      '.agent-tasks/greta/issue-2.md',
    ]);
  });

  test('a closed issue takes its task out of doing/ or blocked/, with all that belongs to it', async () => {
    const at = await workspace({ yaml: YAML });
    at.gitea.addIssue({ repository: 'acme/app', number: 1, assignees: ['hans'] });
    await at.run([]);
    await at.run(['next', '--pid', String(process.pid)], AS_HANS);
    await at.run(['block', '--reason', 'x'], AS_HANS);
    await at.run(['release', '1'], AS_HANS);
    await at.run(['next', '--pid', String(process.pid)], AS_HANS);
    at.gitea.editIssue('acme/app#1', { state: 'closed' });
    await at.run([]);
    expect(at.tasks().filter((name) => name.includes('/hans/'))).toEqual([
      '.agent-tasks/hans/archive/issue-1.md',
      '.agent-tasks/hans/archive/issue-1.work.json',
    ]);
    expect(await at.run(['done', '1'], AS_HANS)).toMatchObject({
      code: 6,
      stderr: expect.stringContaining('no task 1'),
    });
  });
});

test.for([
  ['moved alone by hand', (home: string) => renameSync(join(home, 'doing/issue-1.md'), join(home, 'done/issue-1.md'))],
  ['deleted', (home: string) => rmSync(join(home, 'doing/issue-1.md'))],
] as const)(
  'what belonged to a task that was %s is archived, and none of it is taken for that of the next one',
  async ([, act]) => {
    const at = await workspace({ yaml: YAML });
    const home = join(at.folder, '.agent-tasks/hans');
    at.gitea.addIssue({ repository: 'acme/app', number: 1, assignees: ['hans'] });
    await at.run([]);
    await at.run(['work', '--', 'false'], AS_HANS);
    const record = JSON.parse(at.read('.agent-tasks/hans/issue-1.work.json'));
    at.write('.agent-tasks/hans/issue-1.work.json', JSON.stringify({ ...record, retryAt: null }));
    at.gitea.addComment('acme/app#1', { author: 'alice', body: 'Of the first time.' });
    await at.run([]);
    await at.run(['next'], AS_HANS);
    mkdirSync(join(home, 'done'), { recursive: true });
    act(home);
    at.gitea.editIssue('acme/app#1', { state: 'closed' });
    await at.run([]);
    at.gitea.editIssue('acme/app#1', { state: 'open' });
    await after(1100);
    await at.run([]);
    const { stdout } = await at.run(['next', '--json'], AS_HANS);
    expect(JSON.parse(stdout)).toMatchObject({ attempt: 1, events: [], news: [] });
    const archived = mailboxOf(at).filter((name) => name.startsWith('archive/'));
    expect(archived).toEqual(expect.arrayContaining(['archive/issue-1.update-1.md', 'archive/issue-1.work.json']));
  },
);

describe('a task that is blocked or done, and people write', () => {
  const answered = async (yaml: string, verb: readonly string[]): Promise<Workspace> => {
    const at = await workspace({ yaml });
    at.gitea.addIssue({ repository: 'acme/app', number: 1, assignees: ['hans'] });
    await at.run([]);
    await at.run(['next'], AS_HANS);
    await at.run(verb, AS_HANS);
    at.gitea.addComment('acme/app#1', { author: 'alice', body: 'The second one.' });
    await at.run([]);
    return at;
  };

  test.for([
    ['blocked', ['block', '--reason', 'which table?']],
    ['done', ['done']],
  ] as const)('is new again with its news, when it was %s; the log says so', async ([stage, verb]) => {
    const at = await answered(YAML, verb);
    expect(ofHans(at)).toEqual(['issue-1.md', 'issue-1.update-1.md']);
    expect(at.read('.agent-dispatcher.log')).toContain(`has news (comments); it was ${stage}, and is new again`);
    const { stdout } = await at.run(['next', '--json'], AS_HANS);
    expect(JSON.parse(stdout)).toMatchObject({
      attempt: 1,
      events: [{ outcome: stage }, { outcome: 'released', reason: 'the issue has news' }],
      news: [{ text: expect.stringContaining('> The second one.') }],
    });
  });

  test('is new again also when it has all the files of news that there will be, and only for what was written since', async () => {
    const at = await workspace({ yaml: YAML });
    at.gitea.addIssue({ repository: 'acme/app', number: 1, assignees: ['hans'] });
    await at.run([]);
    const state = JSON.parse(at.read('.agent-dispatcher/state.json'));
    for (const task of Object.values<Record<string, unknown>>(state.tasks)) task['updates'] = 20;
    at.write('.agent-dispatcher/state.json', JSON.stringify(state));
    const says = async (body: string): Promise<void> => {
      at.gitea.addComment('acme/app#1', { author: 'alice', body });
      await at.run([]);
    };
    await at.run(['next'], AS_HANS);
    await says('While it is worked on.');
    for (const verb of [['block', '--reason', 'which table?'], ['done']]) {
      await at.run([...verb], AS_HANS);
      await at.run([]);
      expect(ofHans(at)).toEqual([`${verb[0] === 'done' ? 'done' : 'blocked'}/issue-1.md`]);
      await says(`After ${verb[0]}.`); // the same words in the same second would be the same comment
      expect(ofHans(at)).toEqual(['issue-1.md']);
      const { events } = JSON.parse((await at.run(['next', '--json'], AS_HANS)).stdout);
      expect(events.at(-1)).toMatchObject({
        outcome: 'released',
        reason: `the issue has news; read it there, it has its 20 files: ${at.gitea.url}/acme/app/issues/1`,
      });
    }
    expect(at.read('.agent-dispatcher.log').match(/ NEWS: /gu)).toHaveLength(2);
  });

  test('stays where it is with updates.reopen: false, and its news with it', async () => {
    const at = await answered(`${YAML}updates: { reopen: false }\n`, ['block', '--reason', 'which table?']);
    expect(ofHans(at)).toEqual(['blocked/issue-1.md', 'blocked/issue-1.update-1.md']);
  });
});

describe('an agent as a user of its own', () => {
  const asNobody = async (at: Workspace, args: readonly string[]): Promise<Finished> =>
    finished(
      spawn('setpriv', ['--reuid=65534', '--regid=65533', '--groups=60123', NODE, COMMAND, ...args], {
        cwd: '/',
        env: { PATH: process.env['PATH'], ...RECORDING, ...AS_HANS, DISPATCHER_TASKS: join(at.folder, '.agent-tasks') },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );

  const office = async (): Promise<Workspace> => {
    const at = await workspace({ yaml: YAML });
    at.gitea.addIssue({ repository: 'acme/app', number: 1, assignees: ['hans'] });
    at.write('token', at.gitea.token);
    for (const name of ['dispatcher.yaml', 'token']) chmodSync(join(at.folder, name), 0o600);
    return at;
  };

  test.skipIf(process.getuid?.() !== 0)(
    'takes and hands back by the group of a shared folder, under any umask',
    async () => {
      const at = await office();
      chownSync(at.folder, 0, 60123);
      chmodSync(at.folder, 0o2775);
      await at.run([]);
      expect(taskOf(await asNobody(at, ['next']))).toBe('doing/issue-1.md');
      expect(await asNobody(at, ['block', '--reason', 'x'])).toMatchObject({ code: 0 });
      // Its dispatcher may still move what the agent made.
      const record = statSync(join(at.folder, '.agent-tasks/hans/blocked/issue-1.work.json'));
      expect([record.uid, record.gid, record.mode & 0o060]).toEqual([65534, 60123, 0o060]);
      expect(await asNobody(at, ['release', '1'])).toMatchObject({ code: 0 });
    },
  );

  test.skipIf(process.getuid?.() !== 0)('is told how to be let in when it may not', async () => {
    const at = await office();
    chmodSync(at.folder, 0o755);
    await at.run([]);
    const refused = await asNobody(at, ['next']);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(
      /may not work in the task folder: EACCES.*\n {2}fix: agents get into the task folder by its group.*sudo dispatcher doctor/u,
    );
    // What opens the whole folder to a group lets each agent write in those of all.
    expect(refused.stderr).not.toMatch(/ -R /u);
  });

  test.skipIf(process.getuid?.() !== 0)('is not told to add to a group what has no account', async () => {
    const at = await office();
    chmodSync(at.folder, 0o755);
    await at.run([]);
    const args = ['next', '--tasks', join(at.folder, '.agent-tasks'), '--agent', 'hans'];
    const line = ['--reuid=47111', '--regid=47111', '--clear-groups', NODE, COMMAND, ...args];
    const refused = await finished(spawn('setpriv', line, { cwd: '/', env: { PATH: process.env['PATH'], HOME: '/' } }));
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/fix: user 47111 has no account/u) });
    expect(refused.stderr).not.toContain('usermod');
  });
});

test('links, pipes and folders in the places of tasks are not taken for tasks', async () => {
  const at = await workspace({ yaml: YAML });
  addTask(at, 'hans/issue-1.md');
  at.write('secret.md', '---\nref: "acme/app#9"\npriority: "CRITICAL"\n---\n');
  const home = join(at.folder, '.agent-tasks/hans');
  symlinkSync(join(at.folder, 'secret.md'), join(home, 'issue-9.md'));
  symlinkSync(at.folder, join(home, 'elsewhere'));
  mkdirSync(join(home, 'issue-8.md'));
  await finished(spawn('mkfifo', [join(home, 'issue-7.md')]));
  expect(taskOf(await at.run(['next'], AS_HANS))).toBe('doing/issue-1.md');
  expect((await at.run(['next'], AS_HANS)).code).toBe(6);
});
