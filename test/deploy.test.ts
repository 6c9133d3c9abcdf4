import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse as parseYaml } from 'yaml';
import { afterAll, describe, expect, test } from 'vitest';
import { parseConfig } from '../src/io/config-file.ts';
import { ConfigSchema } from '../src/core/config/schema.ts';
import { commandPage, configPage } from './support/man.ts';

const DEPLOY = fileURLToPath(new URL('../deploy', import.meta.url));
const SCRIPT = fileURLToPath(new URL('../bin/dispatcher.js', import.meta.url));
const read = (name: string): string => readFileSync(join(DEPLOY, name), 'utf8');
const UNITS = readdirSync(DEPLOY, { recursive: true, encoding: 'utf8' }).filter((name) =>
  /\.(?:service|timer|path)$/u.test(name),
);
const has = (command: string): boolean => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;
const scratch = mkdtempSync(join(tmpdir(), 'dispatcher-units-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** The unit as the README installs it: with the paths of this machine. */
function installed(name: string): string {
  const file = join(scratch, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, read(name).replace(/^ExecStart=\S+node \S+/mu, `ExecStart=${process.execPath} ${SCRIPT}`));
  return file;
}

/** A template is checked by one of its instances. */
function asInstance(file: string): string {
  const instance = file.replace('@.', '@root.');
  if (instance !== file) copyFileSync(file, instance);
  return instance;
}

describe('the units', () => {
  test.skipIf(!has('systemd-analyze')).for(UNITS)('%s passes systemd-analyze verify without a word', (name) => {
    // A timer or path starts the service of its own name.
    const partner = /\.(?:timer|path)$/u.test(name) ? [installed(name.replace(/\.\w+$/u, '.service'))] : [];
    const files = [installed(name), ...partner].map((file) => asInstance(file));
    const scope = name.startsWith('user/') ? ['--user'] : [];
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', ...scope, ...files], {
      encoding: 'utf8',
      env: { ...process.env, XDG_RUNTIME_DIR: scratch },
    });
    expect({ status, stderr: stderr.split('\n').filter((line) => line.includes('dispatcher')) }).toEqual({
      status: 0,
      stderr: [],
    });
  });

  test.skipIf(!has('systemd-analyze')).for(['dispatcher.service', 'dispatcher-dashboard.service'])(
    '%s is exposed by 2.0 at most, as systemd-analyze security counts',
    (name) => {
      const report = execFileSync('systemd-analyze', ['security', '--offline=true', installed(name)], {
        encoding: 'utf8',
      });
      const [, exposure] = /Overall exposure level for \S+: ([\d.]+)/u.exec(report) ?? [];
      expect(Number(exposure)).toBeLessThanOrEqual(2);
    },
  );

  test.for(UNITS)('%s holds no token, and nothing that keeps Node from starting', (name) => {
    expect(read(name)).not.toMatch(/^(?:Environment|PassEnvironment|MemoryDenyWriteExecute)/mu);
  });

  test.for(['dispatcher-dashboard.service', 'user/dispatcher-dashboard.service'])(
    '%s has no credential, and nowhere to write',
    (name) => {
      expect(read(name)).not.toMatch(/^(?:LoadCredential|ReadWritePaths|StateDirectory)/mu);
    },
  );

  test.for(['dispatcher.timer', 'user/dispatcher.timer'])('%s starts every minute, to the second', (name) => {
    expect(read(name)).toMatch(/^OnCalendar=minutely$/mu);
    expect(read(name)).toMatch(/^AccuracySec=1s$/mu);
  });

  test.for(['dispatcher.service', 'user/dispatcher.service'])(
    '%s ends a hung pass before the next one is due',
    (name) => {
      expect(read(name)).toMatch(/^TimeoutStartSec=50s$/mu);
      expect(read(name)).toMatch(/^Type=oneshot$/mu);
    },
  );
});

test.skipIf(!has('logrotate'))('logrotate takes its snippet', () => {
  // The user of the snippet need not exist here.
  const file = join(scratch, 'logrotate');
  writeFileSync(
    file,
    read('logrotate/dispatcher')
      .replace(/^ *su .*\n/mu, '')
      .replace(/(create \d+).*/u, '$1'),
  );
  const { status, stderr } = spawnSync('logrotate', ['--debug', file], { encoding: 'utf8' });
  expect(stderr).not.toMatch(/^error/mu);
  expect(status).toBe(0);
});

describe('the configuration', () => {
  test('the annotated example has only what a first start needs, and shows every key behind a comment sign', () => {
    const text = read('config.example.yaml');
    expect(parseYaml(text)).toEqual({
      gitea: { url: 'https://git.example.com', repositories: ['acme/app'] },
      workspace: '/srv/agents',
    });
    const example = parseConfig(text.replaceAll(/^( *)#( *\w+:)/gmu, '$1$2'), 'config.example.yaml');
    const keys = (value: object): string[] => Object.keys(value).toSorted();
    expect(keys(example)).toEqual(keys(ConfigSchema.shape));
    expect(keys(example.gitea)).toEqual(keys(ConfigSchema.shape.gitea.shape));
  });

  test('every configuration that README and deploy/README show is valid', () => {
    const shown = readFileSync(join(DEPLOY, '../README.md'), 'utf8') + read('README.md');
    const blocks = [...shown.matchAll(/```yaml\n([^]*?)```/gu)].map((match) => match[1] ?? '');
    expect(blocks.length).toBeGreaterThanOrEqual(4);
    for (const block of blocks)
      expect([parseConfig(block, 'README.md').gitea].flat()[0]?.url).toBe('https://git.example.com');
  });
});

describe('the man pages', () => {
  const PAGES = [
    { name: 'dispatcher.1', page: commandPage },
    { name: 'dispatcher-config.5', page: configPage },
  ];

  test.for(PAGES)('$name says what the help says', async ({ name, page }) => {
    await expect(await page()).toMatchFileSnapshot(`../deploy/man/${name}`);
  });

  test.skipIf(!has('groff')).for(PAGES)('groff finds nothing wrong with $name', ({ name }) => {
    const file = join(DEPLOY, 'man', name);
    const { stderr, stdout } = spawnSync('groff', ['-man', '-ww', '-Tutf8', file], { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(stdout).toContain('DISPATCHER');
  });
});
