// What an agent, or somebody who can write there, may put in the places of tasks and of what lies beside them: no command
// follows it, writes through it, waits for it, or shows what it leads to.

import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { COMMAND, type Finished, NODE, RECORDING, type Workspace, workspace } from '../support/command.ts';
import { addTask } from '../support/mailbox.ts';

const YAML = 'gitea: { url: URL, repositories: [acme/app] }\nagents: { hans: {}, greta: {} }\nrateLimit: 1s\n';
const AS_HANS = { DISPATCHER_AGENT: 'hans' };
/** Longer than any of the commands may take, also where others keep the machine busy. */
const IN_TIME_MS = 20_000;

const PRIVATE = `---
schema: "dispatcher.task/1"
ref: "acme/app#66"
title: "PRIVATE"
priority: "CRITICAL"
---
PRIVATE
`;
const PRIVATE_RECORD = JSON.stringify({
  schema: 'dispatcher.work/1',
  events: [{ at: '2026-01-01T00:00:00Z', by: 'x', outcome: 'blocked', reason: 'PRIVATE' }],
});

interface Hostile {
  readonly what: string;
  /** Puts it at a path; `secret`: a file outside. */
  readonly put: (path: string, secret: string) => void;
}

const KINDS: readonly Hostile[] = [
  { what: 'a link', put: (path, secret) => symlinkSync(secret, path) },
  { what: 'a link to nothing', put: (path) => symlinkSync('/nowhere/at/all', path) },
  { what: 'a link to itself', put: (path) => symlinkSync(path, path) },
  { what: 'a pipe', put: (path) => execFileSync('mkfifo', [path]) },
  { what: 'a folder', put: (path) => mkdirSync(path) },
];

/** The office of hans with a task in a stage, something private outside, and a task of greta's. */
async function office(stage: string): Promise<Workspace & { readonly home: string; readonly secret: string }> {
  const at = await workspace({ yaml: YAML });
  at.gitea.addIssue({ repository: 'acme/app', number: 5, title: 'Of nobody' });
  addTask(at, `hans/${stage}issue-1.md`);
  addTask(at, 'greta/issue-9.md');
  const secret = join(at.folder, 'secret');
  writeFileSync(secret, PRIVATE, { mode: 0o600 });
  return { ...at, home: join(at.folder, '.agent-tasks/hans'), secret };
}

async function allCommands(at: Workspace, issue: number): Promise<readonly Finished[]> {
  const file = join(at.folder, `.agent-tasks/hans/doing/issue-${issue}.md`);
  const finished: Finished[] = [];
  for (const command of [
    ['next', '--json', '--peek', '--stalled'],
    ['next', '--json', '--stalled'],
    ['block', String(issue), '--reason', 'x'],
    ['release', file],
    ['done', file],
    ['work', '--', 'sh', '-c', 'cat; exit 1'],
    ['status', '--json'],
    ['explain', '--issue', String(issue)],
  ])
    finished.push(await at.run(command, AS_HANS));
  finished.push(await at.run([]));
  return finished;
}

const STAGES = ['doing/', 'blocked/', 'done/'] as const;

test.for(STAGES.flatMap((stage) => KINDS.map(({ what, put }) => ({ stage, what, put }))))(
  '$what in $stage in the place of a task',
  { timeout: 120_000 },
  async ({ stage, put }) => {
    const at = await office('');
    mkdirSync(join(at.home, stage), { recursive: true });
    const path = join(at.home, stage, 'issue-66.md');
    put(path, at.secret);
    const kind = lstatSync(path).mode;
    const startedAt = performance.now();
    const runs = await allCommands(at, 66);
    expect(performance.now() - startedAt).toBeLessThan(IN_TIME_MS * 9);
    for (const { code, stdout, stderr } of runs) {
      expect([0, 1, 2, 6]).toContain(code);
      expect(stdout + stderr).not.toMatch(/PRIVATE|UserError|TypeError/u);
    }
    // It is what it was, and nothing was done to what it leads to.
    expect(lstatSync(path).mode).toBe(kind);
    expect(readFileSync(at.secret, 'utf8')).toBe(PRIVATE);
    expect(statSync(at.secret).mode & 0o777).toBe(0o600);
  },
);

