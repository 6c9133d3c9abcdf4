import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { COMMAND, type Finished, finished, NODE, type Workspace, workspace } from '../support/command.ts';
import { openTerminal } from '../support/terminal.ts';
import { EMPTY_ISSUE } from '../support/gitea/json.ts';
import { FAULTS } from '../support/gitea/server.ts';

interface Row {
  readonly code: number;
  readonly when: string;
  readonly says: RegExp;
  readonly run: (at: Workspace) => Promise<Finished>;
}

describe('every exit code of the README is reached', () => {
  const rows: readonly Row[] = [
    { code: 0, when: 'there is nothing to do', says: /^$/u, run: async (at) => at.run([]) },
    {
      code: 0,
      when: 'help is asked for',
      says: /^Examples:\n {2}dispatcher/u,
      run: async (at) => at.run(['--help']),
    },
    {
      code: 0,
      when: 'the version is asked for',
      says: /^\d+\.\d+\.\d+\n$/u,
      run: async (at) => at.run(['-V']),
    },
    {
      code: 1,
      when: 'the state folder cannot be written',
      says: /the state folder .* cannot be written: .*\n {2}fix: /u,
      run: async (at) => {
        at.write('.agent-dispatcher', 'a file');
        return at.run([]);
      },
    },
    {
      code: 2,
      when: 'an option is unknown',
      says: /unknown option '--isue'\n\(Did you mean --issue\?\)/u,
      run: async (at) => at.run(['dispatch', '--isue', '5']),
    },
    {
      code: 2,
      when: 'a command is unknown',
      says: /unknown command or argument: statsu\n {2}fix: did you mean: dispatcher status/u,
      run: async (at) => at.run(['statsu']),
    },
    {
      code: 2,
      when: 'the issue is no number',
      says: /It must be an issue/u,
      run: async (at) => at.run(['dispatch', '--issue', 'five']),
    },
    {
      code: 2,
      when: '--force stands alone',
      says: /--force needs --issue/u,
      run: async (at) => at.run(['dispatch', '--force']),
    },
    {
      code: 3,
      when: 'no pass has run and status is asked to judge',
      says: /never run/u,
      run: async (at) => at.run(['status', '--exit-status']),
    },
    {
      code: 4,
      when: 'there is no token',
      says: /no Gitea token: [^]*\n {2}fix: /u,
      run: async (at) => at.run([], { GITEA_TOKEN: '' }),
    },
    {
      code: 4,
      when: 'the token is refused',
      says: /refused the token \(401\)[^]*the token came from \$GITEA_TOKEN/u,
      run: async (at) => at.run([], { GITEA_TOKEN: 'f'.repeat(40) }),
    },
    {
      code: 5,
      when: 'a closed issue is to be dispatched',
      says: /is closed/u,
      run: async (at) => at.run(['dispatch', '--issue', '8', '--force']),
    },
    {
      code: 75,
      when: 'nobody listens at the address',
      says: /cannot be reached: the connection was refused\n {2}fix: /u,
      run: async (at) => {
        at.write('dispatcher.yaml', 'gitea: { url: "http://127.0.0.1:9", repositories: [acme/app] }\n');
        return at.run([]);
      },
    },
    {
      code: 78,
      when: 'there is no configuration',
      says: /no configuration: none of/u,
      run: async (at) => {
        rmSync(join(at.folder, 'dispatcher.yaml'));
        return at.run([]);
      },
    },
    {
      code: 78,
      when: 'the configuration is wrong',
      says: /has 1 problem:\n {2}.*dispatcher\.yaml:3:3: unknown key gitea\.repos/u,
      run: async (at) => {
        at.write('dispatcher.yaml', 'gitea:\n  url: http://x\n  repos: []\n  repositories: [a/b]\n');
        return at.run([]);
      },
    },
    {
      code: 78,
      when: 'the template is wrong',
      says: /all\.md\.hbs:2: unknown variable issue\.titel \(did you mean issue\.title\?\)/u,
      run: async (at) => {
        at.write('all.md.hbs', 'x\n{{issue.titel}}');
        at.write(
          'dispatcher.yaml',
          `gitea: { url: "${at.gitea.url}", repositories: [acme/app] }\ntasks: { template: all.md.hbs }\n`,
        );
        at.gitea.addIssue({ repository: 'acme/app', assignees: ['hans'] });
        return at.run([]);
      },
    },
    {
      code: 130,
      when: 'it is interrupted',
      says: /^dispatcher: interrupted\n$/u,
      run: async (at) => {
        at.gitea.intercept(/issues/u, FAULTS.hang);
        const child = at.start([]);
        const end = finished(child);
        while (at.gitea.requests.length === 0) await pause(10);
        child.kill('SIGTERM');
        return end;
      },
    },
  ];
  test.for(rows)('$code when $when', async ({ code, says, run }) => {
    const at = await workspace();
    at.gitea.addIssue({ repository: 'acme/app', number: 8, state: 'closed', assignees: ['hans'] });
    const result = await run(at);
    expect(result.code).toBe(code);
    expect(result.stderr || result.stdout).toMatch(says);
    expect(result.stderr).not.toMatch(/\n {4}at /u);
  });
});

