// Two agents as two Unix users beside the dispatcher's: what each may do, and that it may do nothing else.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { workspace } from '../support/command.ts';
import { bootOnce, noMachine, parts, TYPING } from '../support/machine.ts';

const obstacle = await noMachine();

/** What hans must not do, as he would type it. The office of the test is in /srv/desk. */
const FORBIDDEN: readonly string[] = [
  'touch /srv/desk/x',
  'echo x >> /srv/desk/dispatcher.yaml',
  'cat /etc/dispatcher/token',
  'mkdir /srv/desk/.agent-tasks/x',
  'mv /srv/desk/.agent-tasks/greta /srv/desk/.agent-tasks/gone',
  'touch /srv/desk/.agent-tasks/greta/issue-9.md',
  'echo x >> /srv/desk/.agent-tasks/greta/issue-2.md',
  'mv /srv/desk/.agent-tasks/greta/issue-2.md /srv/desk/.agent-tasks/greta/done/',
  'rm -f /srv/desk/.agent-tasks/greta/issue-2.md',
  'touch /srv/desk/.agent-tasks/greta/done/issue-2.md',
  'echo x >> /srv/desk/.agent-dispatcher/state.json',
  'echo x >> /srv/desk/.agent-dispatcher/dispatches.jsonl',
  'rm -f /srv/desk/.agent-dispatcher/state.json',
  'touch /srv/desk/.agent-dispatcher/x',
  'mkdir -p /srv/desk/.agent-dispatcher/pauses/x',
  'echo x >> /srv/desk/.agent-dispatcher.log',
  'dispatcher --config /srv/desk/dispatcher.yaml pause --agent greta',
  'dispatcher --config /srv/desk/dispatcher.yaml',
];