test.for(KINDS)(
  '$what in the places of what lies beside a task is neither read nor written through',
  async ({ put }) => {
    const at = await office('doing/');
    const secret = join(at.folder, 'secret.json');
    writeFileSync(secret, PRIVATE_RECORD);
    for (const name of ['issue-1.work.json', 'issue-1.output-1.txt', '.issue-1.md.taken-x', 'issue-1.update-1.md'])
      put(join(at.home, 'doing', name), secret);
    const blocked = await at.run(['block', '1', '--reason', 'mine'], AS_HANS);
    expect([0, 1]).toContain(blocked.code);
    for (const command of [
      ['status', '--json'],
      ['explain', '--issue', '1'],
      ['next', '--json', '--stalled'],
    ])
      expect((await at.run(command, AS_HANS)).stdout).not.toMatch(/PRIVATE/u);
    await at.run(['work', '--', 'sh', '-c', 'echo said; exit 1'], AS_HANS);
    expect(readFileSync(secret, 'utf8')).toBe(PRIVATE_RECORD);
  },
);

test('a second name of a file elsewhere is moved as a task, and the file itself is not written to', async () => {
  const at = await office('');
  linkSync(at.secret, join(at.home, 'issue-66.md'));
  const record = join(at.folder, 'record');
  writeFileSync(record, 'precious');
  mkdirSync(join(at.home, 'doing'));
  for (const name of ['issue-66.work.json', 'issue-66.output-1.txt', '.issue-66.md.taken-x'])
    linkSync(record, join(at.home, 'doing', name));
  await at.run(['work', '--', 'sh', '-c', 'echo said; exit 1'], AS_HANS);
  await at.run(['done', 'acme/app#66'], AS_HANS);
  await at.run([]);
  expect(readFileSync(at.secret, 'utf8')).toBe(PRIVATE);
  expect(readFileSync(record, 'utf8')).toBe('precious');
});

test.skipIf(process.getuid?.() !== 0)(
  "other people's files in the folders of an agent: told, and nothing of them is opened",
  async () => {
    const at = await office('');
    chmodSync(at.folder, 0o755);
    for (const stage of ['', ...STAGES]) {
      mkdirSync(join(at.home, stage), { recursive: true });
      addTask(at, `hans/${stage}issue-${70 + stage.length}.md`, { title: 'PRIVATE', priority: 'CRITICAL' });
      chmodSync(join(at.home, `${stage}issue-${70 + stage.length}.md`), 0o600);
    }
    rmSync(join(at.home, 'issue-1.md'));
    execFileSync('chown', ['-R', '65534:65534', join(at.folder, '.agent-tasks')]);
    for (const stage of ['', ...STAGES]) chownSync(join(at.home, `${stage}issue-${70 + stage.length}.md`), 4712, 4712);
    const ran = (...args: readonly string[]) =>
      spawnSync('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', NODE, COMMAND, ...args], {
        cwd: '/',
        encoding: 'utf8',
        env: { PATH: process.env['PATH'], ...RECORDING, ...AS_HANS, DISPATCHER_TASKS: join(at.folder, '.agent-tasks') },
      });
    for (const args of [
      ['next'],
      ['next', '--stalled'],
      ['done', '70'],
      ['block', '76', '--reason', 'x'],
      ['work', '--', 'cat'],
    ]) {
      const { status, stdout, stderr } = ran(...args);
      expect([1, 6]).toContain(status);
      expect(stdout + stderr).not.toContain('PRIVATE');
    }
    expect(ran('next').stderr).toContain('cannot be read by this user: issue-70.md');
  },
);
