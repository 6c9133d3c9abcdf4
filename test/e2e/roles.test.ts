// The table of SECURITY.md: each cell is tried as that user, in the layout that deploy/ describes.

import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { CAN_BE_ANOTHER } from '../support/another-user.ts';
import { as, DISPATCHER, type Role, type RolesOffice, rolesOffice } from '../support/roles.ts';

const MODEL = readFileSync(fileURLToPath(new URL('../../SECURITY.md', import.meta.url)), 'utf8');
const NAMES: readonly Role[] = [
  'dispatcher',
  'agent hans',
  'group dispatcher (dashboard, status)',
  'anybody else',
  'root (operator)',
];

/** What each column stands for, in the workspace. */
const PLACES: Readonly<Record<string, readonly string[]>> = {
  configuration: ['dispatcher.yaml'],
  token: ['token'],
  'state, lock': ['.agent-dispatcher/state.json', '.agent-dispatcher/lock'],
  'last pass, journal': ['last-pass.json', 'candidates.json', 'dispatches.jsonl', 'history/memory.json'].map(
    (name) => `.agent-dispatcher/${name}`,
  ),
  log: ['.agent-dispatcher.log'],
  'folder of hans': ['.agent-tasks/hans'],
  'folder of greta': ['.agent-tasks/greta'],
};

async function office(): Promise<RolesOffice> {
  const at = await rolesOffice();
  at.gitea.addIssue({ repository: 'acme/app', number: 1, assignees: ['hans'] });
  return at;
}

test.runIf(CAN_BE_ANOTHER)('each cell of the table of who may do what is so', async () => {
  const at = await office();
  expect(await at.runAs('dispatcher', [])).toMatchObject({ code: 0, stderr: '' });
  const lines = MODEL.split('\n').map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  const start = lines.findIndex(([first]) => first === 'who');
  const [, ...columns] = lines[start] ?? [];
  expect(columns).toEqual([...Object.keys(PLACES), 'pass, pause']);
  const rows = lines.slice(start + 2, start + 2 + NAMES.length);
  expect(rows.map(([role]) => role)).toEqual(NAMES);
  const may = (role: Role, path: string): string => {
    const ask = 'test -r "$1" && printf reads; test -w "$1" && printf ", writes"; true';
    const line = as(role, ['sh', '-c', ask, 'sh', join(at.folder, path)]);
    return execFileSync('setpriv', line, { encoding: 'utf8' }) || '–';
  };
  const commands = new Map<Role, string>();
  for (const role of NAMES) {
    const ends = [];
    for (const line of [['pause', '--agent', 'greta'], ['resume', '--agent', 'greta'], []])
      ends.push((await at.runAs(role, line)).code === 0);
    const owner = statSync(join(at.folder, '.agent-dispatcher/last-pass.json')).uid;
    expect([role, owner]).toEqual([role, DISPATCHER]);
    const all = role === 'root (operator)' ? 'yes, as the dispatcher' : 'yes';
    commands.set(role, ends.every(Boolean) ? all : ends.some(Boolean) ? 'in part' : '–');
  }
  const tried = NAMES.map((role) => [
    role,
    ...Object.values(PLACES).map((paths) => [...new Set(paths.map((path) => may(role, path)))].join(' or ')),
    commands.get(role),
  ]);
  expect(tried).toEqual(rows);
});

test.runIf(CAN_BE_ANOTHER)(
  'with those rights everybody can do his work, and one agent not the work of another',
  async () => {
    const at = await office();
    await at.runAs('dispatcher', []);
    for (const role of ['agent hans', 'group dispatcher (dashboard, status)'] as const)
      expect((await at.runAs(role, ['status'])).stdout).toContain('acme/app#1');
    expect((await at.runAs('anybody else', ['status'])).code).not.toBe(0);
    const move = (role: Role, from: string, to: string): string =>
      execFileSync(
        'setpriv',
        as(role, ['sh', '-c', 'mv "$1" "$2" 2>/dev/null && echo moved || echo refused', 'sh', from, to]),
        {
          encoding: 'utf8',
        },
      ).trim();
    const tasks = join(at.folder, '.agent-tasks');
    expect(move('group dispatcher (dashboard, status)', `${tasks}/hans/issue-1.md`, `${tasks}/hans/x.md`)).toBe(
      'refused',
    );
    expect(move('agent hans', `${tasks}/greta`, `${tasks}/mine`)).toBe('refused');
    expect(move('agent hans', tasks, `${tasks}.away`)).toBe('refused');
    expect(move('agent hans', `${at.folder}/.agent-dispatcher/state.json`, `${tasks}/hans/state.json`)).toBe('refused');
    expect(move('agent hans', `${tasks}/hans/issue-1.md`, `${tasks}/hans/in progress.md`)).toBe('moved');
    expect((await at.runAs('dispatcher', [])).stdout).not.toContain('FILE GONE');
  },
);

test.runIf(CAN_BE_ANOTHER)('12.6 who may read what is published can neither change it nor hold up a pass', async () => {
  const at = await office();
  await at.runAs('dispatcher', []);
  const state = join(at.folder, '.agent-dispatcher');
  const tried = (role: Role, script: string): string =>
    execFileSync('setpriv', as(role, ['sh', '-c', `{ ${script}; } >&2 2>/dev/null && echo done || echo refused`]), {
      encoding: 'utf8',
      cwd: state,
    }).trim();
  for (const role of ['agent hans', 'group dispatcher (dashboard, status)'] as const) {
    for (const script of [
      'echo {} >state.json',
      'echo {} >>dispatches.jsonl',
      'mv last-pass.json x',
      'rm candidates.json',
      'ln -sf /etc/passwd lock',
      'mkdir pauses && echo {} >pauses/all.json',
      'chmod 666 dispatches.jsonl',
      'flock -n lock true',
      'flock -n -s lock true',
      'flock -n state.json true',
      'echo x >>../.agent-dispatcher.log',
      `mv "${at.folder}/.agent-dispatcher" "${at.folder}/x"`,
    ])
      expect([role, script, tried(role, script)]).toEqual([role, script, 'refused']);
    // What can be locked is nothing that a pass waits for.
    expect(tried(role, 'flock -n dispatches.jsonl true')).toBe('done');
  }
  at.gitea.addIssue({ repository: 'acme/app', number: 2, assignees: ['greta'] });
  const holders = ['last-pass.json', 'candidates.json', 'dispatches.jsonl', '.'].map((name) =>
    spawn('setpriv', as('agent hans', ['flock', name, 'sleep', '30']), { cwd: state, stdio: 'ignore', detached: true }),
  );
  onTestFinished(() => holders.forEach(({ pid }) => process.kill(-Number(pid), 'SIGKILL')));
  expect((await at.runAs('dispatcher', [])).stdout).toContain('DISPATCHED: greta');
  // And the reader sees the same as the dispatcher's account, although the state is shut.
  const seen: unknown = JSON.parse((await at.runAs('agent hans', ['status', '--json'])).stdout);
  const own: unknown = JSON.parse((await at.runAs('dispatcher', ['status', '--json'])).stdout);
  expect(seen).toMatchObject({ slot: { lastDispatchAt: expect.stringMatching(/^20/u) } });
  expect(withoutClock(seen)).toEqual(withoutClock(own));
});

// Two looks are not of the same moment.
function withoutClock(status: unknown): unknown {
  return JSON.parse(
    JSON.stringify(status, (key, value: unknown) => (['generatedAt', 'opensAt', 'free'].includes(key) ? null : value)),
  );
}
