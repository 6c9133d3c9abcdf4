// `work` with the built command: one task, one run.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { COMMAND, finished, NODE, type Workspace, workspace } from '../support/command.ts';
import { addTask, mailboxOf } from '../support/mailbox.ts';
import { CAN_MOUNT } from '../support/small-disk.ts';

const AS_HANS = { DISPATCHER_AGENT: 'hans' };
const YAML = 'gitea: { url: URL, repositories: [acme/app] }\nrateLimit: 1s\nagents: { hans: { attempts: 2 } }\n';
const dispatcher = `'${NODE}' '${COMMAND}'`;

async function office(...paths: readonly string[]): Promise<Workspace> {
  const at = await workspace({ yaml: YAML });
  for (const path of paths) addTask(at, path);
  return at;
}

const worked = (
  at: Workspace,
  script: string,
  args: readonly string[] = [],
  more: Readonly<Record<string, string>> = {},
) => at.run(['work', ...args, '--', 'sh', '-c', script], { ...AS_HANS, ...more });

const recordOf = (at: Workspace, name: string): Record<string, unknown> =>
  JSON.parse(at.read(`.agent-tasks/hans/${name}.work.json`));

async function until(happened: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200 && !happened(); tries += 1) await after(50);
  expect(happened()).toBe(true);
}

const isRunning = (pid: number): boolean => {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z ');
  } catch {
    return false;
  }
};

