import { describe, expect, test } from 'vitest';
import { isOurs, renderUnits, type UnitFacts } from '../../../src/core/config/units.ts';

const FACTS: UnitFacts = {
  isUser: false,
  node: '/usr/bin/node',
  script: '/opt/agent dispatcher/bin/dispatcher.js',
  config: '/etc/100%/config.yaml',
  writable: ['/srv/acme', '/srv/"b"\\c'],
  runAs: 'robots',
  credential: '/etc/100%/token',
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
    expect(render({ credential: null })).not.toContain('LoadCredential');
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
});
