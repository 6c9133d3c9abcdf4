import fc from 'fast-check';
import { GITLEAKS_FORMS } from '../../../src/core/task/gitleaks-forms.ts';
import { formOf, rulesIn } from '../../support/gitleaks.ts';
import { describe, expect, test } from 'vitest';
import { maskSecrets, maskSecretsInProse } from '../../../src/core/task/secrets.ts';

describe('12.17 what looks like a credential is masked', () => {
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
    'cat: /etc/dispatcher/token: Permission denied',
    '/run/secrets/password: No such file or directory',
    'open /srv/secret: input/output error',
    'error: invalid token: expired',
    'password: required',
    '{ "token": null, "secret": undefined }',
    'option --token must be set',
    'use --password without an argument',
    'Token: missing.',
    'Basic authentication, or bearer authentication.',
    'a basic understanding of it, and BASIC KNOWLEDGE',
    'Basic read/write and bearer-only clients',
    'Cookie: the banner hides the page',
    'password=$DB_PASSWORD',
    'token: ${{ secrets.GITHUB_TOKEN }}',
    'GITEA_TOKEN=${TOKEN}',
    'curl --token <your token>',
    'it says `token: Permission denied`, again',
    'Paste your token:\n\n```sh\ndispatcher token\n```',
    'const secret = await password({ message })',
    'var token = matchToToken(match)',
    'const token = process.env.TOKEN, secret = import.meta.env.SECRET;',
    'provideValue(token: Token, value: R)',
    'Object.secret = secret;',
    'authorization: `Bearer ${token}`',
    'TOKEN=$(cat file)',
    'Authorization: Bearer <password>',
    'Password: *****',
    'Unexpected token: keyword (else)',
    'LoadCredential=gitea-token:/etc/dispatcher/token',
    'add basic WebSocketSubject, basic HTTP/1.1 and a basic package.json',
  ])('this stays: %s', (text) => {
    expect(maskSecrets(text)).toBe(text);
  });

  // Made up, in the form that each service publishes; put together here, so that no scanner takes this file for a leak.
  const filled = (length: number, alphabet = 'aB3dE5gH7jK9mN1pQ2rS'): string =>
    alphabet.repeat(Math.ceil(length / alphabet.length)).slice(0, length);
  const hex = (length: number): string => filled(length, '0a1b2c3d4e5f');
  test.for([
    ['Stripe', `sk_live_${filled(24)}`],
    ['Stripe, restricted', `rk_live_${filled(24)}`],
    ['Stripe, test', `sk_test_${filled(24)}`],
    ['a webhook of Stripe', `whsec_${filled(32)}`],
    ['Google', `AIza${filled(35)}`],
    ['Google OAuth', `ya29.${filled(60)}`],
    ['a client of Google', `GOCSPX-${filled(28)}`],
    ['npm', `npm_${filled(36)}`],
    ['PyPI', `pypi-${filled(90)}`],
    ['Hugging Face', `hf_${filled(34)}`],
    ['SendGrid', `SG.${filled(22)}.${filled(43)}`],
    ['Docker', `dckr_pat_${filled(27)}`],
    ['Vault', `hvs.${filled(90)}`],
    ['Slack, an app', `xapp-1-${filled(40)}`],
    ['Slack, a configuration', `xoxe-${filled(40)}`],
    ['Slack, a webhook', `https://hooks.slack.com/services/${filled(44)}`],
    ['AWS, for a session', `ASIA${filled(16, 'A2B3C4D5')}`],
    ['an AWS session', `FwoGZXIvYXdz${filled(120)}`],
    ['GitLab, a runner', `glrt-${filled(20)}`],
    ['GitLab, deploying', `gldt-${filled(20)}`],
    ['GitLab, a trigger', `glptt-${hex(40)}`],
    ['age', `AGE-SECRET-KEY-1${filled(58, 'QPZRY9X8')}`],
    ['DigitalOcean', `dop_v1_${hex(64)}`],
    ['Shopify', `shpat_${hex(32)}`],
    ['Twilio', `SK${hex(32)}`],
    ['Mailgun', `key-${hex(32)}`],
    ['Linear', `lin_api_${filled(40)}`],
    ['Grafana', `glsa_${filled(41)}`],
    ['RubyGems', `rubygems_${hex(48)}`],
    ['Databricks', `dapi${hex(32)}`],
    ['Tailscale', `tskey-auth-${filled(30)}`],
    ['Telegram', `123456789:AA${filled(33)}`],
  ])('%s', ([, secret = '']) => {
    for (const text of [secret, `key ${secret}, and more`, `"${secret}"`, `x=${secret}\n`])
      expect(maskSecrets(text)).not.toContain(secret.slice(-12));
  });

  test.for([
    ['an option', 'deploy --token abcd1234 --force', 'deploy --token [masked] --force'],
    ['another', 'mysql --password hunter22', 'mysql --password [masked]'],
    ['a cookie', 'Cookie: session=abc; other=def', 'Cookie: [masked]'],
    ['JSON with blanks', '{ "token" : "abcd1234" }', '{ "token" : "[masked]" }'],
    ['a password with an at sign', 'https://bot:p@ss@git.example.com/x', 'https://[masked]@git.example.com/x'],
    [
      'a private key',
      `-----BEGIN OPENSSH PRIVATE KEY-----\n${filled(80)}\n-----END OPENSSH PRIVATE KEY-----\nnext`,
      '[masked]\nnext',
    ],
    ['one that begins as what is said of it', 'token: missing4a1c', 'token: [masked]'],
    ['one that begins with a dollar', 'password: $2b$10$abcdefgh', 'password: [masked]'],
    ['another one that does', 'password: $ecretWord', 'password: [masked]'],
    ['one in a code span', 'token: `abcd1234`', 'token: `[masked]`'],
    ['one behind an option, in quotes', 'tea login --token "abcd1234"', 'tea login --token "[masked]"'],
    ['one in the next line', 'My token:\n\n    abcd1234', 'My token:\n\n    [masked]'],
    [
      'one in the address of a link',
      '[![x](https://x.org/?token=H0LW7UKYU3)](https://x.org)',
      '[![x](https://x.org/?token=[masked])](https://x.org)',
    ],
    ['one with brackets in it', 'password: p)ss>w0rd', 'password: [masked]'],
    ['a plain word', 'password: swordfish', 'password: [masked]'],
    ['a header with letters alone', 'Authorization: Basic abcdefghij', 'Authorization: Basic [masked]'],
    ['letters in both cases', 'basic YWxhZGRpbjpvcGVu', 'basic [masked]'],
    ['many letters', `bearer ${'abcdefgh'.repeat(5)}`, 'bearer [masked]'],
    ['a cookie that is set', 'Set-Cookie: id=a3fW; Secure', 'Set-Cookie: [masked]'],
    ['one that was cut', `-----BEGIN PRIVATE KEY-----\n${filled(80)}`, '[masked]'],
  ])('%s is masked', ([, text, masked]) => {
    expect(maskSecrets(text ?? '')).toBe(masked);
  });

  const SHA = 'da39a3ee5e6b4b0d3255bfef95601890afd80709';
  test.for([
    `Broken since ${SHA}.`,
    SHA,
    `commit ${SHA}\nAuthor: Bob <bob@example.com>`,
    `The token refresh broke in ${SHA}, see the secret store.`,
    `The token parser: https://git.example.com/acme/app/commit/${SHA}`,
    `https://git.example.com/acme/app/src/commit/${SHA}/lib/token.ts#L5`,
    `https://git.example.com/cgit/app?h=main&id=${SHA}`,
    `uses: acme/token-action@${SHA} # v3`,
    `git revert ${SHA}`,
    `git diff ${SHA}..${SHA}`,
    `GIT_COMMIT=${SHA}`,
    `{"head_sha": "${SHA}"}`,
    `- ${SHA} Rotate the token`,
    'parent e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    `token handling: the commit is ${SHA}`,
  ])('in what people wrote, a commit stays: %s', (text) => {
    expect(maskSecretsInProse(text)).toBe(text);
  });

  test.for([
    `token ${SHA}`,
    `My token is ${SHA}, do not tell`,
    `GITEA_TOKEN=${SHA}`,
    `Authorization: token ${SHA}`,
    `curl -H 'X-Gitea-Token: ${SHA}'`,
    `api_key: ${SHA}`,
    `the API key of the bot:\n\n    ${SHA}`,
    `https://${SHA}@git.example.com/acme/app.git`,
    `https://bot:${SHA}@git.example.com/acme/app.git`,
    `https://git.example.com/api/v1/user?access_token=${SHA}`,
    `https://git.example.com/hook?key=${SHA}`,
    `curl -u bot:${SHA} https://git.example.com`,
    `DEPLOY="${SHA}"`,
    `${SHA} is the token of the bot`,
    `sign in as bot with the password ${SHA}`,
    `tea login add --token ${SHA}`,
    `the commit needs the secret ${SHA}`,
  ])('in what people wrote, a token of that form is masked: %s', (text) => {
    expect(maskSecretsInProse(text)).not.toContain(SHA);
    expect(maskSecretsInProse(text)).toContain('[masked]');
  });

  test('what names a secret masks any digits behind it, and what names a commit none', () => {
    const hex = fc.stringMatching(/^[0-9a-f]{40}$/u);
    const filler = fc.constantFrom(' ', ': ', ' is ', ' = ', ' `', ' "');
    fc.assert(
      fc.property(
        hex,
        filler,
        fc.constantFrom('token', 'GITEA_TOKEN', 'secret', 'api_key', 'password'),
        (digits, mid, word) => {
          expect(maskSecretsInProse(`the ${word}${mid}${digits}`)).not.toContain(digits);
        },
      ),
    );
    fc.assert(
      fc.property(
        hex,
        filler,
        fc.constantFrom('commit', 'sha', 'head_sha', 'revision', 'merge'),
        (digits, mid, word) => {
          expect(maskSecretsInProse(`the ${word}${mid}${digits}`)).toContain(digits);
        },
      ),
    );
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

describe("12.17 each of gitleaks' forms is masked, wherever it stands", () => {
  test('there are a hundred of them', () => {
    expect(GITLEAKS_FORMS.length).toBeGreaterThan(100);
  });

  test.for(GITLEAKS_FORMS.map((form) => [form] as const))('%s', ([form]) => {
    // Made up by the form itself.
    const secrets = fc.sample(fc.stringMatching(new RegExp(`^(?:${form})$`, 'u')), { seed: 12, numRuns: 10 });
    for (const secret of secrets) {
      for (const text of [secret, `key ${secret}, and more`, `"${secret}"`, `x=${secret}\n`])
        expect(maskSecrets(text)).not.toContain(secret.slice(0, 24));
    }
  });
});

describe('a rule of gitleaks as JavaScript has it', () => {
  test.for([
    [String.raw`\b(dop_v1_[a-f0-9]{64})(?:[\x60'"\s;]|\\[nr]|$)`, '(?:dop_v1_[a-f0-9]{64})'],
    [String.raw`(?i)\b(npm_[a-z0-9]{36})(?:[\x60'"\s;]|\\[nr]|$)`, '(?:npm_[a-zA-Z0-9]{36})'],
    [String.raw`\b(hf_(?i:[a-z]{34}))`, '(?:hf_(?:[a-zA-Z]{34}))'],
    [String.raw`pat[[:alnum:]]{14}\.x`, String.raw`pat[A-Za-z0-9]{14}\.x`],
    [String.raw`ops_[a-z0-9+/]{250,}={0,3}x+`, 'ops_[a-z0-9+/]{250,4000}={0,3}x{1,4000}'],
    // What goes by the name in front of it.
    [String.raw`(?i)[\w.-]{0,50}?(?:adafruit)(?:[ \t\w.-]{0,20})([a-z0-9_-]{32})`, null],
  ])('%s', ([regex, form]) => {
    expect(formOf(regex ?? '')).toBe(form);
  });

  test('is read from the file with its name', () => {
    const toml = '[[rules]]\nid = "a-b"\nregex = \'\'\'x{3}\'\'\'\nkeywords = ["x"]\n[[rules]]\nid = "path-only"\n';
    expect(rulesIn(toml)).toEqual([['a-b', 'x{3}']]);
  });
});