describe('a run that succeeds', () => {
  test('is done; the command gets the task and its news as input, facts in its environment, and no token', async () => {
    const at = await office('hans/issue-1.md');
    at.write('.agent-tasks/hans/issue-1.update-1.md', 'Some news.\n');
    const { code, stdout, stderr } = await worked(at, 'cat > input; env > environment; echo said', [], {
      GITEA_TOKEN: 'secret-token',
      GITEA_TOKEN_TEAM: 'secret-token',
    });
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toContain('acme/app#1 is done');
    expect(mailboxOf(at)).toEqual([
      'done/issue-1.md',
      'done/issue-1.output-1.txt',
      'done/issue-1.update-1.md',
      'done/issue-1.work.json',
    ]);
    expect(at.read('input')).toMatch(/^---\nschema: [^]*# acme\/app#1\n\nSome news\.\n$/u);
    const environment = at.read('environment');
    expect(environment).not.toContain('secret-token');
    expect(
      environment
        .split('\n')
        .filter((line) => line.startsWith('DISPATCHER_'))
        .toSorted(),
    ).toEqual([
      'DISPATCHER_AGENT=hans',
      'DISPATCHER_ATTEMPT=1',
      `DISPATCHER_FILE=${at.folder}/.agent-tasks/hans/doing/issue-1.md`,
      'DISPATCHER_PRIORITY=NORMAL',
      'DISPATCHER_REF=acme/app#1',
      'DISPATCHER_RUN=1',
      `DISPATCHER_TASKS=${at.folder}/.agent-tasks`,
      'DISPATCHER_TITLE=Issue 1',
      'DISPATCHER_TRIGGER=timer',
      'DISPATCHER_URL=',
    ]);
    expect(at.read('.agent-tasks/hans/done/issue-1.output-1.txt')).toBe('said\n');
  });

  test("no argument is a shell's", async () => {
    const at = await office('hans/issue-1.md');
    await at.run(['work', '--', 'touch', 'a b', '$(touch evil)', ';touch evil2'], AS_HANS);
    expect(
      ['a b', '$(touch evil)', ';touch evil2', 'evil', 'evil2'].map((name) => existsSync(join(at.folder, name))),
    ).toEqual([true, true, true, false, false]);
  });

  test('a command that hands the task back itself is believed, whatever it ends with', async () => {
    const at = await office('hans/issue-1.md');
    const { code, stderr } = await worked(at, `${dispatcher} block --reason 'which table?'; exit 7`);
    expect(code).toBe(0);
    expect(stderr).toContain('was handed back by the command itself: blocked');
    expect(mailboxOf(at)).toEqual(['blocked/issue-1.md', 'blocked/issue-1.output-1.txt', 'blocked/issue-1.work.json']);
    expect(recordOf(at, 'blocked/issue-1')).toMatchObject({
      attempts: 0,
      events: [{ outcome: 'blocked', reason: 'which table?' }],
    });
  });
});

describe('a run that fails', () => {
  test('is tried again after a back-off, and after the last attempt blocked with what it printed last', async () => {
    const at = await office('hans/issue-1.md', 'hans/issue-2.md');
    expect((await worked(at, 'echo one; echo bad news >&2; exit 3')).code).toBe(1);
    expect(recordOf(at, 'issue-1')).toMatchObject({
      attempts: 1,
      events: [{ outcome: 'failed', reason: expect.stringContaining('ended with 3: ') }],
    });
    // It does not stand in the way of the next one.
    expect((await worked(at, 'true')).stderr).toContain('acme/app#2 is done');
    expect(await worked(at, 'true')).toMatchObject({
      code: 6,
      stderr: 'dispatcher: no new task for hans; 1 wait after a failed run\n',
    });
    const record = recordOf(at, 'issue-1');
    at.write('.agent-tasks/hans/issue-1.work.json', JSON.stringify({ ...record, retryAt: '2020-01-01T00:00:00Z' }));
    await worked(at, 'echo it was the wind; exit 3');
    expect(mailboxOf(at)).toContain('blocked/issue-1.md');
    expect(recordOf(at, 'blocked/issue-1')).toMatchObject({
      attempts: 0,
      events: [
        { outcome: 'failed' },
        { outcome: 'failed' },
        { outcome: 'blocked', reason: '2 runs failed; the run ended with 3: it was the wind' },
      ],
    });
  });

  test('a program that does not exist costs no task an attempt', async () => {
    const at = await office('hans/issue-1.md');
    expect(await at.run(['work', '--', 'no-such-agent'], AS_HANS)).toMatchObject({ code: 2 });
    expect(mailboxOf(at)).toEqual(['issue-1.md']);
  });

  test('its time limit ends all that it started, also what ignores SIGTERM or is in the background', async () => {
    const at = await office('hans/issue-1.md');
    const { code, stderr } = await worked(
      at,
      'echo $$ > pids; (trap "" TERM; echo deaf; sleep 99 & echo $! >> pids; wait) & sleep 98',
      ['--timeout', '1s'],
    );
    expect(code).toBe(1);
    expect(stderr).toContain('took longer than 1s and was ended');
    expect(
      at
        .read('pids')
        .trim()
        .split('\n')
        .map((pid) => isRunning(Number(pid))),
    ).toEqual([false, false]);
    expect(recordOf(at, 'issue-1')).toMatchObject({ events: [{ outcome: 'timed_out' }] });
  }, 30_000);

  test('what it leaves running ends with it, and what escapes from its group holds nobody up', async () => {
    const at = await office('hans/issue-1.md');
    const startedAt = performance.now();
    const { code } = await worked(at, 'sleep 97 & echo $! > pids; setsid sleep 30 & exit 0');
    expect(code).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(8000);
    expect(isRunning(Number(at.read('pids')))).toBe(false);
  });
});

describe('a run that is stopped from outside', () => {
  test('Ctrl-C gives the task back untouched, and ends the command', async () => {
    const at = await office('hans/issue-1.md');
    const worker = at.start(['work', '--', 'sh', '-c', 'echo $$ > pid; sleep 99'], AS_HANS);
    await until(() => existsSync(join(at.folder, 'pid')) && at.read('pid') !== '');
    worker.kill('SIGINT');
    expect(await finished(worker)).toMatchObject({
      code: 130,
      stderr: expect.stringContaining('is new again: the run was interrupted'),
    });
    expect(mailboxOf(at)).toContain('issue-1.md');
    expect(isRunning(Number(at.read('pid')))).toBe(false);
    expect(recordOf(at, 'issue-1')).toMatchObject({ attempts: 0, retryAt: null });
  });

  test('a pass that archives the task ends the command, which is said', async () => {
    const at = await workspace({ yaml: YAML });
    at.gitea.addIssue({ repository: 'acme/app', number: 1, assignees: ['hans'] });
    await at.run([]);
    const worker = at.start(['work', '--', 'sh', '-c', 'echo $$ > pid; sleep 99'], AS_HANS);
    await until(() => existsSync(join(at.folder, 'pid')) && at.read('pid') !== '');
    at.gitea.editIssue('acme/app#1', { state: 'closed' });
    await at.run([]);
    expect(await finished(worker)).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('was archived meanwhile'),
    });
    expect(isRunning(Number(at.read('pid')))).toBe(false);
    expect(mailboxOf(at).filter((name) => name.endsWith('.md'))).toEqual(['archive/issue-1.md']);
  }, 30_000);

  test("while a killed worker's command still runs, nobody else gets the task; then the next one does, as another attempt", async () => {
    const at = await office('hans/issue-1.md');
    const worker = at.start(['work', '--', 'sh', '-c', 'echo $$ > pid; sleep 99'], AS_HANS);
    await until(() => existsSync(join(at.folder, 'pid')) && at.read('pid') !== '');
    worker.kill('SIGKILL');
    await finished(worker);
    const pid = Number(at.read('pid'));
    expect((await worked(at, 'true')).code).toBe(6);
    process.kill(-pid, 'SIGKILL');
    await until(() => !isRunning(pid));
    expect((await worked(at, 'true')).stderr).toContain('run 2 of sh');
    expect(mailboxOf(at)).toContain('done/issue-1.md');
    expect(recordOf(at, 'done/issue-1')).toMatchObject({ events: [{ outcome: 'gone' }, { outcome: 'done' }] });
  }, 30_000);

  test('a task that was lost in as many runs as are allowed is blocked', async () => {
    const at = await office('hans/issue-1.md');
    for (const _ of [1, 2]) {
      const worker = at.start(['work', '--', 'sh', '-c', 'echo $$ > pid; sleep 99'], AS_HANS);
      await until(() => existsSync(join(at.folder, 'pid')) && at.read('pid') !== '');
      const pid = Number(at.read('pid'));
      worker.kill('SIGKILL');
      await finished(worker);
      process.kill(-pid, 'SIGKILL');
      await until(() => !isRunning(pid));
      at.write('pid', '');
    }
    expect((await worked(at, 'true')).code).toBe(6);
    expect(mailboxOf(at)).toContain('blocked/issue-1.md');
  }, 30_000);
});

