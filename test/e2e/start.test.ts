import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execFileSync } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import type { World } from '../../src/deps/world.ts';
import { NODE, workspace } from '../support/command.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** What is kept is looked at here: in its own home folder, not in the cache of the run, and whoever counts what runs has none kept. */
const OF_ITS_OWN = { XDG_CACHE_HOME: '', NODE_V8_COVERAGE: '' };

test('what a pass loads has none of the languages of the schema library', () => {
  const bundle = readFileSync(join(ROOT, 'dist/dispatcher.cjs'), 'utf8');
  expect(bundle).not.toMatch(/Ung(?:ü|\\xFC)ltige|Entr(?:é|\\xE9)e invalide/u);
});

test('what a pass loads is ASCII, which takes half the memory and is read quicker', () => {
  const bundle = readFileSync(join(ROOT, 'dist/dispatcher.cjs'), 'latin1');
  expect(/[^\p{ASCII}].{0,20}/u.exec(bundle)?.[0]).toBeUndefined();
});

test('what Node has compiled is kept in a folder that nobody else sees', async () => {
  const at = await workspace();
  expect(await at.run(['--version'], OF_ITS_OWN)).toMatchObject({ code: 0 });
  const folder = join(at.folder, '.cache/agent-dispatcher');
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(codeIn(folder)).toHaveLength(1);
  expect(statSync(join(folder, codeIn(folder)[0] ?? '')).mode & 0o777).toBe(0o600);
});

const codeIn = (folder: string): readonly string[] => readdirSync(folder).filter((name) => name.startsWith('code-'));

