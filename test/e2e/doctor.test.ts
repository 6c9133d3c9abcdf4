import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { CAN_BE_ANOTHER } from '../support/another-user.ts';
import { COMMAND, type Finished, finished, NODE, RECORDING, type Workspace, workspace } from '../support/command.ts';
import { startFakeGitea } from '../support/gitea/server.ts';

/** A folder for PATH with a systemctl that answers for the system as given, and for the user that nothing is there. */
function systemctl(
  at: Workspace,
  timer: Record<string, string>,
  service: Record<string, string>,
): Record<string, string> {
  const text = [timer, service]
    .map((unit) =>
      Object.entries(unit)
        .map(([key, value]) => `${key}=${value}`)
        .join('\n'),
    )
    .join('\n\n');
  mkdirSync(join(at.folder, 'bin'));
  writeFileSync(join(at.folder, 'answer'), text);
  writeFileSync(
    join(at.folder, 'bin/systemctl'),
    `#!/bin/sh\n[ "$1" = --user ] && { printf 'LoadState=not-found\\n\\nLoadState=not-found\\n'; exit; }\n[ "$1" != show ] || cat '${join(at.folder, 'answer')}'\n`,
  );
  chmodSync(join(at.folder, 'bin/systemctl'), 0o755);
  return { PATH: `${join(at.folder, 'bin')}:${process.env['PATH']}` };
}
const TIMER = { Id: 'dispatcher.timer', LoadState: 'loaded', UnitFileState: 'enabled', ActiveState: 'active' };
const SERVICE = {
  Id: 'dispatcher.service',
  LoadState: 'loaded',
  Result: 'success',
  ExecMainStatus: '0',
  User: '',
  ExecStart: `{ path=${process.execPath} ; argv[]=${process.execPath} ${COMMAND} dispatch ; ignore_errors=no }`,
};

async function office(
  yaml = 'gitea: { url: URL, repositories: [acme/app] }\nagents: { hans: {} }\n',
): Promise<Workspace> {
  const at = await workspace({ yaml });
  at.gitea.addIssue({ repository: 'acme/app', number: 1, title: 'First', assignees: ['hans'] });
  return at;
}