describe('what a command prints', () => {
  test('a gigabyte is kept in part, and costs no memory', async () => {
    const at = await office('hans/issue-1.md');
    const { code } = await worked(
      at,
      'ulimit -v unlimited; head -c 1000000000 /dev/zero | tr "\\\\0" "x"; echo; echo the end; exit 0',
    );
    expect(code).toBe(0);
    const kept = join(at.folder, '.agent-tasks/hans/done/issue-1.output-1.txt');
    expect(statSync(kept).size).toBeLessThan(1_000_000);
    expect(readFileSync(kept, 'utf8').trimEnd().endsWith('the end')).toBe(true);
  }, 300_000);

  test('no secret and nothing that steers a terminal is kept', async () => {
    const at = await office('hans/issue-1.md');
    await worked(at, String.raw`printf 'token=hunter2hunter2\n\033[2J\033]0;x\007seen\n'; exit 1`);
    const kept = at.read('.agent-tasks/hans/issue-1.output-1.txt');
    expect(kept).not.toContain('hunter2');
    expect(kept).not.toContain('\u001b');
    expect(kept).toContain('seen');
    expect(JSON.stringify(recordOf(at, 'issue-1'))).not.toMatch(/hunter2|\\u001b/u);
  });
});

test('a file in the place of what is printed, or of the record, is not written through', async () => {
  const at = await office('hans/issue-1.md');
  mkdirSync(join(at.folder, '.agent-tasks/hans/doing'));
  writeFileSync(join(at.folder, 'precious'), 'precious');
  const { symlinkSync } = await import('node:fs');
  for (const name of ['doing/issue-1.output-1.txt', 'doing/issue-1.work.json'])
    symlinkSync(join(at.folder, 'precious'), join(at.folder, '.agent-tasks/hans', name));
  await worked(at, 'echo said; exit 1');
  expect(at.read('precious')).toBe('precious');
});

test('a task that is moved by hand while it is worked on is where it was put', async () => {
  const at = await office('hans/issue-1.md');
  const home = join(at.folder, '.agent-tasks/hans');
  mkdirSync(join(home, 'done'));
  const { stderr } = await worked(at, `mv -n '${home}/doing/issue-1.md' '${home}/done/issue-1.md'; exit 1`);
  expect(stderr).toContain('handed back by the command itself: done');
  renameSync(join(home, 'done/issue-1.md'), join(home, 'issue-1.md'));
});

test('a folder that cannot be looked into while a run goes on costs neither what it came to, nor its time limit', async () => {
  const at = await office('hans/issue-1.md', 'hans/issue-2.md');
  const hides = 'mv .agent-tasks/hans away; ln -s "$PWD/away" .agent-tasks/hans';
  const shows = 'rm .agent-tasks/hans; mv away .agent-tasks/hans';
  expect(await worked(at, `${hides}; sleep 2.5; ${shows}`)).toMatchObject({ code: 0 });
  expect(mailboxOf(at)).toContain('done/issue-1.md');
  const begun = Date.now();
  const ended = await worked(at, `trap '${shows}; exit 1' TERM; ${hides}; sleep 30 & wait`, ['--timeout', '3s']);
  expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('took longer than 3s') });
  expect(Date.now() - begun).toBeLessThan(20_000);
}, 60_000);

test.skipIf(!CAN_MOUNT)(
  'a disk that is full before the run begins, or when it has succeeded, holds no worker up and has no run done twice',
  async () => {
    const at = await workspace({ yaml: YAML });
    const disk = join(at.folder, '.agent-tasks');
    const ballast = join(disk, 'ballast');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]);
    onTestFinished(() => void execFileSync('umount', [disk]));
    addTask(at, 'hans/issue-1.md');
    const fill = `dd if=/dev/zero of='${ballast}' bs=4k 2> '${at.folder}/dd'`;
    spawnSync('sh', ['-c', `${fill}; truncate -s -4k '${ballast}'`]);
    expect(await worked(at, 'echo never')).toMatchObject({ code: 1, stderr: expect.stringContaining('ENOSPC') });
    rmSync(ballast);
    const ran = join(at.folder, 'ran');
    await worked(at, `echo once >> '${ran}'; ${fill}; true`);
    rmSync(ballast);
    await worked(at, `echo again >> '${ran}'`);
    expect(readFileSync(ran, 'utf8')).toBe('once\n');
    expect(mailboxOf(at)).toContain('done/issue-1.md');
  },
  60_000,
);