describe('a server that lies is an outage, never "no issues"', () => {
  test.for([
    {
      lie: 'a login page with 200',
      fault: FAULTS.html,
      says: 'with text/html; charset=utf-8 (status 200) where JSON was expected',
    },
    { lie: 'truncated JSON', fault: FAULTS.truncated, says: 'with broken JSON' },
    { lie: 'an object instead of a list', fault: { body: '{}' }, says: 'something other than a list' },
    {
      lie: 'nothing but empty objects',
      fault: { headers: { 'x-total-count': '2' }, body: '[{},{}]' },
      says: 'all 2 issues that Gitea sent for acme/app are unreadable',
    },
    {
      lie: 'a redirect to another server',
      fault: { status: 302, headers: { location: 'http://localhost:9/api' } },
      says: 'redirects to another server (http://localhost:9)',
    },
    {
      lie: 'a redirect in a circle',
      fault: { status: 307, headers: { location: '/api/v1/x' } },
      says: 'redirects in a circle',
    },
    { lie: 'a reset connection', fault: FAULTS.reset, says: 'the connection broke off' },
    { lie: 'a reset in mid-body', fault: FAULTS.resetInMidBody, says: 'cannot be reached' },
    { lie: 'an internal error', fault: { status: 500, body: '{"message":""}' }, says: 'answered 500' },
    {
      lie: 'overload that lasts',
      fault: { status: 503, headers: { 'retry-after': '0' } },
      says: 'answered 503',
    },
    {
      lie: 'throttling for longer than a pass',
      fault: { status: 429, headers: { 'retry-after': '3600' } },
      says: 'answered 429',
    },
  ])('$lie', async ({ fault, says }) => {
    const at = await workspace();
    at.gitea.addIssue({ repository: 'acme/app', assignees: ['hans'] });
    const heal = at.gitea.intercept(/./u, fault);
    const failed = await at.run([]);
    expect(failed.code).toBe(75);
    expect(failed.stderr).toContain(says);
    expect(failed.stderr).toContain('\n  fix: ');
    expect(at.read('.agent-dispatcher.log')).toMatch(/❌ ERROR: /u);
    expect((await at.run(['status', '--exit-status'])).code).toBe(3);
    heal();
    expect((await at.run([])).stdout).toContain('DISPATCHED');
  });

  test('the token does not follow a redirect to another origin', async () => {
    const at = await workspace();
    const other = await workspace();
    at.gitea.intercept(/./u, { status: 307, headers: { location: `${other.gitea.url}/api/v1/version` } });
    await at.run([]);
    expect(other.gitea.requests).toEqual([]);
  });

  test('a renamed repository is followed, since that redirect stays on the server', async () => {
    const at = await workspace();
    at.gitea.addIssue({ repository: 'acme/app', assignees: ['hans'] });
    at.gitea.renameRepository('acme/app', 'acme/new');
    expect((await at.run([])).code).toBe(0);
    expect(at.tasks()).toEqual(['.agent-tasks/hans/issue-1.md']);
  });

  test('a 503 is tried again, and then the pass goes on', async () => {
    const at = await workspace();
    at.gitea.addIssue({ repository: 'acme/app', assignees: ['hans'] });
    at.gitea.intercept(/./u, { status: 503 }, 2);
    expect((await at.run([])).stdout).toContain('DISPATCHED');
  });
});

