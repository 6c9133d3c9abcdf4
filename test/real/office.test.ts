// What an agent is told, from a real server: the ten issues, and what is said of a pull request. See server.ts.

import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
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
  await ask('POST', '/orgs', { username: owner }).catch(() => {});
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
  test('each of ten issues brings all twelve facts, with at most eleven requests', { timeout: 900_000 }, async () => {
    await repository();
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
});
