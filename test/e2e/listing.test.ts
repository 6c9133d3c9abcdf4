import { readdirSync, statSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { workspace } from '../support/command.ts';
import { FAULTS, type Fault } from '../support/gitea/server.ts';

const YAML = 'gitea:\n  url: URL\n  repositories: [acme/app, labs/kit]\n';
const TASK = '.agent-tasks/hans/labs/kit/issue-1.md';

/** So many bytes of blanks, which are JSON as far as they go. */
const flood =
  (bytes: number): Fault =>
  (_request: IncomingMessage, response: ServerResponse) =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end(' '.repeat(bytes));

describe('11.19 the trouble of one repository', () => {
  test.for<[string, Fault, string]>([
    ['an outage', FAULTS.overloaded, 'acme/app could not be read: Gitea at '],
    ['broken JSON', FAULTS.truncated, 'acme/app could not be read: Gitea at '],
    ['a forbidden one', { status: 403, body: '{}' }, 'acme/app could not be read: Gitea does not let'],
    ['one that is not there', { status: 404, body: '{}' }, 'acme/app cannot be read: misspelt'],
    ['pages without end', { body: '[{"id":0}]' }, 'acme/app could not be read: '],
  ])('is a warning with its name, and another one is dispatched from: %s', async ([, fault, warning]) => {
    const at = await workspace({ yaml: YAML });
    at.gitea.addIssue({ repository: 'acme/app', title: 'CRITICAL: hidden', assignees: ['hans'] });
    at.gitea.addIssue({ repository: 'labs/kit', assignees: ['hans'] });
    at.gitea.intercept(/repos\/acme\/app\/issues\?/u, fault);
    const { code, stdout } = await at.run([]);
    expect(stdout).toContain(`WARNING: ${warning}`);
    expect(code).toBe(0);
    expect(at.tasks()).toEqual([TASK]);
  });

  test('has none of its tasks asked for, and none archived', async () => {
    const at = await workspace({ yaml: `${YAML}rateLimit: 1s\n` });
    at.gitea.addIssue({ repository: 'acme/app', title: 'CRITICAL: first', assignees: ['hans'] });
    at.gitea.addIssue({ repository: 'labs/kit', assignees: ['hans'] });
    await at.run([]);
    const before = at.gitea.requests.length;
    at.gitea.intercept(/repos\/acme\/app\/issues\?/u, FAULTS.overloaded);
    await at.run([]);
    expect(at.tasks()).toEqual(['.agent-tasks/hans/acme/app/issue-1.md', TASK]);
    expect(at.gitea.requests.slice(before).filter((request) => request.includes('/acme/app/issues/1'))).toEqual([]);
  });

  test('is an outage of the pass when no other can be read', async () => {
    const at = await workspace({ yaml: YAML });
    at.gitea.intercept(/issues\?/u, FAULTS.overloaded);
    expect(await at.run([])).toMatchObject({ code: 75 });
  });
});

describe('long issues', () => {
  test('11.19 that nobody is assigned to hold up no other: a page of them is read in smaller ones', async () => {
    const at = await workspace();
    at.gitea.addIssue({ repository: 'acme/app', assignees: ['hans'] });
    for (let count = 0; count < 7; count += 1) {
      at.gitea.addIssue({ repository: 'acme/app', author: 'mallory', body: 'x'.repeat(10_000_000) });
    }
    // A slow machine takes more than a pass for the 70 MB.
    for (let pass = 0; pass < 5 && at.tasks().length === 0; pass += 1)
      expect(await at.run([])).toMatchObject({ code: 0 });
    expect(at.tasks()).toEqual(['.agent-tasks/hans/issue-1.md']);
  });

  test('beyond what is read at all are left out and named, and the others go', async () => {
    const at = await workspace();
    for (let count = 0; count < 3; count += 1) at.gitea.addIssue({ repository: 'acme/app', assignees: ['hans'] });
    at.gitea.intercept(/issues\?.*limit=(?!1&)/u, flood(9_000_000));
    at.gitea.intercept(/limit=1&page=2$/u, flood(68_000_000));
    const { code, stdout } = await at.run([]);
    expect(stdout).toMatch(/WARNING: Gitea at \S+ answered \S+ with more than 64 MiB: it is number 2 of acme\/app/u);
    expect(code).toBe(0);
    expect(at.tasks()).toEqual(['.agent-tasks/hans/issue-1.md']);
  });

  test('11.2 the comments of one with three assignees: it is that issue that waits, and others go in the same pass', async () => {
    const at = await workspace({ yaml: 'gitea:\n  url: URL\n  repositories: [acme/app]\nrateLimit: 1s\n' });
    const createdAt = new Date(Date.now() - 3_600_000);
    const issue = (number: number, assignees: string[]): void =>
      void at.gitea.addIssue({ repository: 'acme/app', number, assignees, createdAt });
    issue(1, ['hans', 'greta', 'ida']);
    for (const number of [2, 3]) issue(number, ['hans']);
    at.gitea.intercept(/issues\/1\/comments/u, flood(68_000_000));
    for (let pass = 0; pass < 2; pass += 1) {
      const { code, stdout } = await at.run([]);
      expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('DISPATCHED: hans') });
      if (pass === 0) expect(stdout).toMatch(/acme\/app#1 for \w+ is passed over: .*with more than 64 MiB/u);
      await new Promise((resolve) => void setTimeout(resolve, 1050));
    }
    expect(at.tasks()).toEqual(['.agent-tasks/hans/issue-2.md', '.agent-tasks/hans/issue-3.md']);
  });

  test('11.20 are not kept: a listing of 150 MB is read within 128 MiB of memory for objects', async () => {
    const at = await workspace();
    for (let count = 0; count < 120; count += 1) {
      at.gitea.addIssue({ repository: 'acme/app', assignees: ['hans'], body: 'x'.repeat(1_250_000) });
    }
    for (let pass = 0; pass < 5 && at.tasks().length === 0; pass += 1) {
      const ended = await at.run([], { NODE_OPTIONS: '--max-old-space-size=128' });
      expect(ended).toMatchObject({ code: 0, stderr: '' });
    }
    expect(at.tasks()).toEqual(['.agent-tasks/hans/issue-1.md']);
  });
});

