import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { reportOf } from '../../src/core/history/report.ts';
import { workspace } from '../support/command.ts';
import { anOfficeHistory, pastOf, writeHistory } from '../support/history.ts';

const DAY = 86_400_000;
const YAML = 'gitea:\n  url: URL\n  repositories: [acme/app]\nagents: { hans: {}, greta: {} }\nrateLimit: 1s\n';

test('what passes did stands in the report, without token and network', async () => {
  const at = await workspace({ yaml: YAML });
  at.gitea.addIssue({ repository: 'acme/app', number: 1, title: 'First', labels: ['critical'], assignees: ['hans'] });
  await at.run([]);
  at.gitea.editIssue('acme/app#1', { state: 'closed' });
  await at.run([]);
  const asked = at.gitea.requests.length;
  const { code, stdout } = await at.run(['report'], { GITEA_TOKEN: '' });
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^greta\tall\t0\t0\t0\t0\t{7}[01]\.\d{4}\nhans\tall\t1\t1\t0\t0\t\d+\t.*\nhans\tCRITICAL\t1\t1\t/u,
  );
  const document = JSON.parse((await at.run(['report', '--json', '--agent', 'HANS', '--since', '24h'])).stdout);
  expect(document).toMatchObject({
    schemaVersion: 1,
    agent: 'hans',
    total: { dispatched: 1, finished: 1 },
    agents: [{ name: 'hans', priorities: [{ priority: 'CRITICAL' }] }],
  });
  expect(Date.parse(document.to) - Date.parse(document.from)).toBe(DAY);
  expect(at.gitea.requests).toHaveLength(asked);
});

test('the numbers are those of the journal', async () => {
  const at = await workspace({ yaml: YAML });
  for (let number = 1; number <= 6; number += 1) {
    at.gitea.addIssue({
      repository: 'acme/app',
      number,
      title: `No ${number}`,
      assignees: [number % 2 ? 'hans' : 'greta'],
    });
  }
  for (let pass = 0; pass < 4; pass += 1) {
    await at.run([]);
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  const journal = readFileSync(join(at.folder, '.agent-dispatcher/dispatches.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const { agents, total } = JSON.parse((await at.run(['report', '--json'])).stdout);
  expect(journal.length).toBeGreaterThanOrEqual(3);
  expect(total.dispatched).toBe(journal.length);
  for (const { name, dispatched, waited } of agents) {
    const own = journal.filter(({ agent }) => agent === name);
    expect(dispatched).toBe(own.length);
    const waits = own.map((record) => Math.round((Date.parse(record.at) - Date.parse(record.waitingSince)) / 1000));
    expect(waited).toMatchObject({ count: own.length, longest: Math.max(...waits) });
  }
});

test('before the first pass, for an unknown agent, and for a time that is none', async () => {
  const at = await workspace({ yaml: YAML });
  expect(JSON.parse((await at.run(['report', '--json'])).stdout)).toMatchObject({
    since: null,
    agents: [{ idle: 1 }, {}],
  });
  expect(await at.run(['report', '--agent', 'bob'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('there is no agent bob\n  fix: agents: greta, hans'),
  });
  expect((await at.run(['report', '--since', 'yesterday'])).code).toBe(2);
});

test('a hundred thousand events: each number as the events tell it', async () => {
  const at = await workspace({ yaml: YAML });
  const now = Date.now();
  const events = anOfficeHistory({ days: 90, agents: 20, from: now - 90 * DAY, perDay: 15 });
  expect(events.length).toBeGreaterThan(90_000);
  writeHistory(join(at.folder, '.agent-dispatcher'), events);
  const document = JSON.parse((await at.run(['report', '--json', '--since', '90d'])).stdout);
  const to = Date.parse(document.to);
  const expected = reportOf(pastOf(events), { from: Date.parse(document.from), to, agent: null }, ['greta', 'hans']);
  expect({ ...document, steps: [] }).toEqual({ ...expected, steps: [] }); // its days are those of its time zone
  expect(document.total.dispatched).toBe(
    events.filter((event) => event.event === 'dispatched' && event.at >= Date.parse(document.from)).length,
  );
  expect(readdirSync(join(at.folder, '.agent-dispatcher'))).toEqual(['history']);

  // And without any of what counts them: each task of this history is dispatched once and ends once.
  const begun = new Map(events.flatMap((event) => (event.event === 'dispatched' ? [[event.key, event]] : [])));
  const waits = [...begun.values()].flatMap((event) =>
    event.since !== null && event.at >= Date.parse(document.from) ? [event.at - event.since] : [],
  );
  const works = events.flatMap((event) =>
    event.event === 'done' || (event.event === 'archived' && event.reason === 'closed')
      ? [event.at - (begun.get(event.key)?.at ?? Infinity)]
      : [],
  );
  for (const [told, counted] of [
    [document.total.waited, waits],
    [document.total.worked, works],
  ] as const) {
    const seconds = counted.map((ms) => Math.round(ms / 1000));
    expect(told).toMatchObject({ count: seconds.length, longest: Math.max(...seconds) });
    for (const [value, share] of [
      [told.median, 0.5],
      [told.p95, 0.95],
    ]) {
      const below = seconds.filter((each) => each < value).length;
      const upTo = seconds.filter((each) => each <= value).length;
      expect(below / seconds.length).toBeLessThanOrEqual(share);
      expect(upTo / seconds.length).toBeGreaterThanOrEqual(share);
    }
  }
});
