import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { configText } from '../../../src/core/config/text.ts';

const ANSWERS = {
  url: 'https://git.example.com',
  repositories: ['acme/app', 'acme/null'],
  tokenFile: '/home/ana/.config/dispatcher/token',
  workspace: '/srv/"acme"',
  agents: [],
};

test('a configuration as it is written: every key explained, no agent named', () => {
  expect(configText(ANSWERS)).toMatchInlineSnapshot(`
    "# The dispatcher's configuration, written by \`dispatcher init\`. Every key: dispatcher help config
    # After a change: dispatcher doctor

    gitea:
      url: "https://git.example.com"
      # owner/repository, or owner/* for all of an owner's.
      repositories: ["acme/app", "acme/null"]
      # The token stands in a file of its own, which nobody else can read. The scope read:issue is enough.
      tokenFile: "/home/ana/.config/dispatcher/token"

    # Task files, state and log go below this folder.
    workspace: "/srv/\\"acme\\""

    # The agents' logins. Without this group every assignee is an agent.
    #agents:
    #  hans: {}
    #  greta: { maxTasks: 2 }

    # At most one task in any window this long.
    #rateLimit: 60s
    # An issue that carries one of these labels is not dispatched.
    #holdLabels: [on-hold]
    "
  `);
});

test('agents whose names mean something to YAML stay texts', () => {
  expect(parse(configText({ ...ANSWERS, agents: ['hans', 'null', '1e3'] }))).toEqual({
    gitea: { url: ANSWERS.url, repositories: ANSWERS.repositories, tokenFile: ANSWERS.tokenFile },
    workspace: ANSWERS.workspace,
    agents: { hans: {}, null: {}, '1e3': {} },
  });
});