describe('a pass without changes', () => {
  test.for([60, 3000])('with %i candidates writes at most 4 kB', async (count) => {
    const at = await workspace({
      yaml: 'gitea:\n  url: URL\n  repositories: ["acme/*"]\nagents: { hans: { maxTasks: 1 } }\n',
    });
    const createdAt = new Date(Date.now() - 3_600_000);
    for (let number = 1; number <= count; number += 1)
      at.gitea.addIssue({ repository: 'acme/app', title: `Issue ${number}`, assignees: ['hans'], createdAt });
    for (let pass = 0; pass < 3; pass += 1) expect(await at.run([])).toMatchObject({ code: 0 });
    const before = filesIn(at.folder);
    expect(await at.run([])).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(at.tasks()).toHaveLength(1);
    let bytes = 0;
    for (const [name, { size, changed, inode }] of filesIn(at.folder)) {
      const known = before.get(name);
      // What was written behind the end of a file costs that much; what was written anew costs all of it.
      if (known?.changed !== changed) bytes += known?.inode === inode && size > known.size ? size - known.size : size;
    }
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThanOrEqual(4096);
  });
});

describe('a backlog that is longer than what is listed', () => {
  test('is told of by explain, with what is counted, also of one that is not listed', async () => {
    const at = await workspace({
      yaml: 'gitea:\n  url: URL\n  repositories: ["acme/*"]\nagents: { hans: {}, greta: { maxTasks: 1 } }\n',
    });
    for (let number = 1; number <= 700; number += 1) {
      const assignees = [number % 2 === 0 ? 'hans' : 'greta'];
      const createdAt = new Date(Date.now() - (800 - number) * 60_000);
      at.gitea.addIssue({ repository: 'acme/app', number, title: `Issue ${number}`, assignees, createdAt });
    }
    for (let pass = 0; pass < 2; pass += 1) expect(await at.run([])).toMatchObject({ code: 0 });
    const before = at.gitea.requests.length;
    const { stdout } = await at.run(['explain']);
    expect(stdout).toContain('It saw 700 candidates.');
    expect(stdout).toMatch(/^ {2}150 NORMAL for hans: waiting, the oldest of them acme\/app#402$/mu);
    const story = async (number: string) => (await at.run(['explain', '--issue', number])).stdout;
    expect(await story('700')).toMatch(
      /^acme\/app#700 for hans: behind the listed ones\. Issue 700\n {2}NORMAL \(default\), opened .* left out of its list:\n {2}150 waiting\.\n/u,
    );
    expect(await story('10')).toMatch(/^acme\/app#10 for hans: waiting, .*number \d+ of 700 in order\./su);
    expect((await at.run(['status'])).stderr).toContain('ok');
    // All of it from local files.
    expect(at.gitea.requests.slice(before)).toEqual([]);
    expect(await story('9999')).toContain('#9999 was not among the candidates of the last pass.');
  });
});

describe('what is remembered begins anew with', () => {
  const OTHER_TOKEN = 'fedcba9876543210fedcba9876543210fedcba98';
  const yaml = (url: string, repositories: string): string =>
    `gitea: { url: "${url}", repositories: [${repositories}] }\nagents: { hans: { maxTasks: 1 } }\n`;

  interface Change {
    readonly what: string;
    readonly repositories?: string;
    readonly environment?: Readonly<Record<string, string>>;
    readonly anotherServer?: boolean;
  }

  test.for<Change>([
    { what: 'a repository that is added', repositories: 'acme/app, acme/api' },
    { what: 'all repositories of the owner', repositories: '"acme/*"' },
    { what: 'another repository', repositories: 'acme/api' },
    { what: 'another token', environment: { GITEA_TOKEN: OTHER_TOKEN } },
    { what: 'another server', anotherServer: true },
  ])('$what', async ({ repositories = 'acme/app', environment = {}, anotherServer = false }) => {
    const at = await workspace({ tokens: [OTHER_TOKEN] });
    const other = anotherServer ? (await workspace()).gitea : at.gitea;
    const createdAt = new Date(Date.now() - 3_600_000);
    for (const gitea of new Set([at.gitea, other])) {
      for (let number = 1; number <= 120; number += 1)
        gitea.addIssue({ repository: `acme/${number % 2 === 0 ? 'app' : 'api'}`, assignees: ['hans'], createdAt });
    }
    at.write('dispatcher.yaml', yaml(at.gitea.url, 'acme/app'));
    for (let pass = 0; pass < 2; pass += 1) expect(await at.run([])).toMatchObject({ code: 0 });
    const remembered = (): readonly string[] => at.files().filter((name) => name.includes('/listing/'));
    const known = remembered();
    expect(listed(at.gitea.requests).at(-2)).toContain('since=');

    at.write('dispatcher.yaml', yaml(other.url, repositories));
    const before = other.requests.length;
    expect(await at.run([], environment)).toMatchObject({ code: 0 });
    const requests = listed(other.requests.slice(before));
    expect(requests.filter((request) => request.includes('since='))).toEqual([]);
    expect(requests.length).toBeGreaterThan(1);
    // Nothing is left of what was known before.
    expect(remembered().filter((name) => known.includes(name))).toEqual([]);
    expect(remembered()).not.toEqual([]);
  });

  const listed = (requests: readonly string[]): readonly string[] =>
    requests.filter((request) => /issues(?:\/search)?\?.*state=/u.test(request));
});

function filesIn(folder: string): ReadonlyMap<string, { size: number; changed: bigint; inode: bigint }> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => !name.startsWith('.cache'));
  return new Map(
    names.flatMap((name) => {
      const stat = statSync(join(folder, name), { bigint: true });
      return stat.isFile() ? [[name, { size: Number(stat.size), changed: stat.mtimeNs, inode: stat.ino }]] : [];
    }),
  );
}
