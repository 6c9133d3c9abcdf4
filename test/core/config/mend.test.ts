import { expect, test } from 'vitest';
import { type Lodging, mendPlan, stepText } from '../../../src/core/config/mend.ts';

const SETTLED: Lodging = {
  account: 'dispatcher',
  accountExists: true,
  workspace: '/root/my agents',
  config: '/root/my agents/dispatcher.yaml',
  moveTo: null,
  ofRoot: [],
  isConfigShut: false,
  folders: [],
  outsiders: [],
};

test.for<{ lodging: Partial<Lodging>; steps: readonly string[]; situation: string }>([
  { situation: 'all is well', lodging: {}, steps: [] },
  {
    situation: 'no account yet',
    lodging: { accountExists: false },
    steps: ["useradd --system --user-group --shell /usr/sbin/nologin --home-dir '/root/my agents' dispatcher"],
  },
  {
    situation: 'a place that the account cannot reach: every later step is about the new one',
    lodging: {
      moveTo: '/srv/a&b',
      ofRoot: [
        { path: '/root/my agents', isTree: false },
        { path: '/root/my agents/.agent-tasks', isTree: true },
        { path: '/var/log/elsewhere', isTree: false },
      ],
      isConfigShut: true,
    },
    steps: [
      "mv -T '/root/my agents' '/srv/a&b'",
      String.raw`sed -i 's|/root/my agents|/srv/a\&b|g' '/srv/a&b/dispatcher.yaml'`,
      "chown -h dispatcher: '/srv/a&b'",
      "chown -R --from=root dispatcher: '/srv/a&b/.agent-tasks'",
      'chown -h dispatcher: /var/log/elsewhere',
      "chmod 0640 '/srv/a&b/dispatcher.yaml'",
    ],
  },
  {
    situation: 'an agent with a Unix user of its own',
    lodging: {
      outsiders: ['hans'],
      folders: [{ path: '/srv/t/hans', owner: 'dispatcher', group: 'hans', mode: 0o2775 }],
    },
    steps: ['usermod -aG dispatcher hans', 'install -d -m 2775 -o dispatcher -g hans /srv/t/hans'],
  },
])('$situation', ({ lodging, steps }) => {
  expect(mendPlan({ ...SETTLED, ...lodging }).map(stepText)).toEqual(steps);
});