test.skipIf(obstacle)(
  `two agents as two Unix users: each does its work, none of ${FORBIDDEN.length} forbidden things goes${obstacle ? ` (skipped: ${obstacle})` : ''}`,
  { timeout: 200_000 },
  async () => {
    const at = await workspace({
      yaml: 'gitea: { url: URL, repositories: [acme/app], tokenFile: /etc/dispatcher/token }\nagents: { hans: {}, greta: {} }\nrateLimit: 1s\n',
    });
    at.gitea.addIssue({ repository: 'acme/app', number: 1, title: 'First', assignees: ['hans'] });
    at.gitea.addIssue({ repository: 'acme/app', number: 2, title: 'Second', assignees: ['greta'] });
    at.write('token', at.gitea.token);
    const asHans = (command: string): string => `runuser -u hans -- sh -c '${command}' >/dev/null 2>&1`;
    const pass = 'sleep 1.1; systemctl start dispatcher.service || journalctl -u dispatcher -n 5 --no-pager';
    // The session says by a file when an issue is to be closed and opened again.
    const answering = setInterval(() => {
      for (const [ask, answer, state] of [
        ['ask-close', 'closed', 'closed'],
        ['ask-open', 'opened', 'open'],
      ] as const) {
        if (!existsSync(join(at.folder, ask)) || existsSync(join(at.folder, answer))) continue;
        for (const number of [1, 2]) at.gitea.editIssue(`acme/app#${number}`, { state });
        at.write(answer, '');
      }
    }, 100);
    onTestFinished(() => clearInterval(answering));
    const printed = await bootOnce(
      at.folder,
      `${TYPING}
      export HOME=/root
      for name in hans greta; do useradd --create-home $name; done
      mkdir -m 755 /srv/desk; cp /srv/office/dispatcher.yaml /srv/desk/; chmod 600 /srv/desk/dispatcher.yaml; install -D -m 0600 /srv/office/token /etc/dispatcher/token
      cd /srv/desk
      mark install
      dispatcher systemd install --yes 2>&1; echo "exit $?"
      ${pass}; ${pass}
      mark rights
      stat -c '%U %G %a %n' .agent-tasks .agent-tasks/hans .agent-tasks/hans/done .agent-dispatcher dispatcher.yaml
      ls .agent-tasks/hans .agent-tasks/greta
      mark forbidden
      before=$(find /srv/desk -newermt 2000-01-01 -printf '%p %s %T@\\n' | sort)
      ${FORBIDDEN.map((command, index) => `${asHans(command)} && echo 'WENT: ${index}'`).join('\n')}
      [ "$before" = "$(find /srv/desk -newermt 2000-01-01 -printf '%p %s %T@\\n' | sort)" ] && echo unchanged
      mark done
      ${asHans('cd /srv/desk && mv .agent-tasks/hans/issue-1.md .agent-tasks/hans/done/')}; echo "moved $?"
      runuser -u greta -- mv .agent-tasks/greta/issue-2.md .agent-tasks/greta/done/; echo "moved $?"
      ${pass}
      touch /srv/office/ask-close; until_so 20 '[ -e /srv/office/closed ]'
      ${pass}; ${pass}
      ls .agent-tasks/hans/done .agent-tasks/hans/archive .agent-tasks/greta/archive
      mark reopened
      touch /srv/office/ask-open; until_so 20 '[ -e /srv/office/opened ]'
      ${pass}; ${pass}; ${pass}
      ls .agent-tasks/hans/*.md .agent-tasks/greta/*.md
      stat -c '%U %G %a' .agent-tasks/hans/issue-1.md
      mark root by hand
      GITEA_TOKEN= dispatcher dispatch --issue 1 --force >/dev/null; echo "exit $?"
      dispatcher pause --agent greta --for 1h > /dev/null; dispatcher resume > /dev/null
      grep trigger .agent-tasks/hans/issue-1.md
      find . -user root
      mark hans by hand
      runuser -u hans -- dispatcher --config /srv/desk/dispatcher.yaml 2>&1; echo "exit $?"
      mark doctor
      dispatcher doctor 2>&1 | grep 'agent rights'
      runuser -u hans -- sh -c 'mv .agent-tasks/hans/done .agent-tasks/hans/was-done; mkdir .agent-tasks/hans/done'
      dispatcher doctor 2>&1 | grep -A1 '✖ agent rights'
      eval "$(dispatcher doctor 2>&1 | sed -n 's/^ *fix: sudo //p' | head -1)"
      dispatcher doctor 2>&1 | grep -c '✔ agent rights'
      mark end`,
      150,
    );
    onTestFinished(({ task }) => {
      if (task.result?.state === 'fail') console.log(printed);
    });
    const part = parts(printed);
    expect(part['install']).toMatch(/✔ doctor +everything[^]*exit 0/u);
    expect(part['rights']).toMatch(
      /^dispatcher dispatcher 750 .*\ndispatcher hans 2775 .*\ndispatcher hans 2775 .*\ndispatcher dispatcher 750 .*\ndispatcher dispatcher 640 /u,
    );
    expect(part['rights']).toMatch(/issue-2\.md[^]*issue-1\.md/u);
    expect(part['forbidden']).toBe('unchanged\n');
    expect(part['done']).toMatch(/moved 0\nmoved 0\n[^]*archive:\nissue-2\.md[^]*archive:\nissue-1\.md/u);
    expect(part['reopened']).toMatch(
      /hans\/issue-1\.md[^]*greta\/issue-2\.md|greta\/issue-2\.md[^]*hans\/issue-1\.md/u,
    );
    expect(part['reopened']).toMatch(/dispatcher hans 66[04]\n/u);
    // Root acts as the account of the office, with the token that only root may read: it leaves nothing of its own.
    expect(part['root by hand']).toBe('exit 0\ntrigger: "forced"\n');
    expect(part['hans by hand']).toMatch(/this office belongs to dispatcher[^]*fix: repeat it with sudo[^]*exit 1/u);
    expect(part['doctor']).toMatch(
      /^✔ agent rights.*\n✔ agent rights.*\n✖ agent rights +failed: hans .*\n +fix: sudo install -d -m 2775 .*\n2\n/u,
    );
  },
);
