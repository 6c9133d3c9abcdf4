import { describe, expect, test } from 'vitest';
import {
  configOfCommand,
  isOfficeName,
  isOurs,
  renderUnits,
  trialUnit,
  type UnitFacts,
  unnameable,
} from '../../../src/core/config/units.ts';

const FACTS: UnitFacts = {
  isUser: false,
  base: 'dispatcher',
  node: '/usr/bin/node',
  script: '/opt/agent dispatcher/bin/dispatcher.js',
  config: '/etc/100%/config.yaml',
  writable: ['/srv/acme', '/srv/"b"\\c'],
  runAs: 'robots',
  credentials: [{ name: 'gitea-token', file: '/etc/100%/token' }],
  environment: {},
  version: '1.2.3',
};
const SHIPPED = `# One pass.
# Adapt three things.

[Unit]
Description=x
Documentation=file:///x
ConditionPathExists=/etc/dispatcher/config.yaml
# Kept: a comment that explains.

[Service]
User=dispatcher
# Absolute paths: systemd does not know yours.
ExecStart=/usr/bin/node /usr/lib/x/bin/dispatcher.js dispatch
LoadCredential=gitea-token:/etc/dispatcher/token
ReadWritePaths=-/srv/agents
`;
const render = (facts: Partial<UnitFacts> = {}): string | undefined =>
  renderUnits([{ name: 'dispatcher.service', text: SHIPPED }], { ...FACTS, ...facts })[0]?.text;

