import { spawn, spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { CAN_BE_ANOTHER } from '../support/another-user.ts';
import { COMMAND, type Finished, finished, NODE, type Workspace, workspace } from '../support/command.ts';
import { openTerminal } from '../support/terminal.ts';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const has = (command: string): boolean => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;

/** A folder without a configuration, beside a server with issues. */
async function newcomer(): Promise<Workspace> {
  const at = await workspace();
  rmSync(join(at.folder, 'dispatcher.yaml'));
  at.gitea.addIssue({ repository: 'acme/app', number: 1, title: 'First', labels: ['P1'], assignees: ['hans'] });
  at.gitea.addIssue({ repository: 'acme/app', number: 2, title: 'Second', assignees: ['Greta', 'hans'] });
  at.gitea.addIssue({ repository: 'acme/api', number: 1, title: 'Other', assignees: ['pm'] });
  const run: Workspace['run'] = async (args, environment) =>
    at.run(args, { GITEA_TOKEN: '', XDG_CONFIG_HOME: join(at.folder, '.config'), ...environment });
  return { ...at, run };
}

describe('dispatcher init without a terminal', () => {
  test('takes every answer as an option, tries each, and writes a configuration that works', async () => {
    const at = await newcomer();
    const { code, stdout } = await at.run(
      ['init', '--url', `${at.gitea.url}/acme/app/issues`, '--repository', 'acme/app', '--agent', 'Hans', 'greta'],
      { GITEA_TOKEN: at.gitea.token },
    );
    expect({ code, next: stdout.split('\n').at(-2) }).toEqual({ code: 0, next: 'Next: dispatcher doctor' });
    expect(at.files()).toEqual([
      expect.stringMatching(/^\.config\/dispatcher\/127\.0\.0\.1-\d+\.token$/u),
      'dispatcher.yaml',
    ]);
    for (const file of at.files()) expect(statSync(join(at.folder, file)).mode & 0o777).toBe(0o600);
    expect(at.read('dispatcher.yaml')).not.toContain(at.gitea.token);
    expect(stdout).not.toContain(at.gitea.token);
    expect((await at.run(['doctor'])).code).toBe(0);
    expect((await at.run([])).stdout).toContain('DISPATCHED: hans');
  });

  test('names everything that is missing, at once, with exit 2', async () => {
    const at = await newcomer();
    const { code, stderr } = await at.run(['init']);
    expect(code).toBe(2);
    for (const option of ['--url', '--token-file', '--repository']) expect(stderr).toContain(option);
  });

  test.for([
    { trouble: 'no server', args: ['--url', 'http://127.0.0.1:9'], code: 75, says: /127\.0\.0\.1:9/u },
    { trouble: 'no address', args: ['--url', 'http://'], code: 2, says: /not an address/u },
    { trouble: 'a wrong token', token: 'wrong', code: 4, says: /refused the token/u },
    { trouble: 'a misspelt repository', args: ['--repository', 'acme/ap'], code: 78, says: /acme\/ap/u },
    { trouble: 'half a repository', args: ['--repository', 'acme'], code: 2, says: /"acme" is not owner\/name/u },
    { trouble: 'no login', args: ['--agent', '../x'], code: 2, says: /is not a Gitea login/u },
    { trouble: 'a token file that is empty', args: ['--token-file', 'empty'], code: 4, says: /is empty/u },
    {
      trouble: 'a folder that cannot be',
      args: ['--workspace', 'empty/x'],
      code: 1,
      says: /empty\/x cannot be made/u,
    },
  ])('$trouble: it says so, and writes nothing', async ({ args = [], token, code, says }) => {
    const at = await newcomer();
    at.write('empty', '');
    const given = ['--url', at.gitea.url, '--repository', 'acme/app', ...args];
    const finished = await at.run(['init', ...given], { GITEA_TOKEN: token ?? at.gitea.token });
    expect({ code: finished.code, stderr: finished.stderr }).toEqual({ code, stderr: expect.stringMatching(says) });
    expect(at.files()).toEqual(['empty']);
  });

  test('a token file that is misspelt is named', async () => {
    const at = await newcomer();
    const given = ['--url', at.gitea.url, '--repository', 'acme/app', '--token-file', 'tokn'];
    expect(await at.run(['init', ...given])).toMatchObject({
      code: 4,
      stderr: expect.stringMatching(/the token file \S*tokn is not there\n  fix: create it/u),
    });
  });

  test('a token in a file that is revoked: the remedy needs no configuration', async () => {
    const at = await newcomer();
    at.write('token', 'revoked');
    const given = ['init', '--url', at.gitea.url, '--repository', 'acme/app', '--token-file', 'token'];
    const { code, stderr } = await at.run(given);
    expect({ code, stderr }).toEqual({
      code: 4,
      stderr: expect.stringMatching(
        /refused the token[^]*fix: make one .*, put it into \S*token \(.*, then repeat this/u,
      ),
    });
    expect(stderr).not.toContain('dispatcher token');
    at.write('token', at.gitea.token);
    expect(await at.run(given)).toMatchObject({ code: 0 });
  });

  test('$DISPATCHER_CONFIG: it is written where every other command looks for it', async () => {
    const at = await newcomer();
    const place = { DISPATCHER_CONFIG: join(at.folder, 'etc', 'office.yaml') };
    const given = ['init', '--url', at.gitea.url, '--repository', 'acme/app'];
    expect(await at.run(given, { ...place, GITEA_TOKEN: at.gitea.token })).toMatchObject({ code: 0 });
    expect(await at.run(['doctor'], place)).toMatchObject({ code: 0 });
    expect(await at.run(given, { ...place, GITEA_TOKEN: at.gitea.token })).toMatchObject({ code: 5 });
  });

  test('never overwrites: neither a configuration nor a token', async () => {
    const at = await newcomer();
    const args = ['init', '--url', at.gitea.url, '--repository', 'acme/app'];
    await at.run(args, { GITEA_TOKEN: at.gitea.token });
    const again = await at.run(args, { GITEA_TOKEN: at.gitea.token });
    expect({ code: again.code, stderr: again.stderr }).toEqual({
      code: 5,
      stderr: expect.stringContaining('dispatcher.yaml is there already'),
    });
    rmSync(join(at.folder, 'dispatcher.yaml'));
    const [file = ''] = at.files();
    at.write(file, 'another\n');
    const third = await at.run(args, { GITEA_TOKEN: at.gitea.token });
    expect({ code: third.code, stderr: third.stderr }).toEqual({
      code: 5,
      stderr: expect.stringContaining('holds a token already'),
    });
    expect(at.read(file)).toBe('another\n');
  });
});

describe.runIf(CAN_BE_ANOTHER)('12.12 under umask 000', () => {
  test.for([
    { who: 'root', uid: 0, folder: '755' },
    { who: 'a user', uid: 47_111, folder: '700' },
  ])('$who: nobody else may write anything, nor read the token', async ({ uid, folder }) => {
    const at = await newcomer();
    chownSync(at.folder, uid, uid);
    const before = process.umask(0);
    onTestFinished(() => void process.umask(before));
    const run = async (...args: readonly string[]): Promise<Finished> => {
      const line = [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', NODE, COMMAND, ...args];
      const env = { PATH: process.env['PATH'], HOME: at.folder, GITEA_TOKEN: at.gitea.token };
      return finished(spawn('setpriv', line, { cwd: at.folder, env, stdio: ['ignore', 'pipe', 'pipe'] }));
    };
    const place = ['--token-file', 'keys/gitea/token', '--workspace', 'srv/agents'];
    const made = await run('init', '--url', at.gitea.url, '--repository', 'acme/app', ...place);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(await run('dispatch', '-q')).toMatchObject({ code: 0, stderr: '' });
    const modes = new Map(
      readdirSync(at.folder, { recursive: true, encoding: 'utf8' }).map((path) => [
        path,
        (statSync(join(at.folder, path)).mode & 0o777).toString(8),
      ]),
    );
    expect(Object.fromEntries(modes)).toMatchObject({
      'dispatcher.yaml': '600',
      keys: '755',
      'keys/gitea': folder,
      'keys/gitea/token': '600',
      srv: '755',
      'srv/agents': '755',
      'srv/agents/.agent-dispatcher': '750',
      'srv/agents/.agent-dispatcher/state.json': '600',
      'srv/agents/.agent-dispatcher/lock': '600',
      'srv/agents/.agent-dispatcher/dispatches.jsonl': '640',
      'srv/agents/.agent-dispatcher.log': '640',
      'srv/agents/.agent-tasks': '755',
      'srv/agents/.agent-tasks/hans/issue-1.md': '664',
    });
    // By the last digit: strangers.
    expect([...modes].filter(([, mode]) => /[2367]$/u.test(mode))).toEqual([]);
  });
});

describe.skipIf(!has('script'))('on a terminal', () => {
  test('asks again until an answer is right, and gives up at Ctrl-C with nothing written', async () => {
    const at = await newcomer();
    const terminal = openTerminal(at.folder, {
      PATH: process.env['PATH'] ?? '',
      HOME: at.folder,
      XDG_CONFIG_HOME: join(at.folder, '.config'),
    });
    terminal.type(`${NODE} ${COMMAND} init\r`);
    await terminal.until(/Address of your Gitea/u);
    terminal.type('http://127.0.0.1:9\r');
    await terminal.until(/failed: [^]*127\.0\.0\.1:9[^]*Address of your Gitea/u);
    terminal.type(`${at.gitea.url}\r`);
    await terminal.until(/✔ server/u);
    await terminal.until(/Access token/u);
    terminal.type('wrong\r');
    await terminal.until(/refused the token[^]*Access token/u);
    terminal.type(`${at.gitea.token}\r`);
    await terminal.until(/Repositories to watch/u);
    terminal.type('\u0003');
    await terminal.until(/given up; nothing was written/u);
    terminal.type('echo "code $?"\r');
    await terminal.until(/code 130/u);
    expect(at.files()).toEqual([]);
    expect(terminal.text()).not.toContain(at.gitea.token);
  });

  test.skipIf(process.getuid?.() !== 0)(
    '11.16 root gives what it writes to the owner of the workspace that was typed',
    async () => {
      const at = await newcomer();
      mkdirSync(join(at.folder, 'theirs'));
      chownSync(join(at.folder, 'theirs'), 12_345, 12_345);
      const terminal = openTerminal(at.folder, {
        PATH: process.env['PATH'] ?? '',
        HOME: at.folder,
        XDG_CONFIG_HOME: join(at.folder, '.config'),
        GITEA_TOKEN: at.gitea.token,
      });
      terminal.type(`${NODE} ${COMMAND} init --url ${at.gitea.url} --repository acme/app --agent hans\r`);
      await terminal.until(/Folder of the task files/u);
      terminal.type(`\u0015${join(at.folder, 'theirs')}\r`); // in place of the one that is offered
      await terminal.until(/Next: /u);
      expect(at.files().map((file) => statSync(join(at.folder, file)).uid)).toEqual([12_345, 12_345]);
    },
  );

  test("a new user's first session: each step names the next, six commands, from the packed tarball", async () => {
    const at = await newcomer();
    const home = mkdtempSync(join(tmpdir(), 'dispatcher-home-'));
    onTestFinished(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));
    const npm = (args: readonly string[], cwd: string): void => {
      const { status, stderr } = spawnSync('npm', [...args], { cwd, encoding: 'utf8' });
      expect({ status, stderr }).toMatchObject({ status: 0 });
    };
    npm(['pack', '--ignore-scripts', '--pack-destination', home], REPOSITORY);
    const tarball = readdirSync(home).find((name) => name.endsWith('.tgz')) ?? '';
    npm(['install', '--global', '--offline', '--no-audit', '--prefix', join(home, 'npm'), join(home, tarball)], home);
    const office = join(home, 'office');
    mkdirSync(office);
    const terminal = openTerminal(office, {
      PATH: `${join(home, 'npm/bin')}:${dirname(NODE)}:${process.env['PATH']}`,
      HOME: home,
      XDG_CONFIG_HOME: join(home, '.config'),
    });
    const started = Date.now();
    const next = async (pattern: RegExp): Promise<string> => (await terminal.until(pattern))[1] ?? '';

    terminal.type('dispatcher init\r');
    await terminal.until(/Address of your Gitea/u);
    terminal.type(`${at.gitea.url}/acme/app\r`);
    await terminal.until(/Access token/u);
    terminal.type(`${at.gitea.token}\r`);
    await terminal.until(/Repositories to watch[^]*acme\/app/u);
    terminal.type(' \r');
    await terminal.until(/✔ repositories +acme\/app: 2 open issues/u);
    await terminal.until(/Who of the assignees[^]*hans/u);
    terminal.type(' \r');
    await terminal.until(/Folder of the task files/u);
    terminal.type('\r');
    const doctor = await next(/Next: (dispatcher doctor)\n/u);
    terminal.type(`${doctor}\r`);
    await terminal.until(/Everything that a pass needs is there/u);
    const dryRun = await next(/Next: (.*)\n/u);
    terminal.type(`${dryRun}\r`);
    await terminal.until(/A pass would write \S*hans\/issue-1\.md/u);
    const forReal = await next(/For real: (.*)\n/u);
    terminal.type(`${forReal}\r`);
    await terminal.until(/DISPATCHED: hans → Issue #1/u);
    const status = await next(/Next: (.*)\n/u);
    terminal.type(`${status}\r`);
    await terminal.until(/ok: last pass[^]*#1[^]*new/u);
    const page = await next(/Next: (dispatcher dashboard)/u);
    terminal.type(`${page} --port 0\r`);
    const url = await next(/Dashboard: (\S+)/u);
    expect(await (await fetch(url)).text()).toContain('acme/app#1');
    terminal.type('\u0003');
    await terminal.until(/interrupted/u);

    expect([doctor, dryRun, forReal, status, page]).toEqual([
      'dispatcher doctor',
      'dispatcher dispatch --dry-run',
      'dispatcher dispatch',
      'dispatcher status',
      'dispatcher dashboard',
    ]);
    expect(Date.now() - started).toBeLessThan(120_000);
    expect(terminal.text()).not.toContain(at.gitea.token);
  });
});
