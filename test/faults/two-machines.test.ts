// deploy/store.md, lived through: two machines that share a database, as two sets of units under a systemd that is booted for it.
// One is lost, the other goes on with its work, and the lost one comes back.

import { expect, onTestFinished, test } from 'vitest';
import { workspace } from '../support/command.ts';
import { bootOnce, noMachine, parts, TYPING } from '../support/machine.ts';
import { PASSWORD, startPostgres } from '../support/postgres.ts';
import { noPostgres } from '../support/postgres-process.ts';

const isSampled = Number(process.env['DISPATCHER_TEST_EVERY'] ?? 1) > 1;
const obstacle = isSampled
  ? 'it waits for a lease, five minutes in all: npm run test:faults by itself does'
  : ((await noMachine()) ?? noPostgres());

test.skipIf(obstacle)(
  `two machines work through an office, one is lost, and the other one does its work${obstacle ? ` (skipped: ${obstacle})` : ''}`,
  { timeout: 420_000 },
  async () => {
    const at = await workspace();
    const database = await startPostgres();
    onTestFinished(async () => database.remove());
    at.gitea.addRepository('acme/app');
    for (const number of [1, 2, 3, 4]) {
      const title = `${number === 3 ? '[CRITICAL] ' : ''}Issue ${number}`;
      at.gitea.addIssue({ repository: 'acme/app', number, title, assignees: ['hans'] });
    }
    const setUp = (name: string): string => `mkdir /srv/${name} && cd /srv/${name}
      GITEA_TOKEN=${at.gitea.token} dispatcher init --url ${at.gitea.url} --repository acme/app --agent hans --token-file /etc/dispatcher/${name}.token >/dev/null
      (umask 077; echo '${database.url()}' > /etc/dispatcher/store-url)
      printf 'rateLimit: 1s\\nstore: { urlFile: /etc/dispatcher/store-url, host: ${name}, lease: 2m }\\n' >> dispatcher.yaml`;
    // What one machine listed the others need not list again for 20 s.
    const pass = (name: string): string => `systemctl start dispatcher-${name}.service; sleep 21`;
    const printed = await bootOnce(
      at.folder,
      `${TYPING}
      export HOME=/root
      ${setUp('alpha')}
      mark tables
      dispatcher store init 2>&1
      mark alpha
      dispatcher systemd install --name alpha --now --yes 2>&1
      ${setUp('beta')}
      mark beta
      dispatcher systemd install --name beta --now --yes 2>&1
      mark units
      systemctl stop dispatcher-alpha.timer dispatcher-beta.timer; sleep 1.1
      grep -h LoadCredential= /etc/systemd/system/dispatcher-alpha.service /etc/systemd/system/dispatcher-beta.service
      sleep 21; ${pass('alpha')}; ${pass('beta')}
      mark tasks
      find /srv/alpha/.agent-tasks /srv/beta/.agent-tasks -name 'issue-*.md' -printf '%f\\n' | sort
      mark seen
      cd /srv/beta; dispatcher store status
      mark lost
      # Alpha is not heard of any more, with a task that its agent is at.
      cd /srv/alpha; taken=$(basename $(runuser -u dispatcher -- dispatcher next --agent hans)); had=$(cd .agent-tasks/hans && ls issue-*.md doing/issue-*.md 2>/dev/null | wc -l)
      for round in $(seq 8); do ${pass('beta')}; done
      ls /srv/beta/.agent-tasks/hans/issue-*.md | xargs -n1 basename | sort
      [ -e /srv/beta/.agent-tasks/hans/$taken ] && echo "beta has $taken"
      grep -h '^attempt:' /srv/beta/.agent-tasks/hans/$taken
      [ "$had" -gt 0 ] && echo "alpha had some"
      mark back
      runuser -u dispatcher -- dispatcher done --agent hans >/dev/null
      systemctl start dispatcher-alpha.service
      echo "lost: $(grep -h 'LEASE LOST' .agent-dispatcher.log | grep -c 'hans: acme/app#')"
      echo "archived: $(grep -c lease_lost .agent-dispatcher/archived.jsonl)"
      echo "left: $(find .agent-tasks/hans -name 'issue-*.md' -not -path '*/archive/*' | wc -l)"
      mark secret
      grep -rlE '${PASSWORD}' /srv/alpha /srv/beta /etc/systemd/system /run/systemd/system 2>/dev/null
      journalctl --no-pager 2>/dev/null | grep -c '${PASSWORD}'
      mark end`,
      380,
    );
    onTestFinished(({ task }) => {
      if (task.result?.state === 'fail') console.log(printed);
    });
    const part = parts(printed);
    expect(part['tables']).toContain('has its tables now');
    expect(part['alpha']).toMatch(/✔ first pass +it ended well: dispatched acme\/app#3/u);
    expect(part['beta']).toMatch(/✔ first pass +it ended well/u);
    expect(part['units']?.match(/LoadCredential=store-url:\/etc\/dispatcher\/store-url/gu)).toHaveLength(2);
    // Each once, wherever.
    expect(part['tasks']).toBe('issue-1.md\nissue-2.md\nissue-3.md\nissue-4.md\n');
    expect(part['seen']).toMatch(/^alpha\t.*\nbeta\t/mu);
    expect(part['lost']).toMatch(
      /^issue-1\.md\nissue-2\.md\nissue-3\.md\nissue-4\.md\nbeta has issue-\d\.md\nattempt: 2\nalpha had some\n$/u,
    );
    const [, lost, archived, left] = /^lost: (\d+)\narchived: (\d+)\nleft: (\d+)$/mu.exec(part['back'] ?? '') ?? [];
    expect(Number(lost)).toBeGreaterThan(0);
    expect(archived).toBe(lost);
    expect(left).toBe('0');
    expect(part['secret']).toBe('0\n');
    expect(part['end']).toBe('');
  },
);
