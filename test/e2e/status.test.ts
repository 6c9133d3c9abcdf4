import { spawn, spawnSync } from 'node:child_process';
import { closeSync, fstatSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { COMMAND, finished, NODE, RECORDING, type Workspace, workspace } from '../support/command.ts';
import { clockOf, noFaketime } from '../support/faketime.ts';

const has = (command: string): boolean => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;

async function afterOnePass(): Promise<Workspace> {
  const at = await workspace({
    yaml: 'gitea:\n  url: URL\n  repositories: [acme/app]\nagents: { hans: {}, greta: {} }\n',
  });
  at.gitea.addIssue({
    repository: 'acme/app',
    number: 1,
    title: 'First',
    labels: ['critical'],
    assignees: ['hans'],
  });
  at.gitea.addIssue({ repository: 'acme/app', number: 2, title: 'Second', assignees: ['greta'] });
  await at.run([]);
  return at;
}

describe('dispatcher status', () => {
  test('needs neither token nor network', async () => {
    const at = await afterOnePass();
    const asked = at.gitea.requests.length;
    const { code, stdout, stderr } = await at.run(['status'], { GITEA_TOKEN: '' });
    expect(code).toBe(0);
    expect(stderr).toMatch(/^● ok: last pass \d+s ago, dispatched acme\/app#1\n$/u);
    expect(stdout).toMatch(
      /^greta\tNORMAL\tacme\/app#2\tSecond\tnext\t\S+Z\nhans\tCRITICAL\tacme\/app#1\tFirst\tnew\t\S+Z\n$/u,
    );
    expect(at.gitea.requests).toHaveLength(asked);
  });

  test('prints one JSON document, of one agent when asked', async () => {
    const at = await afterOnePass();
    const document = JSON.parse((await at.run(['status', '--json', '--agent', 'Hans'])).stdout);
    expect(document).toMatchObject({ schemaVersion: 1, health: 'ok', agents: [{ name: 'hans' }] });
    expect(await at.run(['status', '--agent', 'bob'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('there is no agent bob\n  fix: agents: greta, hans'),
    });
  });

  test('says of the whole office why nothing goes, also when asked for one agent', async () => {
    const at = await afterOnePass();
    await at.run(['pause', '--agent', 'greta']);
    await at.run([]);
    const { stderr } = await at.run(['status', '--agent', 'hans']);
    expect(stderr).toMatch(/^● ok: last pass \d+s ago, nothing to dispatch: paused 1\n/u);
    const all = JSON.parse((await at.run(['status', '--json'])).stdout);
    const own = JSON.parse((await at.run(['status', '--json', '--agent', 'hans'])).stdout);
    expect(own).toMatchObject({ counts: all.counts, skipped: all.skipped, rest: all.rest });
  });

  test('--exit-status is 0 after a good pass and 3 after a failed one', async () => {
    const at = await afterOnePass();
    expect((await at.run(['status', '--exit-status'])).code).toBe(0);
    await at.gitea.close();
    expect((await at.run([])).code).toBe(75);
    const { code, stderr } = await at.run(['status', '--exit-status']);
    expect(code).toBe(3);
    expect(stderr).toMatch(
      /^✖ failing: 1 pass in a row, since \d+s: Gitea at .* cannot be reached: the connection was refused\n {2}fix: /u,
    );
  });

  test('--watch prints a document a line in a pipe, ends by Ctrl-C with 130, and without --json refuses a pipe', async () => {
    const at = await afterOnePass();
    const child = at.start(['status', '--watch', '--json']);
    const end = finished(child);
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    await pause(2300);
    child.kill('SIGINT');
    const { code, stdout } = await end;
    expect(code).toBe(130);
    const lines = stdout.trim().split('\n');
    expect(lines.length).toBeGreaterThanOrEqual(2);
    for (const line of lines) expect(JSON.parse(line)).toMatchObject({ schemaVersion: 1 });
    expect((await at.run(['status', '--watch'])).code).toBe(2);
  });

  test.skipIf(noFaketime() !== null)(
    '--watch follows the clock: after its machine has slept for an hour the passes are stale',
    async () => {
      const at = await afterOnePass();
      const clock = join(at.folder, 'clock');
      const shows = (ms: number): void =>
        writeFileSync(clock, new Date(ms).toISOString().slice(0, 19).replace('T', ' '));
      shows(Date.now());
      const child = at.start(['status', '--watch', '--json'], clockOf(clock));
      onTestFinished(() => void child.kill());
      const end = finished(child);
      const seen: string[] = [];
      child.stdout?.on('data', (text: string) => seen.push(/"health":"(\w+)"/u.exec(text)?.[1] ?? ''));
      await vi.waitFor(() => expect(seen.at(-1)).toBe('ok'), 5000);
      shows(Date.now() + 3_600_000);
      await vi.waitFor(() => expect(seen.at(-1)).toBe('stale'), 6000);
      child.kill('SIGINT');
      await end;
    },
    20_000,
  );

  test('does not mind a reader that goes away', async () => {
    const at = await afterOnePass();
    const child = at.start(['status', '--json']);
    child.stdout?.destroy();
    expect((await finished(child)).stderr).toBe('');
  });

  test.skipIf(!has('script'))(
    'draws tables on a terminal, coloured, and ends a quiet pass there with its reason',
    async () => {
      const at = await afterOnePass();
      const onTerminal = (args: string, environment: Record<string, string> = {}): string =>
        spawnSync('script', ['-qec', `stty cols 70; ${NODE} ${COMMAND} ${args}`, '/dev/null'], {
          cwd: at.folder,
          env: {
            PATH: process.env['PATH'],
            HOME: at.folder,
            GITEA_TOKEN: at.gitea.token,
            LANG: 'C.UTF-8',
            TERM: 'xterm',
            ...RECORDING,
            ...environment,
          },
          encoding: 'utf8',
          timeout: 20_000,
        }).stdout.replaceAll('\r', '');
      expect(onTerminal('status', { NO_COLOR: '1' })).toMatch(
        /^● ok: last pass \d+s ago, dispatched acme\/app#1\nnext slot in \d+\w, 1 waiting, oldest NORMAL \d+s\n\ngreta {2}0 new, 1 waiting\n {2}PRIORITY {2}ISSUE +TITLE +STATE +AGE\n {2}NORMAL +acme\/app#2 +Second +next +\d+s\n/u,
      );
      expect(onTerminal('status')).toContain('\u001B[32m● ok');
    },
  );
});

test('in the journal each line carries its level; elsewhere none does', async () => {
  const at = await workspace();
  at.gitea.addIssue({ repository: 'acme/app', assignees: ['hans'] });
  const output = join(at.folder, 'journal');
  const handle = openSync(output, 'w');
  const { dev, ino } = fstatSync(handle);
  const child = spawn(NODE, [COMMAND], {
    cwd: at.folder,
    env: {
      PATH: process.env['PATH'],
      HOME: at.folder,
      GITEA_TOKEN: at.gitea.token,
      JOURNAL_STREAM: `${dev}:${ino}`,
      ...RECORDING,
    },
    stdio: ['ignore', handle, handle],
  });
  await new Promise((resolve) => child.on('close', resolve));
  closeSync(handle);
  expect(readFileSync(output, 'utf8')).toMatch(/^<5>\[DISPATCHER\] /u);
  expect(at.read('.agent-dispatcher.log')).toMatch(/^\[DISPATCHER\] /u);
  const inherited = await at.run([], { JOURNAL_STREAM: '1:2', GITEA_TOKEN: 'wrong' });
  expect(inherited.stderr).toMatch(/^dispatcher: /u);
});
