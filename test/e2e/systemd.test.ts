import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { COMMAND, finished, NODE, type Workspace, workspace } from '../support/command.ts';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;

/** An office whose folder for temporary files is another one than where the command runs from. */
async function office(yaml?: string): Promise<Workspace> {
  const at = await workspace(yaml === undefined ? {} : { yaml });
  mkdirSync(join(at.folder, 'tmp'));
  return { ...at, run: async (args, environment) => at.run(args, { TMPDIR: join(at.folder, 'tmp'), ...environment }) };
}

describe('dispatcher systemd', () => {
  test.skipIf(!hasSystemd).for([{ scope: ['--run-as', 'root'] }, { scope: ['--user'] }])(
    '$scope: systemd finds nothing to say about the units, with spaces and percent signs in every path',
    async ({ scope }) => {
      const at = await office();
      const folder = join(at.folder, '100% our office');
      mkdirSync(folder);
      cpSync(join(at.folder, 'dispatcher.yaml'), join(folder, 'dispatcher.yaml'));
      const units = join(at.folder, 'units');
      const config = ['--config', join(folder, 'dispatcher.yaml')];
      const { code } = await at.run([...config, 'systemd', 'install', ...scope, '--directory', units]);
      expect(code).toBe(0);
      const { status, stderr } = spawnSync(
        'systemd-analyze',
        [
          'verify',
          '--man=no',
          ...(scope[0] === '--user' ? ['--user'] : []),
          ...['dispatcher.service', 'dispatcher.timer', 'dispatcher-dashboard.service'].map((name) =>
            join(units, name),
          ),
        ],
        { encoding: 'utf8', env: { ...process.env, XDG_RUNTIME_DIR: at.folder } },
      );
      expect({ status, said: stderr.split('\n').filter((line) => line.includes('dispatcher')) }).toEqual({
        status: 0,
        said: [],
      });
      expect(at.read('units/dispatcher.service')).toContain(`"${folder.replace('%', '%%')}/dispatcher.yaml"`);
    },
  );

  test('install is written once, renewed when something changed, and uninstall says what stays', async () => {
    const at = await office();
    const install = ['systemd', 'install', '--user', '--directory', join(at.folder, 'units')];
    expect((await at.run(install)).stdout.match(/^written: /gmu)).toHaveLength(3);
    expect((await at.run(install)).stdout.match(/^unchanged: /gmu)).toHaveLength(3);
    at.write('units/dispatcher.service', `${at.read('units/dispatcher.service')}\n# old\n`);
    expect((await at.run(install)).stdout).toContain(`renewed: ${at.folder}/units/dispatcher.service`);
    const { stdout, code } = await at.run(['systemd', 'uninstall', '--user', '--directory', join(at.folder, 'units')]);
    expect(code).toBe(0);
    expect(stdout).toContain(`What stays:\n  ${at.folder}/dispatcher.yaml\n`);
    expect(at.files()).toEqual(['dispatcher.yaml']);
  });

  test('print writes nothing, and holds the paths of this installation, but no token', async () => {
    const at = await office();
    const { stdout } = await at.run(['systemd', 'print', '--user']);
    expect(stdout).toContain(`ExecStart=${NODE} ${COMMAND} dispatch`);
    expect(stdout).not.toContain(at.gitea.token);
    expect(at.files()).toEqual(['dispatcher.yaml']);
  });

  test('a unit that somebody else wrote stays as it is', async () => {
    const at = await office();
    mkdirSync(join(at.folder, 'units'));
    at.write('units/dispatcher.timer', '[Timer]\n');
    const install = ['systemd', 'install', '--user', '--directory', join(at.folder, 'units')];
    const { code, stderr } = await at.run(install);
    expect(code).toBe(5);
    expect(stderr).toContain('not written by this command');
    expect(at.files()).toEqual(['dispatcher.yaml', 'units/dispatcher.timer']);
  });

  test('a copy in a folder that will be swept is refused', async () => {
    const at = await office();
    for (const name of ['bin', 'dist', 'deploy', 'package.json']) {
      cpSync(join(REPOSITORY, name), join(at.folder, '.npm/_npx/1/agent-dispatcher', name), { recursive: true });
    }
    const script = join(at.folder, '.npm/_npx/1/agent-dispatcher/bin/dispatcher.js');
    const child = spawn(process.execPath, [script, 'systemd', 'install', '--user'], {
      cwd: at.folder,
      env: { PATH: process.env['PATH'], HOME: at.folder },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { code, stderr } = await finished(child);
    expect({ code, stderr }).toEqual({
      code: 5,
      stderr: expect.stringMatching(/cache of npx[^]*fix: npm install -g/u),
    });
  });

  test('what only this shell exports cannot be a service', async () => {
    const at = await office();
    rmSync(join(at.folder, 'dispatcher.yaml'));
    const exported = { GITEA_URL: at.gitea.url, GITEA_REPOSITORIES: 'acme/app' };
    const { code, stderr } = await at.run(['systemd', 'print', '--user'], exported);
    expect({ code, stderr }).toEqual({
      code: 78,
      stderr: expect.stringMatching(/needs a configuration file[^]*fix: /u),
    });
  });

  test('an account that is not there is told with the command that makes it', async () => {
    const at = await office();
    const { code, stderr } = await at.run(['systemd', 'print', '--run-as', 'nobody-of-that-name']);
    expect({ code, stderr }).toEqual({ code: 78, stderr: expect.stringContaining('sudo useradd --system') });
  });
});
