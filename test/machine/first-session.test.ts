// The first session of a new user, typed command by command as the README has it, under a systemd that is booted for the test.

import { expect, onTestFinished, test } from 'vitest';
import { workspace } from '../support/command.ts';
import { bootOnce, noMachine, parts, TYPING } from '../support/machine.ts';

const obstacle = await noMachine();
const skipped = obstacle ? ` (skipped: ${obstacle})` : '';

interface Newcomer {
  readonly who: string;
  /** Before the session: the machine as the newcomer finds it. */
  readonly arrives: string;
  readonly folder: string;
  /** Where the office is in the end. */
  readonly office: string;
  readonly account: string;
  /** How the service is installed, with the round that a question takes where nobody can be asked. */
  readonly installs: readonly string[];
}

const NEWCOMERS: readonly Newcomer[] = [
  {
    who: 'root in /root',
    arrives: 'umask 022; chmod 700 /root; export HOME=/root; cd /root',
    folder: 'my-agents',
    office: '/srv/my-agents',
    account: 'dispatcher',
    installs: ['dispatcher systemd install --now', 'dispatcher systemd install --now --yes'],
  },
  {
    who: 'root in /srv',
    arrives: 'umask 077; export HOME=/root; cd /srv',
    folder: 'my-agents',
    office: '/srv/my-agents',
    account: 'dispatcher',
    installs: ['dispatcher systemd install --now', 'dispatcher systemd install --now --yes'],
  },
  {
    who: 'a user with sudo',
    // There is no sudo here: its command runs as root, with sudo's environment.
    arrives: `useradd --create-home --shell /bin/sh anna; chmod 700 /home/anna; export HOME=/home/anna; cd /home/anna
      typed() {
        printf '\\n$ %s\\n' "$1"
        case "$1" in
          sudo\\ *) (unset GITEA_TOKEN; HOME=/root SUDO_USER=anna sh -c "\${1#sudo }" < /dev/null 2>&1) ;;
          *) runuser -u anna --preserve-environment -- sh -c "$1"'; code=$?; pwd > /tmp/anna-is-in; exit $code' < /dev/null 2>&1 ;;
        esac
        printf '[%s]\\n' $?
        cd "$(cat /tmp/anna-is-in)"
      }`,
    folder: 'my-agents',
    office: '/home/anna/my-agents',
    account: 'anna',
    installs: ['sudo dispatcher systemd install --now'],
  },
];

