// What a pass relies on, whatever its store is: the same suite over files and over PostgreSQL.

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FullIssue } from '../../src/core/issue/issue.ts';
import { dispatchIssue } from '../../src/pass/dispatch-issue.ts';
import { aFullIssue, aPause } from '../support/builders.ts';
import { type Cluster, startPostgres } from '../support/postgres.ts';
import { noPostgres } from '../support/postgres-process.ts';
import { type Machine, machineOf, RATE_MS, sharedOffice } from '../support/shared-store.ts';

const lacking = noPostgres();
let cluster: Cluster | undefined;
beforeAll(async () => {
  if (lacking === null) cluster = await startPostgres();
}, 60_000);
afterAll(async () => cluster?.remove());

const kinds = ['files', ...(lacking === null ? ['postgres'] : [])];

async function machineWith(kind: string, issues: FullIssue[], overrides = {}): Promise<Machine> {
  if (kind === 'files' || !cluster) return machineOf(() => issues, overrides);
  return (await sharedOffice(cluster, issues)).machine('one', overrides);
}

const open = (count: number): FullIssue[] =>
  Array.from({ length: count }, (_, index) => aFullIssue({ number: index + 1, id: index + 1, createdAt: index }));

/** So that the next slot is open. */
const SLOT = { rateLimitMs: 1 };

describe.for(kinds)('over %s', { timeout: 60_000 }, (kind) => {
  test('one task goes in a pass, and none before the next slot opens', async () => {
    const machine = await machineWith(kind, open(3));
    await machine.pass();
    await machine.pass();
    expect(machine.dispatched()).toEqual(['#1']);
    await new Promise((resolve) => setTimeout(resolve, RATE_MS - 4000));
    const began = performance.now();
    await machine.pass();
    expect(machine.dispatched()).toEqual(['#1', '#2']);
    // It waited for the slot.
    expect(performance.now() - began).toBeGreaterThan(1000);
    const [first = 0, second = 0] = machine.events.length > 0 ? appearances(machine) : [];
    expect(second - first).toBeGreaterThanOrEqual(RATE_MS);
  });

  test('the most urgent goes first, and each goes once', async () => {
    const issues = [...open(3), aFullIssue({ number: 9, id: 9, labels: ['critical'] })];
    const machine = await machineWith(kind, issues, SLOT);
    for (let count = 0; count < 6; count += 1) await machine.pass();
    expect(machine.dispatched()).toEqual(['#9', '#1', '#2', '#3']);
  });

  test('the limits of an agent and a repository hold besides the one for all', async () => {
    const rateLimits = { agents: new Map([['hans', 60_000]]), repositories: new Map([['acme/app', 60_000]]) };
    const issues = [
      aFullIssue({ number: 1, id: 1, assignees: ['hans'] }),
      aFullIssue({ number: 2, id: 2, assignees: ['hans'], repository: 'labs/tool' }),
      aFullIssue({ number: 3, id: 3, assignees: ['greta'] }),
      aFullIssue({ number: 4, id: 4, assignees: ['greta'], repository: 'labs/tool' }),
    ];
    const repositories = [
      { owner: 'acme', name: 'app' },
      { owner: 'labs', name: 'tool' },
    ];
    const taskFile = '{owner}/{repo}/issue-{number}.md';
    const machine = await machineWith(kind, issues, { ...SLOT, rateLimits, repositories, taskFile });
    for (let count = 0; count < 4; count += 1) await machine.pass();
    expect(machine.dispatched()).toEqual(['acme/app#1', 'labs/tool#4']);
  });

  test('a pause holds until it is taken back', async () => {
    const machine = await machineWith(kind, open(1), SLOT);
    mkdirSync(machine.config.stateDirectory, { recursive: true });
    const store = await machine.store();
    await store.pause(aPause({ agent: 'hans', reason: 'release freeze' }));
    expect(await store.pauses()).toMatchObject([{ agent: 'hans', reason: 'release freeze' }]);
    await machine.pass();
    expect(machine.dispatched()).toEqual([]);
    expect(await store.resume(null)).toBe(false);
    expect(await store.resume('hans')).toBe(true);
    await machine.pass();
    expect(machine.dispatched()).toEqual(['#1']);
    await store.close();
  });

  test('a deleted file goes again, at most three times', async () => {
    const machine = await machineWith(kind, open(1), SLOT);
    const file = join(machine.config.tasksDirectory, 'hans', 'issue-1.md');
    for (let count = 0; count < 6; count += 1) {
      await machine.pass();
      rmSync(file, { force: true });
    }
    expect(machine.dispatched()).toHaveLength(4);
  });

  test('a task that is done stays so, and a closed one goes to the archive and comes again when it is opened', async () => {
    const issues = open(1);
    const machine = await machineWith(kind, issues, SLOT);
    const home = join(machine.config.tasksDirectory, 'hans');
    await machine.pass();
    mkdirSync(join(home, 'done'));
    renameSync(join(home, 'issue-1.md'), join(home, 'done', 'issue-1.md'));
    await machine.pass();
    const [issue] = issues.splice(0, 1);
    await machine.pass({
      gitea: () =>
        ({ ...machine.deps.gitea(1), peekIssue: async () => issue && { ...issue, state: 'closed' } }) as ReturnType<
          typeof machine.deps.gitea
        >,
    });
    expect(readdirSync(join(home, 'archive'))).toEqual(['issue-1.md']);
    await machine.pass();
    if (issue) issues.push(issue);
    await machine.pass();
    expect(machine.dispatched()).toEqual(['#1', '#1']);
    expect(existsSync(join(home, 'issue-1.md'))).toBe(true);
  });

  test('a pass that is killed between slot and file costs the slot, not the task', async () => {
    const machine = await machineWith(kind, open(1), SLOT);
    const killed = new Error('killed');
    const state = {
      ...machine.deps.state,
      write: () => {
        throw killed;
      },
    };
    await expect(machine.pass({ state })).rejects.toThrow('killed');
    expect(machine.dispatched()).toEqual([]);
    await machine.pass();
    await machine.pass();
    expect(machine.dispatched()).toEqual(['#1']);
  });

  test('by hand with --force it goes although no slot is free, and counts for the limit', async () => {
    const machine = await machineWith(kind, open(2));
    await machine.pass();
    const store = await machine.store();
    const forced = { number: 1, repository: null, agent: null, force: true };
    await dispatchIssue({ ...machine.deps, store }, forced);
    await machine.pass();
    expect(machine.dispatched()).toEqual(['#1', '#1']);
    expect(readdirSync(join(machine.config.tasksDirectory, 'hans', 'archive'))).toEqual(['issue-1.md']);
  });
});

function appearances({ config }: Machine): readonly number[] {
  const text = readdirSync(config.stateDirectory).includes('dispatches.jsonl');
  return text ? times(join(config.stateDirectory, 'dispatches.jsonl')) : [];
}

function times(file: string): readonly number[] {
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => Date.parse((JSON.parse(line) as { at: string }).at));
}