/** A copy of the program, which can be changed; run from there, it keeps what it compiled in `cache`. */
function copyOfProgram() {
  const folder = mkdtempSync(join(tmpdir(), 'dispatcher-copy-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of ['bin', 'dist', 'package.json']) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  const cache = join(folder, 'cache/agent-dispatcher');
  const environment = { PATH: process.env['PATH'] ?? '', XDG_CACHE_HOME: join(folder, 'cache') };
  return {
    bundle: join(folder, 'dist/dispatcher.cjs'),
    code: () => join(cache, codeIn(cache)[0] ?? 'none'),
    version: () =>
      execFileSync(NODE, [join(folder, 'bin/dispatcher.js'), '--version'], {
        env: environment,
        encoding: 'utf8',
      }).trim(),
  };
}

test('the first three runs keep what they compiled, and the next ones write nothing', () => {
  const { code, version } = copyOfProgram();
  const written = Array.from({ length: 5 }, () => {
    version();
    return statSync(code()).mtimeMs;
  });
  expect(new Set(written).size).toBe(3);
  expect(written[4]).toBe(written[2]);
});

test('what passes keep in the end is what a pass with nothing to do needs, without what the first one did', async () => {
  const at = await workspace();
  at.gitea.addIssue({ repository: 'acme/app', number: 1, title: 'First', assignees: ['hans'] });
  const folder = join(at.folder, '.cache/agent-dispatcher');
  const sizes: number[] = [];
  for (let pass = 0; pass < 5; pass += 1) {
    expect(await at.run([], OF_ITS_OWN)).toMatchObject({ code: 0 });
    sizes.push(statSync(join(folder, codeIn(folder)[0] ?? '')).size);
  }
  expect(at.tasks()).toHaveLength(1);
  const [first = 0, second = 0, third = 0, fourth = 0, fifth] = sizes;
  expect(second).toBeGreaterThanOrEqual(first);
  expect(third).toBeGreaterThan(0.95 * second);
  expect(fourth).toBeLessThan(0.9 * first);
  expect(fifth).toBe(fourth);
});

test('as long as each pass writes a task, what passes keep is all that they compiled', async () => {
  const at = await workspace({ yaml: 'gitea: { url: URL, repositories: [acme/app] }\nrateLimit: 1s\n' });
  for (const number of [1, 2, 3, 4, 5])
    at.gitea.addIssue({ repository: 'acme/app', number, title: `Issue ${number}`, assignees: ['hans'] });
  const folder = join(at.folder, '.cache/agent-dispatcher');
  const path = (): string => join(folder, codeIn(folder).find((name) => name.startsWith('code-pass')) ?? '');
  const sizes: number[] = [];
  for (let pass = 0; pass < 5; pass += 1) {
    expect(await at.run([], OF_ITS_OWN)).toMatchObject({ code: 0 });
    sizes.push(statSync(path()).size);
  }
  expect(at.tasks()).toHaveLength(5);
  expect(sizes[4]).toBe(sizes[1]);
  // Nor is it what a pass needs that another command compiled.
  for (const args of [
    ['--version'],
    ['--config', 'dispatcher.yaml', 'status'],
    ['dispatch', '--help'],
    ['dispatch', '-n'],
  ])
    expect(await at.run(args, OF_ITS_OWN)).toMatchObject({ code: 0 });
  expect(statSync(path()).size).toBe(sizes[1]);
  for (const _ of [1, 2]) await at.run([], OF_ITS_OWN);
  expect(statSync(path()).size).toBeLessThan(0.9 * (sizes[1] ?? 0));
});

test('what is kept with the passes is a pass for which no other command is made', async () => {
  const at = await workspace();
  at.gitea.addIssue({ repository: 'acme/app', number: 5, title: 'First', assignees: ['hans'] });
  const config = join(at.folder, 'dispatcher.yaml');
  const cache = join(at.folder, '.cache/agent-dispatcher');
  const world = { version: '', stdout: { write: () => {} }, stderr: { write: () => {} } } as unknown as World;
  const rows: readonly (readonly [isPass: boolean, ...args: string[]])[] = [
    [true],
    [true, 'dispatch', '--timer', '-q', '--config', config],
    [true, '-c', config, '-v'],
    [true, `--config=${config}`, '--quiet'],
    [false, 'dispatch', '-n'],
    [false, 'dispatch', '--issue', '5', '--force'],
    [false, 'dispatch', '--help'],
    [false, '--color', 'never'],
    [false, '-c', config, 'status'],
    [false, '--version'],
  ];
  for (const [isPass, ...args] of rows) {
    rmSync(cache, { recursive: true, force: true });
    expect(await at.run(args, OF_ITS_OWN)).toMatchObject({ code: 0 });
    const isKeptAsPass = codeIn(cache).some((name) => name.startsWith('code-pass'));
    const isAlone = createProgram(world, () => {}, args).commands.length === 1;
    expect({ args, isKeptAsPass, isAlone }).toEqual({ args, isKeptAsPass: isPass, isAlone: isPass });
  }
});

test('another program of the same length and time is never run from what the one before has compiled', () => {
  const { bundle, version } = copyOfProgram();
  const first = version();
  expect(version()).toBe(first);
  const { atime, mtime } = statSync(bundle);
  const text = readFileSync(bundle, 'utf8');
  const other = first.replace(/^\d/u, (digit) => String((Number(digit) + 1) % 10));
  writeFileSync(bundle, text.replaceAll(`"${first}"`, `"${other}"`));
  utimesSync(bundle, atime, mtime);
  expect(version()).toBe(other);
});

test.for<[string, (path: string) => void]>([
  ['is cut', (path) => truncateSync(path, Math.floor(statSync(path).size / 2))],
  ['is empty', (path) => truncateSync(path, 0)],
  [
    'has one wrong byte',
    (path) => {
      const bytes = readFileSync(path);
      bytes[bytes.length - 1000] = (bytes[bytes.length - 1000] ?? 0) ^ 1;
      writeFileSync(path, bytes);
    },
  ],
  ['others may write', (path) => chmodSync(path, 0o622)],
  [
    'is a link',
    (path) => {
      renameSync(path, `${path}.real`);
      symlinkSync(`${path}.real`, path);
    },
  ],
])('what was compiled and %s is not used, and replaced', ([, spoil]) => {
  const { code, version } = copyOfProgram();
  const first = version();
  const path = code();
  spoil(path);
  expect(version()).toBe(first);
  expect(lstatSync(path).isFile()).toBe(true);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  // Made anew: the first of three again.
  expect(readFileSync(path, 'latin1').slice(0, 3)).toBe('[1,');
});

test('nothing is kept in a folder that others can write to, nor where there is none', async () => {
  const at = await workspace();
  const folder = join(at.folder, '.cache/agent-dispatcher');
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o777);
  expect(await at.run(['--version'], OF_ITS_OWN)).toMatchObject({ code: 0, stderr: '' });
  expect(readdirSync(folder)).toEqual([]);
  expect(await at.run(['--version'], { ...OF_ITS_OWN, HOME: '/proc/none' })).toMatchObject({
    code: 0,
    stderr: '',
  });
  expect(existsSync('/proc/none')).toBe(false);
});
