// What an agent is told, from a real server: the ten issues, and what is said of a pull request. See server.ts.

import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Workspace, workspace } from '../support/command.ts';
import { factsIn, STORIES, type Story } from '../support/stories.ts';
import { ask, commit, join, SERVER } from './server.ts';

const owner = `acme-${Date.now().toString(36)}`;
const APP = `${owner}/app`;
const ON = `/repos/${APP}`;

async function office(more = ''): Promise<Workspace> {
  const at = await workspace({
    yaml: `gitea: { url: ${SERVER?.url}, repositories: [${APP}] }\nrateLimit: 1s\n${more}`,
  });
  const environment = { GITEA_TOKEN: SERVER?.token ?? '' };
  return { ...at, run: async (args) => at.run(args, environment) };
}

async function repository(): Promise<void> {
  await ask('POST', '/orgs', { username: owner });
  await ask('POST', `/orgs/${owner}/repos`, { name: 'app', auto_init: true, default_branch: 'main' });
}

async function issueFor(about: Story): Promise<{ readonly number: number; readonly pull: string }> {
  const people = ['hans', 'alice', 'bob', 'carol', about.assigner];
  for (const login of people) await join(APP, login);
  const create = async (title: string, body: string): Promise<number> =>
    (await ask('POST', `${ON}/issues`, { title, body }, 'alice')).number;
  const earlier = await create('An earlier decision', `${about.constraint}, whatever happens.`);
  await ask('PATCH', `${ON}/issues/${earlier}`, { state: 'closed' });
  const blocker = await create(about.blocker, '');
  const number = await create(
    about.title,
    `It happens often, see #${earlier}.\n\n### ACCEPTANCE CRITERIA\n\n- [ ] ${about.criterion}\n\nTest plan\n---------\n\nRun \`${about.command}\`.\n`,
  );
  const say = async (body: string, as: string): Promise<number> =>
    (await ask('POST', `${ON}/issues/${number}/comments`, { body }, as)).id;
  for (let index = 0; index < 104; index += 1) await say(`Thought number ${index}.`, 'bob');
  const edited = await say('I said something else before.', 'bob');
  const picture = new FormData();
  picture.set('attachment', new Blob(['not really a picture']), 'shot.png');
  const shown = await say('Here it is.', 'carol');
  await ask('POST', `${ON}/issues/comments/${shown}/assets?name=shot.png`, picture, 'carol');
  await ask('PATCH', `${ON}/issues/${number}`, { ref: about.branch, due_date: `${about.due}T12:00:00Z` });
  await ask('POST', `${ON}/issues/${number}/dependencies`, { owner, repo: 'app', index: blocker });
  await ask('PATCH', `${ON}/issues/${number}`, { assignees: ['hans'] }, about.assigner);
  await pause(1100);
  await ask('PATCH', `${ON}/issues/comments/${edited}`, { body: 'I say this now.' }, 'bob');
  await say(`Decided: ${about.decision}.`, 'carol');
  const branch = `work-${number}`;
  await commit(APP, { path: `${branch}.txt`, text: 'done', branch, from: 'main' }, `Begin, for #${number}`, 'hans');
  const body = { title: `Fix: ${about.title}`, head: branch, base: 'main', body: `Closes #${number}` };
  const pull = await ask('POST', `${ON}/pulls`, body, 'hans');
  const review = { event: 'REQUEST_CHANGES', body: about.review };
  await ask('POST', `${ON}/pulls/${pull.number}/reviews`, review, about.assigner);
  await commit(APP, { path: `note-${number}.txt`, text: 'x', branch: 'main' }, `A note, see #${number}`);
  return { number, pull: `${APP}#${pull.number}` };
}

