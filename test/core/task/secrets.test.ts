import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { maskSecrets } from '../../../src/core/task/secrets.ts';

describe('what looks like a credential is masked', () => {
  test.for([
    ['a token of Gitea', 'sent 0123456789abcdef0123456789abcdef01234567.', 'sent [masked].'],
    ['a named token', 'token=abcd1234 and more', 'token=[masked] and more'],
    ['a password in JSON', '{"password": "hunter22", "a": 1}', '{"password": "[masked]", "a": 1}'],
    ['a header', 'Authorization: Bearer abcdefgh.ijkl', 'Authorization: Bearer [masked]'],
    ['the scheme of Gitea', 'authorization: token 12345678', 'authorization: token [masked]'],
    ['a bearer by itself', 'with bearer abcdefgh12', 'with bearer [masked]'],
    ['an address with a password', 'https://bot:s3cret@git.example.com/x', 'https://[masked]@git.example.com/x'],
    ['a key of another service', 'ghp_abcdefghijklmnopqrstuvwxyz', '[masked]'],
    ['a passwd', 'passwd: hunter22', 'passwd: [masked]'],
    ['an API key', 'api_key = "k3y-k3y"', 'api_key = "[masked]"'],
    ['an apikey', 'apikey: abcdefg', 'apikey: [masked]'],
    ['a private key', 'private-key=abcdef; more', 'private-key=[masked]; more'],
    ['a privatekey', 'privatekey=abcdef', 'privatekey=[masked]'],
    ['a name with spaces around the sign', "secret   :   'abcdef'", "secret   :   '[masked]'"],
    ['a bearer after three spaces', 'bearer   abcdefgh12', 'bearer [masked]'],
    ['a named bearer', 'token: bearer   abcdefgh12', 'token: bearer   [masked]'],
    ['a token of GitHub', 'github_pat_11ABCDEFG0abcdefghij_x', '[masked]'],
    ['a token of GitLab', 'glpat-abc_DEF-0123456789', '[masked]'],
    ['a key of a model', 'sk-proj-abc_DEF-0123456789', '[masked]'],
    ['a token of a chat', 'xoxb-0123456789-ab', '[masked]'],
    ['a key of a cloud', 'AKIAABCDEFGHIJKLMNOP', '[masked]'],
    ['a JSON web token with dashes', 'eyJ-bGci_iJI0.eyJ-dWIi_iIx0.Sfl-xwRJ_Mee0', '[masked]'],
    ['a JSON web token', 'eyJhbGciOiJI.eyJzdWIiOiIx.SflKxwRJSMeK', '[masked]'],
  ])('%s', ([, text, masked]) => {
    expect(maskSecrets(text ?? '')).toBe(masked);
  });

  test.for([
    'hans → Issue #2 (CRITICAL: silent DB errors) [Priority: CRITICAL]',
    'the token from /etc/dispatcher/token is refused',
    'sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    'the tokens: 12',
    'sk-short and xoxb-short and glpat-short and github_pat_short',
    'a bearer  of news',
    'https://git.example.com:3000/acme/app/issues/5',
  ])('this stays: %s', (text) => {
    expect(maskSecrets(text)).toBe(text);
  });

  test('a token is masked whatever stands around it', () => {
    const hex = fc.stringMatching(/^[0-9a-f]{40}$/u);
    const around = fc.stringMatching(/^[ ,;:()"'=/]{1,5}$/u);
    fc.assert(
      fc.property(hex, around, around, (token, before, after) => {
        expect(maskSecrets(before + token + after)).not.toContain(token);
      }),
    );
  });
});