describe('one bad issue never stops the others', () => {
  test('an issue that cannot be loaded is passed over in the same pass, and backed off', async () => {
    const at = await workspace({ yaml: 'gitea:\n  url: URL\n  repositories: [acme/app]\nrateLimit: 1s\n' });
    at.gitea.addIssue({ repository: 'acme/app', number: 1, labels: ['critical'], assignees: ['hans'] });
    at.gitea.addIssue({ repository: 'acme/app', number: 2, assignees: ['hans'] });
    at.gitea.intercept(/issues\/1\/comments/u, { status: 500, body: '{}' });
    const { code, stdout } = await at.run([]);
    expect(code).toBe(0);
    expect(stdout).toContain('WARNING: acme/app#1 for hans is passed over: Gitea at');
    expect(stdout).toContain('DISPATCHED: hans → Issue #2');
    expect(JSON.parse(at.read('.agent-dispatcher/state.json'))).toMatchObject({
      turns: { [`read ${new URL(at.gitea.url).host}#2:hans`]: { tries: 1 } },
    });
    const asked = at.gitea.requests.length;
    await pause(1000);
    await at.run([]);
    expect(at.gitea.requests.slice(asked).filter((request) => request.includes('/issues/1'))).toEqual([]);
  });

  test('bad elements of a list are counted and left out', async () => {
    const at = await workspace();
    at.gitea.addIssue({ repository: 'acme/app', assignees: ['hans'] });
    const list = await (
      await fetch(`${at.gitea.url}/api/v1/repos/acme/app/issues`, {
        headers: { authorization: `Bearer ${at.gitea.token}` },
      })
    ).text();
    at.gitea.intercept(/issues\?/u, {
      headers: { 'x-total-count': '2' },
      body: `[${JSON.stringify(EMPTY_ISSUE)},${list.trim().slice(1)}`,
    });
    const { stdout } = await at.run([]);
    expect(stdout).toContain('WARNING: Gitea sent 1 unreadable issue, left out of this pass');
    expect(stdout).toContain('DISPATCHED');
  });

  test('a repository that cannot be read is a warning while another one can', async () => {
    const at = await workspace({ yaml: 'gitea:\n  url: URL\n  repositories: [acme/app, gone/gone]\n' });
    at.gitea.addIssue({ repository: 'acme/app', assignees: ['hans'] });
    const { code, stdout } = await at.run([]);
    expect(code).toBe(0);
    expect(stdout).toContain('WARNING: gone/gone cannot be read');
    expect((await at.run([])).stdout).not.toContain('WARNING');
  });

  test('an issue that was closed since the list was read is not dispatched', async () => {
    const at = await workspace();
    at.gitea.addIssue({ repository: 'acme/app', number: 1, labels: ['critical'], assignees: ['hans'] });
    at.gitea.addIssue({ repository: 'acme/app', number: 2, assignees: ['hans'] });
    const stale = await (
      await fetch(`${at.gitea.url}/api/v1/repos/acme/app/issues`, {
        headers: { authorization: `Bearer ${at.gitea.token}` },
      })
    ).text();
    at.gitea.intercept(/issues\?/u, { headers: { 'x-total-count': '2' }, body: stale });
    at.gitea.editIssue('acme/app#1', { state: 'closed' });
    expect((await at.run([])).stdout).toContain('DISPATCHED: hans → Issue #2');
  });
});