describe('dispatcher doctor', () => {
  test('all is well: a line for each check, exit 0', async () => {
    const at = await office();
    await at.run([]);
    const { code, stdout } = await at.run(['doctor'], systemctl(at, TIMER, SERVICE));
    expect({ code, failed: stdout.match(/^✖.*/gmu) }).toEqual({ code: 0, failed: null });
    for (const check of [
      'node',
      'configuration',
      'template',
      'token',
      'server',
      'clock',
      'issues',
      'agent',
      'task folder',
      'state folder',
      'log',
      'last pass',
      'timer',
    ]) {
      expect(stdout).toMatch(new RegExp(`^✔ ${check} +\\S`, 'mu'));
    }
    expect(stdout).toContain('1.22.0');
    expect(stdout).toContain('Everything that a pass needs is there.');
  });

  test('--json is one document', async () => {
    const at = await office();
    const document = JSON.parse((await at.run(['doctor', '--json'])).stdout);
    expect(document).toMatchObject({
      schemaVersion: 1,
      failed: 0,
      findings: expect.arrayContaining([{ check: 'issues', status: 'ok', message: expect.any(String), fix: null }]),
    });
  });

  test.for<{
    trouble: string;
    yaml?: string;
    arrange?: (at: Workspace) => Record<string, string> | void;
    says: RegExp;
    code?: number;
  }>([
    {
      trouble: 'a configuration with mistakes',
      yaml: 'gitea: { url: URL, repositries: [a/b] }\n',
      says: /✖ configuration +failed: the configuration has 2 problems:[^]*did you mean repositories[^]*fix: /u,
    },
    { trouble: 'no token', arrange: () => ({ GITEA_TOKEN: '' }), says: /✖ token[^]*fix: put the token into a file/u },
    {
      trouble: 'a token that is refused',
      arrange: () => ({ GITEA_TOKEN: 'wrong' }),
      says: /✖ server +failed: Gitea refused the token \(401\)[^]*fix: .*read:issue/u,
    },
    {
      trouble: 'a token file that everybody can read',
      yaml: 'gitea: { url: URL, repositories: [acme/app], tokenFile: t }\n',
      arrange: (at) => (at.write('t', at.gitea.token), chmodSync(join(at.folder, 't'), 0o644), undefined),
      says: /▲ token +warning: .*can be read by everybody[^]*fix: chmod 600/u,
      code: 0,
    },
    {
      trouble: 'metrics in a folder that is not there',
      yaml: 'gitea: { url: URL, repositories: [acme/app] }\nmonitor: { metricsFile: nowhere/dispatcher.prom }\n',
      says: /✖ metrics +failed: .*\/nowhere is not there, so no pass can write [^]*fix: mkdir -p/u,
    },
    {
      trouble: 'a wrong address',
      yaml: 'gitea: { url: "http://127.0.0.1:9", repositories: [acme/app] }\n',
      says: /✖ server[^]*refused[^]*fix: check gitea\.url/u,
    },
    {
      trouble: 'a path prefix that is missing',
      yaml: 'gitea: { url: URL/git, repositories: [acme/app] }\n',
      says: /✖ server[^]*fix: /u,
    },
    {
      trouble: 'a repository that is not there',
      yaml: 'gitea: { url: URL, repositories: [acme/app, other/gone] }\n',
      says: /✖ repositories +failed: other\/gone cannot be read[^]*fix: check gitea\.repositories/u,
    },
    {
      trouble: 'a template with a mistake',
      yaml: 'gitea: { url: URL, repositories: [acme/app] }\ntasks: { template: t.hbs }\n',
      arrange: (at) => at.write('t.hbs', '{{issue.titel}}'),
      says: /✖ template +failed: .*t\.hbs:1: unknown variable issue\.titel \(did you mean issue\.title\?\)\n {4}fix: /u,
    },
    {
      trouble: 'an agent that is misspelt',
      yaml: 'gitea: { url: URL, repositories: [acme/app] }\nagents: { hanz: {} }\n',
      says: /· agent +no open issue is assigned to hanz: .*assignees that are no agents: hans/u,
      code: 0,
    },
    {
      trouble: 'a newer state',
      arrange: (at) => (
        mkdirSync(join(at.folder, '.agent-dispatcher')),
        at.write('.agent-dispatcher/state.json', '{"version":9}')
      ),
      says: /✖ state +failed: .*newer dispatcher/u,
    },
    {
      trouble: 'a pause',
      arrange: (at) => (
        mkdirSync(join(at.folder, '.agent-dispatcher/pauses'), { recursive: true }),
        at.write('.agent-dispatcher/pauses/all.json', 'x')
      ),
      says: /▲ pause[^]*fix: dispatcher resume/u,
      code: 0,
    },
    {
      trouble: 'no timer',
      arrange: (at) => systemctl(at, { LoadState: 'not-found' }, { LoadState: 'not-found' }),
      says: /· timer +not installed[^]*fix: sudo dispatcher systemd install --now/u,
      code: 0,
    },
    {
      trouble: 'a stopped timer',
      arrange: (at) => systemctl(at, { ...TIMER, ActiveState: 'inactive' }, SERVICE),
      says: /✖ timer +failed: the timer of the system is stopped\n {4}fix: sudo systemctl enable --now dispatcher\.timer/u,
    },
    {
      trouble: 'a timer that does not start with the machine',
      arrange: (at) => systemctl(at, { ...TIMER, UnitFileState: 'disabled' }, SERVICE),
      says: /▲ timer[^]*does not start with the machine/u,
      code: 0,
    },
    {
      trouble: 'a unit whose node is gone',
      arrange: (at) =>
        systemctl(at, TIMER, { ...SERVICE, ExecStart: '{ path=/gone/node ; argv[]=/gone/node /x.js dispatch ; }' }),
      says: /✖ unit +failed: the unit starts \/gone\/node, which does not exist\n {4}fix: dispatcher systemd install/u,
    },
    {
      trouble: 'a unit of another installation',
      arrange: (at) =>
        systemctl(at, TIMER, {
          ...SERVICE,
          ExecStart: `{ argv[]=${process.execPath} ${join(at.folder, 'dispatcher.yaml')} dispatch ; }`,
        }),
      says: /▲ unit[^]*another installation/u,
      code: 0,
    },
    {
      trouble: 'a unit that cannot be started',
      arrange: (at) => systemctl(at, TIMER, { ...SERVICE, Result: 'exit-code', ExecMainStatus: '203' }),
      says: /✖ unit[^]*status 203[^]*fix: journalctl/u,
    },
    {
      trouble: "a folder that the unit's user may not write",
      arrange: (at) => (chmodSync(at.folder, 0o755), systemctl(at, TIMER, { ...SERVICE, User: 'nobody' })),
      says: /✖ task folder +failed: nobody may not write[^]*fix: sudo chown -R nobody/u,
    },
  ])('$trouble', async ({ yaml, arrange, says, code = 1 }) => {
    const at = await office(yaml);
    const environment = arrange?.(at) ?? {};
    expect(await at.run(['doctor'], environment)).toMatchObject({ code, stdout: expect.stringMatching(says) });
  });

  test('a clock that is off', async () => {
    const late = await startFakeGitea({ now: () => new Date(Date.now() - 3_600_000) });
    const at = await office(`gitea: { url: "${late.url}", repositories: [acme/app] }\n`);
    late.addIssue({ repository: 'acme/app', number: 1, assignees: ['hans'] });
    const { stdout } = await at.run(['doctor']);
    await late.close();
    expect(stdout).toMatch(
      /▲ clock +warning: this machine is (?:1h|59m|60m) ahead of the server\n {4}fix: sudo timedatectl set-ntp true/u,
    );
  });

  test('a token that may do more than it needs', async () => {
    const at = await workspace({ scopes: ['all'] });
    at.gitea.addIssue({ repository: 'acme/app', number: 1, assignees: ['hans'] });
    expect((await at.run(['doctor'])).stdout).toMatch(/· token +it may do more than a pass needs/u);
  });

  test('the token is in no line of it', async () => {
    const at = await office();
    const { stdout, stderr } = await at.run(['doctor', '-v']);
    expect(stdout + stderr).not.toContain(at.gitea.token);
  });

  test('cron is a timer as well, and two starters are one too many', async () => {
    const at = await office();
    await at.run([]);
    const environment = systemctl(at, {}, {});
    writeFileSync(join(at.folder, 'answer'), 'LoadState=not-found\n\nLoadState=not-found\n');
    const crontab = (line: string): void =>
      writeFileSync(join(at.folder, 'bin/crontab'), `#!/bin/sh\ncat <<'END'\n${line}\nEND\n`, { mode: 0o755 });
    crontab('# * * * * * dispatcher -q');
    expect((await at.run(['doctor'], environment)).stdout).toMatch(/✖ timer +failed: not installed/u);
    crontab('* * * * * /usr/bin/node /usr/lib/node_modules/agent-dispatcher/bin/dispatcher.js -q --config /srv/d.yaml');
    expect(await at.run(['doctor'], environment)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/✔ timer +cron starts the passes: \* \* /u),
    });
    writeFileSync(
      join(at.folder, 'answer'),
      [TIMER, SERVICE]
        .map((unit) =>
          Object.entries(unit)
            .map((pair) => pair.join('='))
            .join('\n'),
        )
        .join('\n\n'),
    );
    expect((await at.run(['doctor'], environment)).stdout).toMatch(
      /▲ timer +warning: cron starts passes as well as dispatcher\.timer: .*\n +fix: crontab -e/u,
    );
  });

  test('a page that an older version still serves is told with the command that mends it', async () => {
    const at = await office();
    const page = createServer((_request, response) => void response.end(JSON.stringify({ version: '0.0.1' })));
    await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void page.close());
    const { port } = page.address() as AddressInfo;
    at.write('dispatcher.yaml', `${at.read('dispatcher.yaml')}dashboard: { port: ${port} }\n`);
    expect((await at.run(['doctor'])).stdout).toMatch(
      /▲ dashboard +warning: .* is of dispatcher 0\.0\.1, and this is .*\n +fix: sudo systemctl restart dispatcher-dashboard/u,
    );
  });

  test.runIf(CAN_BE_ANOTHER)(
    'a user without a name and a home, as in a container, is told so; all else is looked at, and what is printed mends it',
    async () => {
      const at = await office();
      const asNameless = async (...args: readonly string[]): Promise<Finished> =>
        finished(
          spawn('setpriv', ['--reuid=54321', '--regid=54321', '--clear-groups', NODE, COMMAND, ...args], {
            cwd: at.folder,
            env: { PATH: process.env['PATH'], GITEA_TOKEN: at.gitea.token, ...RECORDING },
            stdio: ['ignore', 'pipe', 'pipe'],
          }),
        );
      chmodSync(at.folder, 0o755);
      const before = await asNameless('doctor');
      expect(before.stdout).toMatch(/^· home +user 54321 has no home folder[^]*\n✔ server[^]*\n✔ tasks/mu);
      const fix = /✖ task folder .*\n +fix: sudo (chown -R 54321 \S+)\n/u.exec(before.stdout)?.[1] ?? '';
      execFileSync('sh', ['-c', fix]);
      expect(await asNameless()).toMatchObject({ code: 0, stdout: expect.stringContaining('DISPATCHED: hans') });
      expect((await asNameless('doctor')).stdout).not.toContain('✖');
      expect((await asNameless('status')).stdout).toContain('acme/app#1');
      expect((await asNameless('next', '--agent', 'hans')).stdout).toContain('/doing/issue-1.md');
      expect(await asNameless('systemd', 'print', '--user')).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/no home folder.*\n +fix: set HOME/u),
      });
    },
  );
});