describe('a unit as it is installed', () => {
  test("has this installation's paths, each as one word and as itself, and nothing left to adapt", () => {
    expect(render()).toMatchInlineSnapshot(`
      "# Written by \`dispatcher systemd install\` (dispatcher 1.2.3). It is written anew by the next one:
      # changes of your own belong into a drop-in: systemctl edit ...
      # One pass.

      [Unit]
      Description=x
      ConditionPathExists=/etc/100%%/config.yaml
      # Kept: a comment that explains.

      [Service]
      User=robots
      ExecStart=/usr/bin/node "/opt/agent dispatcher/bin/dispatcher.js" dispatch --config /etc/100%%/config.yaml
      LoadCredential=gitea-token:/etc/100%%/token
      ReadWritePaths=-/srv/acme
      ReadWritePaths=-"/srv/\\"b\\"\\\\c"
      "
    `);
  });

  test('of a user says how that one is edited', () => {
    expect(render({ isUser: true })).toContain('systemctl --user edit');
  });

  test('without a credential has no line for it', () => {
    expect(render({ credentials: [] })).not.toContain('LoadCredential');
  });

  test.for(['a b', 'a"b', "a'b", 'a\\b', 'a;b'])('a path such as %s is quoted', (name) => {
    expect(render({ node: `/x/${name}` })).toMatch(/^ExecStart="\/x\//mu);
  });

  test('keeps its name, and is known as ours', () => {
    expect(renderUnits([{ name: 'a.timer', text: '[Timer]\n' }], FACTS)).toMatchObject([{ name: 'a.timer' }]);
    expect(isOurs(render() ?? '')).toBe(true);
    expect(isOurs(SHIPPED)).toBe(false);
    expect(isOurs(`[Unit]\n${render()}`)).toBe(false);
  });

  test('a line that only looks like a command, or a comment in mid-line, stays as it is', () => {
    const text = '# ExecStart=/a /b c\nExecStartPre=/a /b c\nX=# Adapt \n  User=x\n';
    expect(renderUnits([{ name: 'x', text }], FACTS)[0]?.text).toContain(text);
  });

  test('of a further office has its name, in each of its units', () => {
    const names = ['dispatcher.service', 'dispatcher.timer', 'dispatcher-dashboard.service'];
    const units = renderUnits(
      names.map((name) => ({ name, text: SHIPPED })),
      { ...FACTS, base: 'dispatcher-acme' },
    );
    expect(units.map(({ name }) => name)).toEqual([
      'dispatcher-acme.service',
      'dispatcher-acme.timer',
      'dispatcher-acme-dashboard.service',
    ]);
  });

  test('hands on what the service needs of the shell, before its command', () => {
    expect(render({ environment: { NODE_EXTRA_CA_CERTS: '/etc/our ca.pem' } })).toMatch(
      /^Environment="NODE_EXTRA_CA_CERTS=\/etc\/our ca\.pem"\nExecStart=/mu,
    );
  });

  test('replaces no variable in a path', () => {
    expect(render({ config: '/srv/$HOME/d.yaml' })).toContain('--config /srv/$$HOME/d.yaml');
    expect(render({ writable: ['/srv/$HOME'] })).toContain('ReadWritePaths=-/srv/$HOME\n');
  });
});

describe('12.18 what no unit can name', () => {
  test.for<[strange: string, facts: Partial<UnitFacts>]>([
    ['/x\n/node', { node: '/x\n/node' }],
    ['/x\r/d.js', { script: '/x\r/d.js' }],
    ['/srv/x\nExecStartPre=/bin/sh/d.yaml', { config: '/srv/x\nExecStartPre=/bin/sh/d.yaml' }],
    ['/srv/x\nUser=root', { writable: ['/srv/acme', '/srv/x\nUser=root'] }],
    ['/etc/\0/token', { credentials: [{ name: 'gitea-token', file: '/etc/\0/token' }] }],
    ['/x\nUser=root', { environment: { NODE_EXTRA_CA_CERTS: '/x\nUser=root' } }],
    // Where systemd takes the rest of the line as it is, the end of the line counts.
    ['/srv/d.yaml ', { config: '/srv/d.yaml ' }],
    ['/srv/d.yaml\\', { config: '/srv/d.yaml\\' }],
    ['/etc/token\\', { credentials: [{ name: 'gitea-token', file: '/etc/token\\' }] }],
  ])('%j', ([strange, facts]) => {
    expect(unnameable({ ...FACTS, ...facts })).toBe(strange);
  });

  test('everything else can be named', () => {
    expect(unnameable(FACTS)).toBeNull();
    const facts = { config: '/%h/$HOME/"q" \'\\;/#/[x]/ d.yaml', writable: ['/srv/x\\', '/srv/y '], credentials: [] };
    expect(unnameable({ ...FACTS, ...facts })).toBeNull();
  });
});

describe('the configuration that a unit starts with', () => {
  test.for([
    ['ExecStart=/usr/bin/node /x/dispatcher.js dispatch --config /srv/a/dispatcher.yaml', '/srv/a/dispatcher.yaml'],
    ['ExecStart=/usr/bin/node /x/d.js dispatch --config "/srv/100%% our office/d.yaml"', '/srv/100% our office/d.yaml'],
    ['/usr/bin/node /x/d.js dispatch --config /srv/our office/d.yaml', '/srv/our office/d.yaml'],
    ['ExecStart=/usr/bin/node /x/dispatcher.js dispatch', null],
  ])('%s', ([command, file]) => expect(configOfCommand(command ?? '')).toBe(file));

  test('is the one that it was written with', () => {
    for (const config of [
      '/srv/$a 50%/d.yaml',
      '/srv/"x"/\\;\'y/d.yaml',
      '/srv/%%/$$/d.yaml',
      '/srv/a --config /b.yaml',
    ])
      expect(configOfCommand(render({ config }) ?? '')).toBe(config);
  });
});

test.for([
  ['acme', true],
  ['acme-2', true],
  ['Acme', false],
  ['', false],
  ['-a', false],
  ['a/b', false],
  ['a b', false],
  ['dashboard', false],
  ['acme-dashboard', false],
] as const)('units may be called %s: %s', ([name, isOne]) => expect(isOfficeName(name)).toBe(isOne));

describe('a trial of a service', () => {
  test('runs another command with everything else as it is, tells nobody, and never fails', () => {
    const unit = `${render()}StandardOutput=journal\nExecStartPre=/bin/true\n[Unit]\nOnFailure=tell@%n.service\n`;
    const trial = trialUnit(unit, ['/usr/bin/node', 'a b'], '/run/x.out');
    expect(trial).toMatch(/^User=robots$/mu);
    expect(trial).toMatch(/^LoadCredential=/mu);
    expect(trial).not.toMatch(/OnFailure|ExecStartPre|StandardOutput=journal|--config/u);
    expect(trial).toMatch(
      /\[Service\]\nExecStart=-\/usr\/bin\/node "a b"\nStandardOutput=file:\/run\/x\.out\nStandardError=inherit\n$/u,
    );
  });

  test('a command over several lines is replaced as a whole', () => {
    expect(trialUnit('[Service]\nExecStart=/a \\\n  /b\nUser=x\n', ['/c'], '/o')).toBe(
      '[Service]\nUser=x\n\n[Service]\nExecStart=-/c\nStandardOutput=file:/o\nStandardError=inherit\n',
    );
  });
});