test('a journal that cannot be written does not undo a dispatch: the limit holds, and the record is completed later', async () => {
  const at = await workspace();
  at.gitea.addIssue({ repository: 'acme/app', number: 1, assignees: ['hans'] });
  at.gitea.addIssue({ repository: 'acme/app', number: 2, assignees: ['hans'] });
  mkdirSync(join(at.folder, '.agent-dispatcher'));
  symlinkSync('/dev/full', join(at.folder, '.agent-dispatcher/dispatches.jsonl'));
  const first = await at.run([]);
  expect(first.code).toBe(0);
  expect(first.stdout).toContain('WARNING: the journal cannot be written, the next pass tries again: ');
  rmSync(join(at.folder, '.agent-dispatcher/dispatches.jsonl'));
  expect((await at.run([])).stdout).toContain('RECOVERED: the pass before was stopped after acme/app#1 was published');
  expect(at.tasks()).toHaveLength(1);
  expect(at.read('.agent-dispatcher/dispatches.jsonl').trim().split('\n')).toHaveLength(1);
});

test('a token that cannot be read is a failed pass, which status shows with its fix', async () => {
  const at = await workspace();
  expect((await at.run([], { GITEA_TOKEN: '' })).code).toBe(4);
  const { stderr } = await at.run(['status'], { GITEA_TOKEN: '' });
  expect(stderr).toMatch(
    /^✖ failing: 1 pass in a row, since \d+s: no Gitea token: [^\n]*\n {2}fix: put the token into a file/u,
  );
});

test('passes that succeed again are told in the log once, with how long it lasted', async () => {
  const at = await workspace();
  at.gitea.addRepository('acme/app');
  for (let count = 0; count < 2; count += 1) await at.run([], { GITEA_TOKEN: 'f'.repeat(40) });
  for (let count = 0; count < 2; count += 1) await at.run([]);
  expect(at.read('.agent-dispatcher.log').match(/RECOVERED: .*/gu)).toEqual([
    expect.stringMatching(/^RECOVERED: passes succeed again, after 2 that failed; it lasted \d+s$/u),
  ]);
});

test('with -q an outage is told once, as cron would mail every word; the exit code says it each time', async () => {
  const at = await workspace();
  at.gitea.addRepository('acme/app');
  const quiet = async (token: string): Promise<Finished> =>
    at.run(['dispatch', '--timer', '-q'], { GITEA_TOKEN: token });
  const wrong = 'f'.repeat(40);
  expect(await quiet(wrong)).toMatchObject({
    code: 4,
    stdout: '',
    stderr: expect.stringContaining('refused the token'),
  });
  expect(await quiet(wrong)).toEqual({ code: 4, stdout: '', stderr: '' });
  expect(await at.run([], { GITEA_TOKEN: wrong })).toMatchObject({
    stderr: expect.stringContaining('refused the token'),
  });
  expect(await quiet('')).toMatchObject({ code: 4, stderr: expect.stringContaining('no Gitea token') });
  expect(await quiet(at.gitea.token)).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(await quiet(wrong)).toMatchObject({ code: 4, stderr: expect.stringContaining('refused the token') });
});

test('somebody who types a pass without a token is told, and nothing is recorded', async () => {
  const at = await workspace();
  at.gitea.addRepository('acme/app');
  await at.run([]);
  const before = at.read('.agent-dispatcher/last-pass.json');
  const terminal = openTerminal(at.folder, { PATH: process.env['PATH'] ?? '', HOME: at.folder });
  terminal.type(`${NODE} ${COMMAND}; echo "code $?"\r`);
  await terminal.until(/no Gitea token[^]*code 4/u);
  expect(at.read('.agent-dispatcher/last-pass.json')).toBe(before);
  expect((await at.run(['status'], { GITEA_TOKEN: '' })).stderr).not.toContain('failing');
});

