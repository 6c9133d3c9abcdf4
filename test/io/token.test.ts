import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readToken, storeToken } from '../../src/io/token.ts';
import { asUser, CAN_BE_ANOTHER } from '../support/another-user.ts';

function files(content: string, mode = 0o600): { folder: string; file: string } {
  const folder = mkdtempSync(join(tmpdir(), 'dispatcher-token-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'gitea-token');
  writeFileSync(file, content);
  chmodSync(file, mode);
  return { folder, file };
}
const none = { name: null, tokenFile: null };

test('the file of the configuration wins over the credential, that over the environment', () => {
  const { file } = files('from-file\n');
  const { folder } = files('from-credential\n');
  const environment = { CREDENTIALS_DIRECTORY: folder, GITEA_TOKEN: ' from-environment\n' };
  expect(readToken({ name: null, tokenFile: file }, environment).value).toBe('from-file');
  expect(readToken(none, environment).value).toBe('from-credential');
  expect(readToken(none, { ...environment, CREDENTIALS_DIRECTORY: '/nowhere' }).value).toBe('from-environment');
});

test('a token file that everybody can read works, with a warning and the command that mends it', () => {
  const { file } = files('secret', 0o644);
  expect(readToken({ name: null, tokenFile: file }, {}).warning).toBe(
    `${file} can be read by everybody; run: chmod 600 ${file}`,
  );
  chmodSync(file, 0o600);
  expect(readToken({ name: null, tokenFile: file }, {}).warning).toBeNull();
});

test.runIf(CAN_BE_ANOTHER)("one of another user's: the command leaves it readable for this one", () => {
  const { folder, file } = files('secret', 0o644);
  chmodSync(folder, 0o755);
  const look = (): ReturnType<typeof readToken> => asUser(47_111, () => readToken({ name: null, tokenFile: file }, {}));
  const [, remedy = ''] = /; run: (.*?) +\(/u.exec(look().warning ?? '') ?? [];
  execFileSync('sh', ['-c', remedy.replaceAll('sudo ', '')]);
  expect(look()).toMatchObject({ value: 'secret', warning: null });
});

test.for([
  { what: 'nothing', token: '' },
  { what: 'two words', token: 'sec ret' },
  { what: 'two lines', token: 'sec\nret' },
  { what: 'a control character', token: 'sec\u0001ret' },
])('$what is no token: exit 4, and the message does not hold it', ({ token }) => {
  const { file } = files(token);
  expect(() => readToken({ name: null, tokenFile: file }, {})).toThrow(
    expect.objectContaining({ exitCode: 4, message: expect.not.stringContaining('sec') }),
  );
});

test('a file that is not there is exit 4 and names it', () => {
  expect(() => readToken({ name: null, tokenFile: '/nowhere/token' }, {})).toThrow(
    expect.objectContaining({ exitCode: 4, message: expect.stringContaining('/nowhere/token') }),
  );
});

describe('of several servers', () => {
  const work = { name: 'my-work', tokenFile: null };

  test('each has a credential and a variable of its own', () => {
    const { folder } = files('from-credential\n');
    writeFileSync(join(folder, 'gitea-token-my-work'), 'of-work\n', { mode: 0o600 });
    expect(readToken(work, { CREDENTIALS_DIRECTORY: folder }).value).toBe('of-work');
    expect(readToken(work, { GITEA_TOKEN_MY_WORK: 'from-variable', GITEA_TOKEN: 'plain' }).value).toBe('from-variable');
  });

  test('none gets what is not its own: exit 4, and it is said whose is missing', () => {
    const { folder } = files('from-credential\n');
    const environment = { CREDENTIALS_DIRECTORY: folder, GITEA_TOKEN: 'plain', GITEA_TOKEN_HOME: 'of-home' };
    expect(() => readToken(work, environment)).toThrow(
      expect.objectContaining({
        exitCode: 4,
        message: expect.stringContaining('for the server my-work: gitea[my-work].tokenFile is not set'),
      }),
    );
  });
});

describe('a token that is stored', () => {
  test.runIf(CAN_BE_ANOTHER)("can still be read by the service, which root's file lets in by its group", () => {
    const { folder, file } = files('old', 0o640);
    chmodSync(folder, 0o755);
    chownSync(file, 0, 47_112);
    storeToken(file, 'new', folder);
    const service = asUser(47_111, () => readToken({ name: null, tokenFile: file }, {}).value, [47_111, 47_112]);
    expect({ service, mode: statSync(file).mode & 0o777 }).toEqual({ service: 'new', mode: 0o640 });
  });

  test.runIf(CAN_BE_ANOTHER)('for the first time by root belongs to whoever runs the passes', () => {
    const { folder } = files('');
    chmodSync(folder, 0o755);
    const workspace = join(folder, 'office');
    mkdirSync(workspace);
    chownSync(workspace, 47_111, 47_111);
    storeToken(join(folder, 'first'), 'new', workspace);
    expect(asUser(47_111, () => readFileSync(join(folder, 'first'), 'utf8'))).toBe('new\n');
    expect(statSync(join(folder, 'first')).mode & 0o777).toBe(0o600);
  });

  test('is not stored behind links that lead in a circle, and it is said so', () => {
    const { folder } = files('');
    const link = join(folder, 'a');
    symlinkSync('b', link);
    symlinkSync('a', join(folder, 'b'));
    expect(() => storeToken(link, 'new', null)).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(/: ELOOP/u),
        hint: expect.stringMatching(/in its place/u),
      }),
    );
  });

  test('goes where a link leads, although nothing is there yet', () => {
    const { folder } = files('');
    const link = join(folder, 'link');
    symlinkSync('elsewhere', link);
    storeToken(link, 'new', null);
    expect(readFileSync(join(folder, 'elsewhere'), 'utf8')).toBe('new\n');
  });
});