describe.skipIf(SERVER === null)('on a real server', () => {
  beforeAll(repository);

  test('each of ten issues brings all twelve facts, with at most eleven requests', { timeout: 900_000 }, async () => {
    const at = await office('attachments: { save: true }\n');
    const found: Record<string, readonly string[]> = {};
    for (const about of STORIES) {
      const { number, pull } = await issueFor(about);
      await pause(2000); // what a push mentions is worked out behind it
      const send = ['dispatch', '--issue', String(number), '--force'];
      expect(await at.run(send)).toMatchObject({ code: 0 });
      const { stderr } = await at.run([...send, '-v']);
      const asked = stderr.split('\n').filter((line) => line.includes('/api/v1/'));
      expect(asked.length).toBeGreaterThan(0);
      expect(asked.length).toBeLessThanOrEqual(11);
      const facts = factsIn(at.read(`.agent-tasks/hans/issue-${number}.md`), about, pull);
      found[about.title] = Object.keys(facts).filter((name) => facts[name] !== true);
    }
    expect(found).toEqual(Object.fromEntries(Object.keys(found).map((title) => [title, []])));
  });

  test('what is said of a pull request is told: reviews, lines, checks, a conflict', { timeout: 600_000 }, async () => {
    for (const login of ['hans', 'carol', 'dora']) await join(APP, login);
    await commit(APP, { path: 'src/db.ts', text: 'one\ntwo\nthree\n', branch: 'main' }, 'Begin');
    const body = { title: 'Silent errors', body: 'They are.', assignees: ['hans'] };
    const { number } = await ask('POST', `${ON}/issues`, body, 'carol');
    const at = await office('agents: { hans: {} }\n');
    const pass = async (): Promise<string> => {
      await pause(1100);
      const { code, stdout, stderr } = await at.run([]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      return stdout;
    };
    /** Passes until one has news, or none has: then what is left to wait for is waited for. */
    const news = async (): Promise<string> => {
      let said = '';
      for (let time = 0; time < 4 && !said.includes('NEWS'); time += 1) said += await pass();
      return said;
    };
    const due = (): void => {
      const state = JSON.parse(at.read('.agent-dispatcher/state.json'));
      for (const { pulls } of Object.values<{ pulls: { lookAt: string | null }[] }>(state.tasks))
        for (const pull of pulls) pull.lookAt &&= new Date(0).toISOString();
      at.write('.agent-dispatcher/state.json', JSON.stringify(state));
    };
    const task = `.agent-tasks/hans/issue-${number}`;
    for (let time = 0; time < 20 && !at.tasks().includes(`${task}.md`); time += 1) await pass();

    const branch = `fix-${number}`;
    const file = { path: 'src/db.ts', text: 'one\nTWO\nthree\n', branch, from: 'main' };
    const sha = await commit(APP, file, 'Fix', 'hans');
    const pull = await ask(
      'POST',
      `${ON}/pulls`,
      { title: 'Fix', head: branch, base: 'main', body: `Closes #${number}` },
      'hans',
    );
    const reviews = `${ON}/pulls/${pull.number}/reviews`;
    await ask('POST', `${ON}/statuses/${sha}`, { context: 'lint', state: 'success' });
    expect(await pass()).not.toContain('NEWS');
    const review = await ask(
      'POST',
      reviews,
      {
        event: 'REQUEST_CHANGES',
        body: 'Close.',
        comments: [
          { path: 'src/db.ts', body: 'Why capitals?', new_position: 2 },
          { path: 'src/db.ts', body: 'This was fine.', old_position: 2 },
        ],
      },
      'carol',
    );
    await ask('POST', `${ON}/issues/${pull.number}/comments`, { body: 'See the log.' }, 'dora');
    expect(await news()).toContain('(review, pull request comments)');
    const first = at.read(`${task}.update-1.md`);
    expect(first).toMatch(/^### Review by carol, \S+: request changes$/mu);
    for (const words of ['> Close.', '> Why capitals?', '> This was fine.', '> See the log.'])
      expect(first).toContain(words);
    expect(first).toContain('> src/db.ts, line 2\n');
    expect(first).toContain('> src/db.ts, line 2 as it was before\n');

    // A draft of a review, which an administrator's token is shown, says nothing until it is submitted.
    const draft = await ask(
      'POST',
      reviews,
      { event: 'PENDING', body: 'Later.', comments: [{ path: 'src/db.ts', body: 'Begun.', new_position: 3 }] },
      'dora',
    );
    await ask('POST', `${ON}/issues/${pull.number}/comments`, { body: 'Moving it.' }, 'hans');
    for (let time = 0; time < 3; time += 1) expect(await pass()).not.toContain('NEWS');
    await ask('POST', `${reviews}/${draft.id}`, { event: 'COMMENT', body: 'Later.' }, 'dora');
    expect(await news()).toContain('(review)');
    expect(at.read(`${task}.update-2.md`)).toContain('> Begun.');
    expect(at.read(`${task}.update-2.md`)).not.toContain('Why capitals?');
    expect(review.id).toBeGreaterThan(0);

    await ask('POST', `${ON}/statuses/${sha}`, { context: 'ci/test', state: 'pending' });
    await ask('PATCH', `${ON}/pulls/${pull.number}`, { title: 'Fix it' }, 'hans');
    for (let time = 0; time < 3; time += 1) expect(await pass()).not.toContain('NEWS');
    await ask('POST', `${ON}/statuses/${sha}`, { context: 'ci/test', state: 'failure', description: '3 failed' });
    due();
    expect(await news()).toContain('(failed checks)');
    expect(at.read(`${task}.update-3.md`)).toContain('> - ci/test: 3 failed');

    // Another pull request goes into the same lines.
    await commit(
      APP,
      { path: 'src/db.ts', text: 'one\nzwei\nthree\n', branch: `other-${number}`, from: 'main' },
      'Other',
    );
    const other = await ask(
      'POST',
      `${ON}/pulls`,
      { title: 'Other', head: `other-${number}`, base: 'main', body: '' },
      'dora',
    );
    await pause(3000);
    await ask('POST', `${ON}/pulls/${other.number}/merge`, { Do: 'merge' });
    let said = '';
    for (let time = 0; time < 10 && !said.includes('merge conflict'); time += 1) {
      said += await pass();
      due();
    }
    expect(said).toContain('(merge conflict)');
    expect(at.read(`${task}.update-4.md`)).toContain('**It cannot be merged into main**');
    // And then nothing moves any more, and nothing is asked for it.
    await pass();
    await pass();
    const quiet = await at.run(['-v']);
    expect(quiet.stderr.split('\n').filter((line) => line.includes('/api/v1/'))).toHaveLength(1);
  });
});