test.skipIf(obstacle).for(NEWCOMERS)(
  `$who: at most eight commands, one round, and a pass that the timer ran${skipped}`,
  { timeout: 300_000 },
  async ({ arrives, folder, office, account, installs }) => {
    const at = await workspace();
    at.gitea.addIssue({ repository: 'acme/app', number: 1, title: 'First', assignees: ['hans'] });
    const commands = [
      'dispatcher --version # npm install -g agent-dispatcher was before it',
      `mkdir ${folder} && cd ${folder}`,
      `GITEA_TOKEN=${at.gitea.token} dispatcher init --url ${at.gitea.url} --repository acme/app --agent hans`,
      'dispatcher doctor',
      'dispatcher dispatch --dry-run',
      ...installs,
      `cd ${office} && dispatcher status`,
    ];
    expect(commands.length).toBeLessThanOrEqual(8);
    const script = [
      TYPING,
      arrives,
      ...commands.map((command) => `typed '${command}'`),
      'mark timer',
      `until_so 75 '[ -n "$(systemctl show dispatcher.timer -p LastTriggerUSec --value)" ]'; sleep 2`,
      `dispatcher status --exit-status >/dev/null; echo "exit $?"`,
      'systemctl show dispatcher.service -p Result -p ExecMainStatus',
      'mark owner',
      `stat -c '%U' ${office} ${office}/.agent-tasks/hans/issue-1.md ${office}/.agent-dispatcher/state.json`,
      'mark doctor',
      'dispatcher doctor; echo "exit $?"',
      'mark end',
    ].join('\n');
    const printed = await bootOnce(at.folder, script, 200);
    onTestFinished(({ task }) => {
      if (task.result?.state === 'fail') console.log(printed);
    });
    const part = parts(printed);
    expect(part['timer']).toMatch(/● ok: [^]*exit 0\nResult=success\nExecMainStatus=0\n$/u);
    expect(part['owner']).toBe(`${account}\n`.repeat(3));
    expect(part['doctor']).toMatch(/✔ timer[^]*Everything that a pass needs is there\.\n+exit 0/u);
    expect(printed).toMatch(/✔ first pass +it ended well: dispatched acme\/app#1/u);
  },
);

test.skipIf(obstacle)(
  `two offices on one machine: each has units of its own, and one that is uninstalled stops nothing of the other${skipped}`,
  { timeout: 120_000 },
  async () => {
    const at = await workspace();
    const office = (name: string): string => `mkdir /srv/${name} && cd /srv/${name}
      GITEA_TOKEN=${at.gitea.token} dispatcher init --url ${at.gitea.url} --repository acme/${name} --agent hans --token-file /etc/dispatcher/${name}.token >/dev/null`;
    for (const name of ['app', 'api']) {
      at.gitea.addRepository(`acme/${name}`);
      at.gitea.addIssue({ repository: `acme/${name}`, number: 1, title: 'First', assignees: ['hans'] });
    }
    const printed = await bootOnce(
      at.folder,
      `${TYPING}
      export HOME=/root
      ${office('app')}
      mark one
      dispatcher systemd install --now --yes 2>&1
      ${office('api')}
      mark taken
      dispatcher systemd install --now --yes 2>&1; echo "exit $?"
      mark two
      dispatcher systemd install --name api --now --yes 2>&1
      mark again
      dispatcher systemd install 2>&1 | grep -c '^unchanged: .*dispatcher-api[.-]'
      dispatcher systemd install --name other 2>&1; echo "exit $?"
      mark who is who
      for name in app api; do (cd /srv/$name; dispatcher doctor | grep '✔ timer'); done
      ls /srv/app/.agent-tasks/hans /srv/api/.agent-tasks/hans
      mark uninstalled
      mkdir /etc/systemd/system/dispatcher.service.d; printf '[Service]\\nNice=5\\n' > /etc/systemd/system/dispatcher.service.d/nice.conf
      cd /srv/app; dispatcher systemd uninstall 2>&1
      systemctl is-active dispatcher.timer dispatcher-api.timer
      cd /srv/api; systemctl start dispatcher-api; echo "exit $?"; dispatcher status --exit-status 2>&1
      mark end`,
      100,
    );
    onTestFinished(({ task }) => {
      if (task.result?.state === 'fail') console.log(printed);
    });
    const part = parts(printed);
    expect(part['one']).toContain('✔ first pass');
    expect(part['taken']).toMatch(
      /dispatcher\.service runs another configuration: \/srv\/app\/dispatcher\.yaml\n +fix: .*dispatcher systemd install --name api --now\nexit 5/u,
    );
    expect(part['two']).toMatch(
      /written: .*dispatcher-api\.service[^]*✔ first pass +it ended well: dispatched acme\/api#1/u,
    );
    expect(part['again']).toMatch(/^3\n[^]*dispatcher-api\.service runs this configuration already[^]*exit 5/u);
    expect(part['who is who']).toMatch(
      /^✔ timer +the timer of the system is active.*\n✔ timer +dispatcher-api\.timer of the system is active.*\n/u,
    );
    expect(part['who is who']?.match(/issue-1\.md/gu)).toHaveLength(2);
    expect(part['uninstalled']).toMatch(/What stays:[^]*dispatcher\.service\.d\/nice\.conf\n/u);
    expect(part['uninstalled']).toMatch(/\ninactive\nactive\nexit 0\n● ok/u);
  },
);
