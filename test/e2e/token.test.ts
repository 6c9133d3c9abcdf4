import { chmodSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { finished, type Finished, type Workspace, workspace } from '../support/command.ts';
import { furnish, typed } from '../support/office.ts';

const YAML = 'gitea: { url: URL, repositories: [acme/app], tokenFile: token }\n';

async function office(yaml = YAML, scopes = ['read:issue']): Promise<Workspace> {
  const at = await workspace({ yaml, scopes });
  at.gitea.addIssue({ repository: 'acme/app', number: 1, title: 'First', assignees: ['hans'] });
  return at;
}

/** `dispatcher token`, with that on standard input. */
async function given(
  at: Workspace,
  input: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  at.write('input', input);
  const { COMMAND, NODE } = await import('../support/command.ts');
  const { spawn } = await import('node:child_process');
  return finished(
    spawn('sh', ['-c', `'${NODE}' '${COMMAND}' token < input`], {
      cwd: at.folder,
      env: { PATH: process.env['PATH'], HOME: at.folder, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
}

test('a token that is revoked is replaced by one that was tried, for its owner alone', async () => {
  const at = await office();
  at.write('token', 'revoked\n');
  chmodSync(join(at.folder, 'token'), 0o644);
  const failing = await at.run([], { GITEA_TOKEN: '' });
  expect(failing).toMatchObject({ code: 4, stderr: expect.stringMatching(/fix: .*then: dispatcher token/u) });
  const { code, stdout } = await given(at, `${at.gitea.token}\n`);
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /✔ token +accepted by http[^]*✔ issues +1 open[^]*✔ token +stored in .*token; the next pass uses it/u,
  );
  expect(stdout).not.toContain(at.gitea.token);
  expect(statSync(join(at.folder, 'token')).mode & 0o777).toBe(0o600);
  expect(await at.run([], { GITEA_TOKEN: '' })).toMatchObject({ code: 0 });
});

test.for<{ what: string; input: string; yaml?: string; says: RegExp; code: number }>([
  { what: 'nothing', input: '', says: /no token was given[^]*fix: type it when asked/u, code: 4 },
  { what: 'two words', input: 'a b', says: /one word of printable characters/u, code: 4 },
  { what: 'a token that is refused', input: 'wrong', says: /refused the token \(401\)/u, code: 4 },
  {
    what: 'a token that may not write, where receipts are wanted',
    input: 'TOKEN',
    yaml: `${YAML}receipt: { comment: true }\n`,
    says: /may not write to issues, which receipts need[^]*fix: nothing was stored; .*write:issue/u,
    code: 4,
  },
  {
    what: 'a repository that it does not see',
    input: 'TOKEN',
    yaml: YAML.replace('acme/app', 'acme/app, acme/gone'),
    says: /acme\/gone cannot be read[^]*nothing was stored/u,
    code: 4,
  },
  {
    what: 'no place for it',
    input: 'TOKEN',
    yaml: YAML.replace(', tokenFile: token', ''),
    says: /no place to store a token[^]*fix: name a file as gitea\.tokenFile/u,
    code: 78,
  },
])('$what: the old token stays', async ({ input, yaml, says, code }) => {
  const at = await office(yaml);
  at.write('token', 'old');
  const result = await given(at, input.replace('TOKEN', at.gitea.token));
  expect(result).toMatchObject({ code, stderr: expect.stringMatching(says) });
  expect(at.read('token')).toBe('old');
});

test('with the scope for receipts it is taken', async () => {
  const at = await office(`${YAML}receipt: { comment: true }\n`, ['write:issue']);
  expect(await given(at, at.gitea.token)).toMatchObject({ code: 0 });
});

test('a link to a token stays a link', async () => {
  const at = await office();
  at.write('elsewhere', 'old');
  symlinkSync('elsewhere', join(at.folder, 'token'));
  expect(await given(at, at.gitea.token)).toMatchObject({ code: 0 });
  expect(at.read('elsewhere')).toBe(`${at.gitea.token}\n`);
});

test('the file that a unit hands over as a credential is the place where the configuration names none', async () => {
  const at = await office(YAML.replace(', tokenFile: token', ''));
  const { environment } = furnish(at);
  await typed(at, 'dispatcher systemd install --user', { ...environment, GITEA_TOKEN: at.gitea.token }).catch(() => {});
  const unit = '.config/systemd/user/dispatcher.service';
  at.write(unit, `${at.read(unit)}\nLoadCredential=gitea-token:${at.folder}/handed-over\n`);
  const { code, stdout } = await given(at, at.gitea.token, environment);
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/stored in .*handed-over/u) });
  expect(at.read('handed-over')).toBe(`${at.gitea.token}\n`);
});