test('its remedies, and those of a pass and of status, are for the configuration that was named, whatever its name', async () => {
  const at = await workspace({ yaml: 'gitea: { url: URL, repositories: [acme/app], tokenFile: token }\n' });
  at.write('my office.yaml', at.read('dispatcher.yaml'));
  at.write('token', 'revoked');
  chmodSync(join(at.folder, 'token'), 0o600);
  const named = ['--config', 'my office.yaml'];
  const typed = "then: dispatcher --config 'my office.yaml' token\n";
  expect((await at.run([...named])).stderr).toContain(typed);
  expect((await at.run([...named, 'doctor'])).stdout).toContain(typed);
  expect((await at.run([...named, 'status'])).stderr).toContain(typed);
});

test('its remedies are commands where names have blanks', async () => {
  const at = await workspace({ yaml: 'gitea: { url: URL, repositories: [acme/app], tokenFile: my token }\n' });
  at.write('dispatcher.yaml', `${at.read('dispatcher.yaml')}onDispatch: { command: ['${at.folder}/my hook'] }\n`);
  at.gitea.addIssue({ repository: 'acme/app', number: 1, assignees: ['hans'] });
  at.write('my token', at.gitea.token);
  at.write('my hook', '#!/bin/sh\n');
  chmodSync(join(at.folder, 'my token'), 0o644);
  chmodSync(join(at.folder, 'my hook'), 0o644);
  const remedies = [...(await at.run(['doctor'])).stdout.matchAll(/ fix: (chmod [^;\n]*)/gu)].map(
    ([, fix = '']) => fix,
  );
  expect(remedies).toHaveLength(2);
  for (const remedy of remedies) execFileSync('sh', ['-c', remedy], { cwd: at.folder });
  const after = await at.run(['doctor']);
  expect(after).toMatchObject({ code: 0, stdout: expect.not.stringContaining(' fix: chmod') });
});

test('a group of agents that names nobody is told: nothing is ever dispatched', async () => {
  const at = await workspace({ yaml: 'gitea: { url: URL, repositories: [acme/app] }\nagents: {}\n' });
  at.gitea.addIssue({ repository: 'acme/app', number: 1, assignees: ['hans'] });
  const { stdout } = await at.run(['doctor']);
  expect(stdout).toMatch(
    /▲ agents +warning: the group agents names nobody.*\n {4}fix: name their logins below agents/u,
  );
});
