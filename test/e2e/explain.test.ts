import { describe, expect, test } from 'vitest';
import { type Workspace, workspace } from '../support/command.ts';

async function office(): Promise<Workspace> {
  const at = await workspace({
    yaml: 'gitea: { url: URL, repositories: [acme/app] }\nagents: { hans: {}, greta: { maxTasks: 1 } }\nholdLabels: [wait]\nrateLimit: 1s\n',
  });
  const add = (number: number, rest: object): void =>
    void at.gitea.addIssue({ repository: 'acme/app', number, title: `Issue ${number}`, ...rest });
  add(1, { assignees: ['hans'], labels: ['critical'] });
  add(2, { assignees: ['hans'], labels: ['high'] });
  add(3, { assignees: ['hans'], labels: ['low'] });
  add(4, { assignees: ['hans'], labels: ['wait'] });
  add(5, { assignees: ['mallory'] });
  add(6, { assignees: ['hans'], pullRequest: true });
  add(7, { assignees: ['hans'], state: 'closed' });
  add(8, { assignees: [] });
  await at.run([]);
  return at;
}

describe('dispatcher explain', () => {
  test('every candidate of the last pass in order, with its outcome, as the dry run prints it', async () => {
    const at = await office();
    const asked = at.gitea.requests.length;
    const { code, stdout } = await at.run(['explain'], { GITEA_TOKEN: '' });
    expect(code).toBe(0);
    expect(at.gitea.requests).toHaveLength(asked);
    expect(stdout).toMatch(
      /^The last pass ended \d+s ago and dispatched acme\/app#1\. It saw 5 candidates\.\n\n# {2}PRIORITY {2}ISSUE +AGENT +OUTCOME +SINCE +TITLE\n1 {2}CRITICAL {2}acme\/app#1 +hans +chosen +(?:now|\d+s)/u,
    );
    expect(stdout).toContain('acme/app#4  held: label wait\n');
    for (const [agent, says] of [
      ['Hans', 'It saw 5 candidates, and 4 of those that are asked for.\n'],
      ['bob', 'It saw 5 candidates, and none of those that are asked for.\n'],
    ] as const) {
      expect((await at.run(['explain', '--agent', agent])).stdout).toContain(says);
    }
    const table = (text: string): string[] =>
      text
        .split('\n')
        .filter((line) => /^\d+ {2}\w+ {2}/u.test(line))
        .map((line) => line.replace(/ (?:\d+s|now) /u, ' ').replaceAll(/ +/gu, ' '));
    const dry = table((await at.run(['dispatch', '-n'])).stdout).map((line) =>
      line
        .replace('skipped: dispatched', 'chosen')
        .replace(/(acme\/app#2 .*) chosen/u, '$1 next')
        .replace(/(acme\/app#3 .*) next/u, '$1 waiting'),
    );
    expect(dry).toEqual(table(stdout));
  });

  test.for([
    {
      issue: 1,
      says: /chosen.*\n {2}CRITICAL \(label:critical\), opened \d+s ago, number 1 of 5 in order\.\n[^]*was dispatched to hans \d+s ago \(manual\)\.\n {2}Task file: .*issue-1\.md/u,
    },
    { issue: 2, says: /for hans: next.*\n.*\n {2}It is the next one: (?:next slot in [01]s|slot free)\./u },
    { issue: 3, says: /waiting[^]*Out of turn: dispatcher dispatch --issue 3/u },
    { issue: 4, says: /skipped: held[^]*label wait\.\n {2}That is: a label of holdLabels/u },
    { issue: 5, says: /skipped: unknown_agent[^]*add the login to agents/u },
    { issue: 6, says: /not among the candidates.*\n.*#6 is a pull request/u },
    { issue: 7, says: /not among the candidates.*\n.*#7 is closed/u },
    { issue: 8, says: /not among the candidates.*\n.*#8 is assigned to nobody/u },
    { issue: 99, says: /no issue of that number in acme\/app\.\n {2}That is so when/u },
  ])('#$issue: the whole story', async ({ issue, says }) => {
    const { code, stdout } = await (await office()).run(['explain', '--issue', String(issue)]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(says) });
  });

  test('since when: an outcome that stays keeps its time', async () => {
    const at = await office();
    const since = async (): Promise<unknown> =>
      JSON.parse((await at.run(['explain', '--issue', '4', '--json'])).stdout).rows[0].since;
    const first = await since();
    await new Promise((resolve) => setTimeout(resolve, 1100));
    await at.run([]);
    expect(await since()).toBe(first);
    at.gitea.editIssue('acme/app#4', { labels: [] });
    await at.run([]);
    expect(await since()).not.toBe(first);
  });

  test('with Gitea away it tells what it can', async () => {
    const at = await office();
    await at.gitea.close();
    expect((await at.run(['explain', '--issue', '8'])).stdout).toMatch(
      /That is so when[^]*\(Gitea could not be asked: .*refused/u,
    );
    expect((await at.run(['explain', '--issue', '4'])).stdout).toContain('skipped: held');
  });

  test('before any pass', async () => {
    const at = await workspace();
    expect((await at.run(['explain'])).stdout).toContain('No pass has run yet');
  });
});
