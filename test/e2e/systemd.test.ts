import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { CAN_BE_ANOTHER } from '../support/another-user.ts';
import { COMMAND, finished, NODE, type Workspace, workspace } from '../support/command.ts';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const SYSTEMD = '/lib/systemd/systemd';
const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;

/** What systemd itself reads from a unit: its values by name, as its dry start prints them. It does not do so for root. */
function asSystemdReads(units: string, unit: string, home: string): ReadonlyMap<string, string> {
  chmodSync(home, 0o755);
  const runtime = join(home, 'runtime');
  mkdirSync(runtime);
  chownSync(runtime, 65_534, 65_534);
  const environment = [
    `HOME=${runtime}`,
    `XDG_RUNTIME_DIR=${runtime}`,
    `SYSTEMD_UNIT_PATH=${units}:`,
    'SYSTEMD_LOG_TARGET=console',
  ];
  const dump = spawnSync(
    'setpriv',
    [
      '--reuid=65534',
      '--regid=65534',
      '--clear-groups',
      'env',
      ...environment,
      SYSTEMD,
      '--test',
      '--user',
      `--unit=${unit}`,
    ],
    { encoding: 'utf8', cwd: '/' },
  ).stdout;
  const [, own = ''] = new RegExp(`^\t-> Unit ${unit}:\n([^]*?)^\t-> Unit `, 'mu').exec(dump) ?? [];
  return new Map(
    own.split('\n').map((line) => {
      const [name = '', ...value] = line.trim().split(': ');
      return [name, value.join(': ')];
    }),
  );
}

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

  test.skipIf(!hasSystemd || !CAN_BE_ANOTHER)(
    '12.18 systemd reads the very paths from the units, whatever is in their names',
    async () => {
      const at = await office();
      const folder = join(at.folder, `100% $HOME \${x} %h ;"q'\\ # [x]`);
      const file = join(folder, 'd;i "s".yaml');
      mkdirSync(folder);
      cpSync(join(at.folder, 'dispatcher.yaml'), file);
      const units = join(at.folder, 'units');
      const line = ['--config', file, 'systemd', 'install', '--run-as', 'root', '--directory', units];
      expect(await at.run(line)).toMatchObject({ code: 0, stderr: '' });
      const read = asSystemdReads(units, 'dispatcher.service', at.folder);
      expect(read.get('ConditionPathExists')).toBe(`${file} untested`);
      expect(read.get('ReadWritePaths')).toBe(`-${folder}`);
      // Shown as a shell would take it, and before `$$` becomes `$`.
      const shown = execFileSync('sh', ['-c', `printf '%s\\n' ${read.get('Command Line')}`], { encoding: 'utf8' });
      const command = [NODE, COMMAND, 'dispatch', '--timer', '--config', file];
      expect(shown.trimEnd().replaceAll('$$', '$').split('\n')).toEqual(command);
    },
  );

  test.for<{ what: string; yaml: string; name?: string }>([
    { what: 'the workspace', yaml: 'workspace: "/srv/x\\nExecStartPre=/bin/touch /pwned"' },
    { what: 'the state folder', yaml: 'state: "/srv/x\\nUser=root"' },
    { what: 'the task folder', yaml: 'tasks: { directory: "/srv/x\\nUser=root" }' },
    { what: 'the log', yaml: 'log: { file: "/srv/x\\nUser=root/log" }' },
    { what: 'the metrics', yaml: 'monitor: { metricsFile: "/srv/x\\rUser=root/m.prom" }' },
    { what: 'the configuration', yaml: '', name: 'x\nExecStartPre=\u002Fbin.yaml' },
    { what: 'the configuration, at its end', yaml: '', name: 'dispatcher.yaml\\' },
  ])('12.18 no line of a unit is made of the path of $what', async ({ yaml, name = 'dispatcher.yaml' }) => {
    const at = await office(`gitea: { url: URL, repositories: [acme/app] }\n${yaml}\n`);
    const file = join(at.folder, name.replaceAll('/', '-'));
    if (name !== 'dispatcher.yaml') cpSync(join(at.folder, 'dispatcher.yaml'), file);
    const { code, stdout, stderr } = await at.run(['--config', file, 'systemd', 'print', '--run-as', 'root']);
    expect({ code, stdout }).toEqual({ code: 78, stdout: '' });
    expect(stderr).toMatch(
      /cannot stand in a unit: "[^\n]*(?:\\n|\\r|\\\\")[^]*fix: give the file or folder another name/u,
    );
  });

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

  test('11.16 what is gone keeps no unit: uninstall works without the workspace, and without the account', async () => {
    const at = await office('workspace: office\ngitea: { url: URL, repositories: [acme/app] }\n');
    mkdirSync(join(at.folder, 'office'));
    const units = ['--directory', join(at.folder, 'units')];
    expect((await at.run(['systemd', 'install', '--run-as', 'nobody', ...units])).code).toBe(0);
    at.write('units/dispatcher.service', at.read('units/dispatcher.service').replace('User=nobody', 'User=gone-today'));
    rmSync(join(at.folder, 'office'), { recursive: true });
    const { code, stdout } = await at.run(['systemd', 'uninstall', ...units]);
    expect({ code, removed: stdout.match(/^removed: /gmu)?.length }).toEqual({ code: 0, removed: 3 });
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
