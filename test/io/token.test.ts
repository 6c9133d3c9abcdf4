import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readToken } from '../../src/io/token.ts';

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
