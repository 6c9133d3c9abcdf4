// The units under a real systemd: one that is booted for the test, over a copy of this machine that is thrown away.

import { expect, onTestFinished, test } from 'vitest';
import { workspace } from '../support/command.ts';
import { bootOnce, INSTALLED, noMachine, parts } from '../support/machine.ts';

const obstacle = await noMachine();

test.skipIf(obstacle)(
  `a timer is installed, fires, dispatches, is stopped, mended and uninstalled${obstacle ? ` (skipped: ${obstacle})` : ''}`,
  { timeout: 240_000 },
  async () => {
    const at = await workspace({
      yaml: 'gitea: { url: URL, repositories: [acme/app] }\nworkspace: /srv/office\nagents: { hans: {} }\n',
    });
    at.gitea.addIssue({ repository: 'acme/app', number: 1, title: 'First', assignees: ['hans'] });
    at.write('token', at.gitea.token);
    const printed = await bootOnce(
      at.folder,
      `dispatcher() { ${process.execPath} ${INSTALLED}/bin/dispatcher.js "$@"; }
      mark() { echo "== $*"; }
      cd /
      useradd --system --home-dir /srv/office office
      chown office:office /srv/office; chmod 2775 /srv/office
      mkdir -p /etc/dispatcher
      mv /srv/office/dispatcher.yaml /etc/dispatcher/config.yaml; chown office /etc/dispatcher/config.yaml; chmod 600 /etc/dispatcher/config.yaml
      mark wake-up
      useradd --system --groups office hans
      printf '#!/bin/sh\\ngrep -c "Your task" && id -un && cat /etc/dispatcher/config.yaml; echo worked\\n' > /usr/local/bin/your-agent
      chmod 755 /usr/local/bin/your-agent
      for unit in agent@.path agent@.service; do sed 's#/srv/agents#/srv/office#g; s#/usr/bin/node#${process.execPath}#; s#/usr/lib/node_modules/agent-dispatcher#${INSTALLED}#; s#your-agent#/usr/local/bin/your-agent#' ${INSTALLED}/deploy/$unit > /etc/systemd/system/$unit; done
      systemctl daemon-reload
      systemctl start agent@hans.path; systemctl is-active agent@hans.path
      mark install without a token
      dispatcher systemd install --yes 2>&1; echo "exit $?"
      mark install
      install -D -m 0600 /srv/office/token /etc/dispatcher/token; rm /srv/office/token
      dispatcher systemd install --now --yes 2>&1; echo "exit $?"
      for i in $(seq 80); do [ -e /srv/office/.agent-tasks/hans/done/issue-1.md ] && break; sleep 1; done
      sleep 1
      mark files
      stat -c '%U %a %n' /srv/office/.agent-tasks/hans/done/issue-1.md
      grep trigger /srv/office/.agent-tasks/hans/done/issue-1.md
      journalctl -u dispatcher -o cat --no-pager | grep DISPATCHED
      mark worker
      cat /srv/office/.agent-tasks/hans/done/issue-1.output-1.txt
      journalctl -u agent@hans -o cat --no-pager | grep 'is done'
      ls -a /srv/office/.agent-tasks/hans | grep wake
      mark doctor
      dispatcher doctor; echo "exit $?"
      mark environment
      systemctl show dispatcher.service | grep -c "$(cat /etc/dispatcher/token)"
      mark stopped
      systemctl disable --now dispatcher.timer 2>/dev/null
      dispatcher doctor | grep -A1 timer
      systemctl enable --now dispatcher.timer 2>/dev/null
      mark mended
      dispatcher doctor | grep timer
      mark dashboard
      systemctl start dispatcher-dashboard.service
      for i in $(seq 20); do curl -sf http://127.0.0.1:8098/healthz >/dev/null && break; sleep 0.2; done
      systemctl is-active dispatcher-dashboard.service
      mark uninstall
      dispatcher systemd uninstall 2>&1; echo "exit $?"
      systemctl is-active dispatcher.timer dispatcher-dashboard.service
      ls /etc/systemd/system | grep dispatcher
      mark end`,
      180,
    );
    const part = parts(printed);
    onTestFinished(({ task }) => {
      if (task.result?.state === 'fail') console.log(printed);
    });
    expect(part['wake-up']).toBe('active\n');
    expect(part['install without a token']).toMatch(/\/etc\/dispatcher\/token, which is not there\n +fix: [^]*exit 4/u);
    expect(part['install']).toMatch(
      /written: .*dispatcher\.timer[^]*✔ doctor[^]*✔ first pass[^]*\+ systemctl enable --now dispatcher\.timer[^]*exit 0/u,
    );
    expect(part['files']).toMatch(/^office 66[04] [^]*trigger: "timer"[^]*DISPATCHED: hans/u);
    // As hans, who may read the task and not the configuration; and nothing wakes it again for nothing.
    expect(part['worker']).toMatch(
      /^1\nhans\n(?:[^\n]*Permission denied\nworked|worked\n[^\n]*Permission denied)\n[^\n]*acme\/app#1 is done\n$/u,
    );
    expect(part['doctor']).toMatch(
      /· seen as +office, within[^]*✔ token +from \/run\/credentials\/\S+ \(the systemd credential[^]*✔ timer[^]*Everything that a pass needs is there\.[^]*exit 0/u,
    );
    expect(part['environment']).toBe('0\n');
    expect(part['stopped']).toMatch(/✖ timer .*stopped\n *fix: sudo systemctl enable --now dispatcher\.timer/u);
    expect(part['mended']).toMatch(/✔ timer/u);
    expect(part['dashboard']).toBe('active\n');
    expect(part['uninstall']).toMatch(/removed: [^]*What stays:[^]*exit 0\ninactive\ninactive\n$/u);
    expect(part['end']).toBe('');
  },
);