describe('the state', () => {
  const dispatched = async (): Promise<Workspace> => {
    const at = await workspace();
    at.gitea.addIssue({ repository: 'acme/app', number: 1, assignees: ['hans'] });
    at.gitea.addIssue({ repository: 'acme/app', number: 2, assignees: ['hans'] });
    await at.run([]);
    return at;
  };

  test.for([
    {
      what: 'is lost',
      spoil: (at: Workspace) => rmSync(join(at.folder, '.agent-dispatcher/state.json')),
      says: 'the state file is gone',
      kept: 0,
    },
    {
      what: 'is cut short',
      spoil: (at: Workspace) => at.write('.agent-dispatcher/state.json', '{"version":1,'),
      says: 'the state file is unreadable',
      kept: 1,
    },
    {
      what: 'is empty',
      spoil: (at: Workspace) => at.write('.agent-dispatcher/state.json', ''),
      says: 'the state file is unreadable',
      kept: 1,
    },
    {
      what: 'is something else',
      spoil: (at: Workspace) => at.write('.agent-dispatcher/state.json', '[1]'),
      says: 'the state file is unreadable',
      kept: 1,
    },
    {
      what: 'is a folder',
      spoil: (at: Workspace) => {
        rmSync(join(at.folder, '.agent-dispatcher/state.json'));
        mkdirSync(join(at.folder, '.agent-dispatcher/state.json'));
      },
      says: 'the state file is unreadable',
      kept: 0,
    },
    {
      what: 'and everything beside it is lost',
      spoil: (at: Workspace) => rmSync(join(at.folder, '.agent-dispatcher'), { recursive: true }),
      says: 'the state file is gone',
      kept: 0,
    },
  ])('that $what never opens the gate, and it is said', async ({ spoil, says, kept }) => {
    const at = await dispatched();
    spoil(at);
    const { code, stdout } = await at.run([]);
    expect(code).toBe(0);
    expect(stdout).toContain(says);
    expect(stdout).not.toContain('DISPATCHED');
    expect(at.tasks()).toHaveLength(1);
    expect(at.files().filter((name) => name.includes('state.json.broken-'))).toHaveLength(kept);
    expect((await at.run([])).stdout).toBe('');
  });

  test('of a newer version is left alone', async () => {
    const at = await dispatched();
    at.write('.agent-dispatcher/state.json', '{"version":99}');
    const { code, stderr } = await at.run([]);
    expect(code).toBe(1);
    expect(stderr).toContain('was written by a newer dispatcher');
    expect(at.read('.agent-dispatcher/state.json')).toBe('{"version":99}');
  });

  test('with a dispatch in the future holds for one window, says so once, and heals', async () => {
    const at = await dispatched();
    const state = JSON.parse(at.read('.agent-dispatcher/state.json'));
    at.write(
      '.agent-dispatcher/state.json',
      JSON.stringify({ ...state, lastDispatch: { ...state.lastDispatch, at: '2099-01-01T00:00:00.000Z' } }),
    );
    expect((await at.run([])).stdout).toContain('the clock was set back');
    expect(at.tasks()).toHaveLength(1);
    expect((await at.run([])).stdout).toBe('');
    const healed = JSON.parse(at.read('.agent-dispatcher/state.json'));
    expect(Date.parse(healed.lastDispatch.at)).toBeLessThanOrEqual(Date.now());
  });

  test('a link in the place of the lock is not a way out of the folder', async () => {
    const at = await workspace();
    mkdirSync(join(at.folder, '.agent-dispatcher'));
    at.write('outside', 'precious');
    symlinkSync(join(at.folder, 'outside'), join(at.folder, '.agent-dispatcher/state.json.tmp'));
    at.gitea.addIssue({ repository: 'acme/app', assignees: ['hans'] });
    await at.run([]);
    expect(at.read('outside')).toBe('precious');
  });
});
