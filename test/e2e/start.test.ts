import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { NODE, workspace } from '../support/command.ts';

const [major = 0, minor = 0] = execFileSync(NODE, ['-p', 'process.versions.node'], { encoding: 'utf8' })
  .split('.')
  .map(Number);
const keeps = major > 22 || (major === 22 && minor >= 8);

test('what a pass loads has none of the languages of the schema library', () => {
  const bundle = readFileSync(fileURLToPath(new URL('../../dist/dispatcher.cjs', import.meta.url)), 'utf8');
  expect(bundle).not.toMatch(/Ungültige|Entrée invalide/u);
});

test.runIf(keeps)('what Node has compiled is kept in a folder that nobody else sees', async () => {
  const at = await workspace();
  expect(await at.run(['--version'])).toMatchObject({ code: 0 });
  const folder = join(at.folder, '.cache/agent-dispatcher');
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(readdirSync(folder)).not.toEqual([]);
});

test('nothing is kept in a folder that others can write to, nor where there is none', async () => {
  const at = await workspace();
  const folder = join(at.folder, '.cache/agent-dispatcher');
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o777);
  expect(await at.run(['--version'])).toMatchObject({ code: 0, stderr: '' });
  expect(readdirSync(folder)).toEqual([]);
  expect(await at.run(['--version'], { HOME: '/proc/none', XDG_CACHE_HOME: '' })).toMatchObject({
    code: 0,
    stderr: '',
  });
  expect(existsSync('/proc/none')).toBe(false);
});
