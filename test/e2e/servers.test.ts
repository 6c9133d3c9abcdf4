// Several servers in one configuration: one queue, one limit, one status; and nothing of one server for another.

import { describe, expect, test } from 'vitest';
import { FAULTS } from '../support/gitea/server.ts';
import { nextSlot, TOKENS, tokensSent, type TwoServers, twoServers } from '../support/servers.ts';

/** The same repository, number and id on both; that of `home` is more urgent. */
async function twins(...args: Parameters<typeof twoServers>): Promise<TwoServers> {
  const at = await twoServers(...args);
  at.team.addIssue({ repository: 'acme/app', number: 5, title: 'At team', assignees: ['hans'] });
  at.home.addIssue({ repository: 'acme/app', number: 5, title: 'At home', assignees: ['hans'], labels: ['critical'] });
  return at;
}

const TEAM = '.agent-tasks/hans/team/acme/app/issue-5.md';
const HOME = '.agent-tasks/hans/home/acme/app/issue-5.md';

describe('two servers with the same repository, number and id', () => {
  test('are one queue with one limit, and each issue has a name and a place of its own', async () => {
    const at = await twins();
    const first = await at.run([]);
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toContain('DISPATCHED: hans → home:acme/app#5 (At home) [Priority: CRITICAL]');
    expect(at.tasks()).toEqual([HOME]);
    expect(JSON.parse((await at.run(['status', '--json'])).stdout)).toMatchObject({
      counts: { waiting: 1, dispatched: 1 },
      servers: [
        { name: 'team', url: at.team.url, away: null },
        { name: 'home', url: at.home.url, away: null },
      ],
      next: { ref: 'team:acme/app#5', url: `${at.team.url}/acme/app/issues/5` },
    });
    await nextSlot();
    expect((await at.run([])).stdout).toContain('DISPATCHED: hans → team:acme/app#5 (At team)');
    expect(at.tasks()).toEqual([HOME, TEAM]);
    expect(at.read(TEAM)).toContain(
      `ref: "team:acme/app#5"\nissue: 5\nrepository: "acme/app"\nserver: "team"\nurl: "${at.team.url}/acme/app/issues/5"`,
    );
    expect(at.read(TEAM)).toContain(`${at.team.url}/acme/app.git`);
    await nextSlot();
    expect((await at.run([])).stdout).toBe('');
    const { agents } = JSON.parse((await at.run(['status', '--json'])).stdout) as {
      agents: readonly { tasks: readonly object[] }[];
    };
    expect(agents[0]?.tasks.map((task) => ({ ...task }))).toMatchObject([
      { ref: 'home:acme/app#5', server: 'home', repository: 'acme/app', url: `${at.home.url}/acme/app/issues/5` },
      { ref: 'team:acme/app#5', server: 'team', repository: 'acme/app', url: `${at.team.url}/acme/app/issues/5` },
    ]);
  });

  test('what becomes of one is nothing to the other: news, closing, receipts', async () => {
    const at = await twins('receipt: { comment: true }\n', {
      team: { scopes: ['write:issue'] },
      home: { scopes: ['write:issue'] },
    });
    await at.run([]);
    await nextSlot();
    await at.run([]);
    await at.run([]);
    const posts = (requests: readonly string[]): number => requests.filter((line) => line.startsWith('POST ')).length;
    expect([posts(at.team.requests), posts(at.home.requests)]).toEqual([1, 1]);
    at.team.addComment('acme/app#5', { author: 'alice', body: 'Only at team.' });
    at.home.editIssue('acme/app#5', { state: 'closed' });
    const { stdout } = await at.run([]);
    expect(stdout).toContain('NEWS: hans: team:acme/app#5 has news (comments)');
    expect(stdout).toContain('ARCHIVED: hans: home:acme/app#5 is closed');
    expect(at.tasks()).toEqual(
      ['archive/home/acme/app/issue-5.md', 'team/acme/app/issue-5.md', 'team/acme/app/issue-5.update-1.md'].map(
        (name) => `.agent-tasks/hans/${name}`,
      ),
    );
  });

  test('a number that fits both is told with both, and the name of a server says which', async () => {
    const at = await twins();
    const vague = await at.run(['dispatch', '--issue', '5']);
    expect(vague.code).toBe(2);
    expect(vague.stderr).toMatch(/#5 fits 2 issues:\n +team:acme\/app#5 +At team\n +home:acme\/app#5 +At home\n/u);
    expect((await at.run(['dispatch', '--issue', '5', '--repo', 'acme/app'])).code).toBe(2);
    const sent = await at.run(['dispatch', '--issue', 'team:acme/app#5']);
    expect(sent).toMatchObject({ code: 0 });
    expect(at.tasks()).toEqual([TEAM]);
    await nextSlot();
    expect(await at.run(['dispatch', '--issue', '5', '--repo', 'home:acme/app'])).toMatchObject({ code: 0 });
    expect(at.tasks()).toEqual([HOME, TEAM]);
    expect(await at.run(['dispatch', '--issue', 'away:acme/app#5'])).toMatchObject({ code: 2 });
  });

  test('the side of the agent names them so as well, and completion offers it', async () => {
    const at = await twins();
    await at.run([]);
    await nextSlot();
    await at.run([]);
    const agent = { DISPATCHER_AGENT: 'hans' };
    const offered = await at.run(['__complete', '--', 'done', 'team:'], agent);
    expect(offered.stdout).toMatch(/^team:acme\/app#5\t/u);
    expect((await at.run(['__complete', '--', 'dispatch', '--repo', ''])).stdout.split('\n')).toEqual([
      'team:acme/app',
      'home:acme/app',
      '',
    ]);
    expect(await at.run(['done', '5'], agent)).toMatchObject({ code: 2 });
    expect(await at.run(['done', 'team:acme/app#5'], agent)).toMatchObject({ code: 0 });
    expect(at.tasks()).toEqual([
      '.agent-tasks/hans/done/team/acme/app/issue-5.md',
      '.agent-tasks/hans/done/team/acme/app/issue-5.work.json',
      HOME,
    ]);
    expect((await at.run(['explain', '--issue', '5', '--repo', 'team:acme/app'])).stdout).toMatch(
      /^team:acme\/app#5 for hans: skipped: dispatched|^team:acme\/app#5 for hans/u,
    );
  });
});

describe('a server that is away', () => {
  test('keeps back nobody else, is named everywhere, and told when it is back', async () => {
    const at = await twins();
    const back = at.home.intercept(/./u, FAULTS.reset);
    const pass = await at.run([]);
    expect(pass.code).toBe(0);
    expect(pass.stdout).toContain('WARNING: home is away, the other servers go on: Gitea at');
    expect(pass.stdout).toContain('DISPATCHED: hans → team:acme/app#5');
    const status = await at.run(['status']);
    expect(status.stderr).toMatch(/● ok: last pass \S+ ago, dispatched team:acme\/app#5; home is away since/u);
    expect(JSON.parse((await at.run(['status', '--json'])).stdout)).toMatchObject({
      health: 'ok',
      servers: [
        { name: 'team', away: null },
        { name: 'home', away: { code: 'gitea_unreachable' } },
      ],
    });
    // Said once.
    expect((await at.run([])).stdout).not.toContain('home is away');
    back();
    await nextSlot();
    const again = await at.run([]);
    expect(again.stdout).toMatch(/RECOVERED: home answers again; it was away for \S+/u);
    expect(again.stdout).toContain('DISPATCHED: hans → home:acme/app#5');
    expect(JSON.parse((await at.run(['status', '--json'])).stdout)).toMatchObject({
      servers: [{ away: null }, { away: null }],
    });
  });

  test('archives none of its tasks, although none of them is listed', async () => {
    const at = await twins();
    await at.run([]);
    await nextSlot();
    await at.run([]);
    at.home.intercept(/./u, { status: 503 }, 100);
    expect((await at.run([])).code).toBe(0);
    expect(at.tasks()).toEqual([HOME, TEAM]);
  });

  test('lists, but answers for no issue: those of the other go in the same pass', async () => {
    const at = await twins();
    for (const number of [6, 7, 8])
      at.home.addIssue({
        repository: 'acme/app',
        number,
        title: `Home ${number}`,
        assignees: ['hans'],
        labels: ['critical'],
      });
    at.home.intercept(/\/issues\/\d+$/u, FAULTS.reset);
    const pass = await at.run([]);
    expect(pass.stdout).toContain('DISPATCHED: hans → team:acme/app#5');
    expect(pass.code).toBe(0);
  });

  test('and silent costs the pass its time, and the other one nothing', async () => {
    const at = await twins();
    at.home.intercept(/./u, FAULTS.hang);
    const began = Date.now();
    const pass = await at.run([]);
    expect(pass.stdout).toContain('WARNING: home is away, the other servers go on: Gitea at');
    expect(pass.stdout).toContain('DISPATCHED: hans → team:acme/app#5');
    expect(pass.code).toBe(0);
    expect(Date.now() - began).toBeLessThan(45_000);
  });

  test('may have the issue that is meant: a bare number waits, one with a name goes', async () => {
    const at = await twins();
    at.home.intercept(/./u, FAULTS.reset);
    const vague = await at.run(['dispatch', '--issue', '5']);
    expect(vague.code).toBe(75);
    expect(vague.stderr).toMatch(/whether #5 is meant that home has cannot be told[^]*name the server/u);
    at.write('dispatcher.yaml', at.read('dispatcher.yaml').replaceAll('acme/app', '"acme/*"'));
    expect(await at.run(['dispatch', '--issue', '5'])).toMatchObject({ code: 75 });
    expect(await at.run(['dispatch', '--issue', 'team:acme/app#5'])).toMatchObject({ code: 0 });
  });

  test('without the other is exit 75; one without a token is away as well', async () => {
    const at = await twins();
    const back = at.home.intercept(/./u, FAULTS.reset);
    const both = at.team.intercept(/./u, FAULTS.reset);
    const none = await at.run([]);
    expect(none.code).toBe(75);
    expect(none.stderr).toMatch(/none of the servers can be read: team: Gitea at .*; home: Gitea at /u);
    expect(at.tasks()).toEqual([]);
    back();
    both();
    at.write('home', '');
    const pass = await at.run([]);
    expect(pass.code).toBe(0);
    expect(pass.stdout).toContain('WARNING: home is away, the other servers go on: the token from');
    expect(pass.stdout).toContain('DISPATCHED: hans → team:acme/app#5');
  });
});

describe('the token of a server', () => {
  test('goes to that server alone, whatever the other one sends in its pages, redirects and attachments', async () => {
    const at = await twins('attachments: { save: true }\n', { home: { maxResponseItems: 2 } });
    at.home.addIssue({
      repository: 'acme/app',
      number: 6,
      title: 'With a picture',
      assignees: ['hans'],
      labels: ['critical'],
      attachments: [{ name: 'shot.png', size: 3 }],
      body: `See ${at.team.url}/acme/app/issues/5 and team:acme/app#5.`,
      comments: [{ author: 'mallory', body: `![x](${at.team.url}/attachments/1-2)` }],
    });
    for (const number of [7, 8, 9])
      at.home.addIssue({ repository: 'acme/app', number, title: 'More', assignees: ['hans'] });
    for (let pass = 0; pass < 3; pass += 1) {
      await at.run([]);
      await nextSlot();
    }
    // Each answer leads to the other server: a listing, an issue, an attachment.
    at.home.intercept(/\/attachments\//u, { status: 302, headers: { location: `${at.team.url}/attachments/1` } });
    at.home.intercept(/\/issues\/\d+/u, {
      status: 307,
      headers: { location: `${at.team.url}/api/v1/repos/acme/app/issues/5` },
    });
    at.home.intercept(/\/issues\?/u, {
      status: 307,
      headers: { location: `${at.team.url}/api/v1/repos/acme/app/issues?state=open` },
    });
    for (let pass = 0; pass < 2; pass += 1) await at.run([]);
    expect(tokensSent(at.team)).toEqual([`Bearer ${TOKENS.team}`]);
    expect(tokensSent(at.home)).toEqual([`Bearer ${TOKENS.home}`]);
    // What home leads to was not even asked for there.
    expect(at.team.requests.filter((line) => line.includes('/attachments/'))).toEqual([]);
  });

  test('comes from a variable of its own; the plain one is sent to nobody', async () => {
    const at = await twins();
    at.write('dispatcher.yaml', at.read('dispatcher.yaml').replaceAll(/, tokenFile: \w+/gu, ''));
    const environment = { GITEA_TOKEN: at.team.token, GITEA_TOKEN_HOME: TOKENS.home };
    const pass = await at.run([], environment);
    expect(pass.stdout).toContain('team is away, the other servers go on: no Gitea token for the server team');
    expect(pass.stdout).toContain('DISPATCHED: hans → home:acme/app#5');
    expect(at.team.requests).toEqual([]);
  });
});

describe('from one server to several and back', () => {
  test('no task is dispatched twice, none is lost, and what is open goes on', async () => {
    const at = await twins();
    at.team.addIssue({ repository: 'acme/app', number: 6, title: 'Second at team', assignees: ['hans'] });
    at.configure('team');
    await at.run([]);
    await nextSlot();
    const SINGLE = '.agent-tasks/hans/issue-5.md';
    expect(at.tasks()).toEqual([SINGLE]);
    at.configure('both');
    await at.run([]);
    await nextSlot();
    await at.run([]);
    await nextSlot();
    expect((await at.run([])).stdout).toBe('');
    const SECOND = '.agent-tasks/hans/team/acme/app/issue-6.md';
    expect(at.tasks()).toEqual([HOME, SINGLE, SECOND].toSorted());
    // The file of before is still new, and may be taken.
    const agent = { DISPATCHER_AGENT: 'hans' };
    const shown = JSON.parse((await at.run(['status', '--json'])).stdout) as { counts: object };
    expect(shown.counts).toMatchObject({ new: 3, doing: 0, waiting: 0 });
    at.team.addComment('acme/app#5', { author: 'alice', body: 'News.' });
    expect((await at.run([])).stdout).toContain('team:acme/app#5 has news');
    at.configure('team');
    const back = await at.run([]);
    expect(back.stdout).not.toContain('DISPATCHED');
    expect(back.stdout).toContain('tasks of another server are out');
    expect(JSON.parse((await at.run(['status', '--json'])).stdout)).toMatchObject({ counts: { new: 3, waiting: 0 } });
    at.team.editIssue('acme/app#6', { state: 'closed' });
    expect((await at.run([])).stdout).toContain('ARCHIVED: hans: acme/app#6 is closed');
    expect((await at.run(['next'], agent)).stdout).toContain('/doing/');
    at.configure('both');
    await nextSlot();
    expect((await at.run([])).stdout).not.toContain('DISPATCHED');
  });

  test('the history goes on: what was begun under one name ends under the other', async () => {
    const at = await twins();
    at.configure('team');
    await at.run([]);
    at.configure('both');
    at.team.editIssue('acme/app#5', { state: 'closed' });
    await nextSlot();
    expect((await at.run([])).stdout).toContain('ARCHIVED: hans: team:acme/app#5 is closed');
    const report = JSON.parse((await at.run(['report', '--json'])).stdout) as { total: object };
    expect(report.total).toMatchObject({ dispatched: 2, finished: 1 });
  });
});

describe('setting it up', () => {
  test('doctor looks at each, and says of which it speaks', async () => {
    const at = await twins();
    const good = await at.run(['doctor']);
    expect(good.stdout).toMatch(
      /✔ token +team: from [^]*✔ server +team: http[^]*✔ clock +team: [^]*✔ server +home: http/u,
    );
    at.home.intercept(/./u, FAULTS.reset);
    const { stdout, code } = await at.run(['doctor']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/✔ issues +team: 1 open[^]*✖ server +failed: home: Gitea at/u);
  });

  test('a token is stored for the server that is named, and no other', async () => {
    const at = await twins();
    const vague = await at.run(['token']);
    expect(vague).toMatchObject({ code: 2 });
    expect(vague.stderr).toContain('say which one with --server: team, home');
    expect(await at.run(['token', '--server', 'nobody'])).toMatchObject({ code: 2 });
  });

  test('the unit hands over a token of each', async () => {
    const at = await twins();
    at.write('dispatcher.yaml', at.read('dispatcher.yaml').replaceAll(/, tokenFile: \w+/gu, ''));
    const { stdout } = await at.run(['systemd', 'print', '--run-as', 'root']);
    expect(stdout).toContain(
      'LoadCredential=gitea-token-team:/etc/dispatcher/token-team\nLoadCredential=gitea-token-home:/etc/dispatcher/token-home\n',
    );
  });
});
