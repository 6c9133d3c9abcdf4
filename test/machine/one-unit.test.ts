// The worker in one unit that the README gives, as it stands there: as another user than the dispatcher's.

import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { workspace } from '../support/command.ts';
import { bootOnce, noMachine, parts, TYPING } from '../support/machine.ts';

const obstacle = await noMachine();
const [, unit = ''] =
  /one-unit\.test\.ts -->\n```ini\n([^]*?)```/u.exec(
    readFileSync(new URL('../../README.md', import.meta.url), 'utf8'),
  ) ?? [];

test.skipIf(obstacle)(
  `the worker in one unit takes the most urgent task first, and hands back what fails${obstacle ? ` (skipped: ${obstacle})` : ''}`,
  { timeout: 200_000 },
  async () => {
    const at = await workspace({
      yaml: 'gitea: { url: URL, repositories: [acme/app] }\nworkspace: /srv/office\nagents: { hans: { attempts: 1 } }\nrateLimit: 1s\n',
    });
    at.gitea.addIssue({ repository: 'acme/app', number: 1, title: 'First', assignees: ['hans'] });
    at.gitea.addIssue({
      repository: 'acme/app',
      number: 2,
      title: 'Second',
      assignees: ['hans'],
      labels: ['critical'],
    });
    at.write('hans.service', unit);
    at.write(
      'your-agent',
      '#!/bin/sh\necho "$(id -un) works on $DISPATCHER_REF, and was told $(grep -c "Your task")"\ncat /etc/dispatcher/token 2>&1\n[ "$DISPATCHER_REF" = "acme/app#2" ]\n',
    );
    const pass = `sleep 1.1; runuser -u office -- env GITEA_TOKEN=${at.gitea.token} HOME=/srv/office dispatcher -q`;
    const printed = await bootOnce(
      at.folder,
      `${TYPING}
      export HOME=/root
      useradd --system --home-dir /srv/office office; useradd --system --groups office hans
      chown office:office /srv/office /srv/office/dispatcher.yaml; chmod 2775 /srv/office; chmod 600 /srv/office/dispatcher.yaml
      install -D -m 0600 /dev/null /etc/dispatcher/token
      install -m 0755 /srv/office/your-agent /usr/local/bin/your-agent
      sed 's#/srv/agents#/srv/office#' /srv/office/hans.service > /etc/systemd/system/hans.service
      cd /srv/office
      mark pass
      ${pass}; ${pass}
      mark unit
      systemctl daemon-reload; systemd-analyze verify /etc/systemd/system/hans.service 2>&1; systemctl enable --now hans.service 2>/dev/null
      until_so 60 '[ -e .agent-tasks/hans/blocked/issue-1.md ]'
      sleep 4
      systemctl is-active hans.service
      mark tasks
      cd .agent-tasks/hans; stat -c '%U %n' done/*.md blocked/*.md
      cat done/issue-2.output-1.txt blocked/issue-1.output-1.txt
      grep -o '"reason": "[^"]*"' blocked/issue-1.work.json | tail -1
      stat -c '%Y' done/issue-2.work.json blocked/issue-1.work.json | sort -c && echo "the urgent one first"
      mark new
      mv done/issue-2.md .; until_so 30 '[ -e done/issue-2.md ]'; echo "worked again"
      mark end`,
      150,
    );
    onTestFinished(({ task }) => {
      if (task.result?.state === 'fail') console.log(printed);
    });
    const part = parts(printed);
    expect(part['pass']).toBe('');
    expect(part['unit']).toBe('active\n');
    expect(part['tasks']).toMatch(
      /^office done\/issue-2\.md\noffice blocked\/issue-1\.md\nhans works on acme\/app#2, and was told 1\n[^\n]*\/token: Permission denied\nhans works on acme\/app#1, and was told 1\n[^\n]*\/token: Permission denied\n"reason": "1 run failed; the run ended with 1: [^\n]*\nthe urgent one first\n$/u,
    );
    expect(part['new']).toBe('worked again\n');
    expect(part['end']).toBe('');
  },
);
