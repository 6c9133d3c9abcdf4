import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openTaskFolder, type TaskFolder } from '../../src/io/tasks/folder.ts';
import { aCandidate, aServer, aTrackedTask } from '../support/builders.ts';
import { asUser, CAN_BE_ANOTHER } from '../support/another-user.ts';

const SERVER = 'https://git.example.com';

interface Office {
  readonly root: string;
  readonly at: (name: string) => string;
  /** As a new command sees it. */
  readonly open: () => TaskFolder;
  /** Writes hans's task of an issue at a path. */
  readonly task: (path: string, about?: { id?: number; ref?: string; server?: string }) => string;
}

function office(taskFile = 'issue-{number}.md', url = SERVER, formerUrls: readonly string[] = []): Office {
  const base = mkdtempSync(join(tmpdir(), 'dispatcher-office-'));
  onTestFinished(() => rmSync(base, { recursive: true }));
  chmodSync(base, 0o755);
  const root = join(base, 'tasks');
  mkdirSync(join(root, 'hans'), { recursive: true });
  const at = (name: string): string => join(root, name);
  return {
    root,
    at,
    open: () =>
      openTaskFolder({ tasksDirectory: root, taskFile, servers: [aServer({ url, formerUrls })] }, () => 'random'),
    task: (path, { id = 1, ref = 'acme/app#1', server = SERVER } = {}) => {
      const file = at(`hans/${path}`);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, taskText(id, ref, server));
      return file;
    },
  };
}
const taskText = (id: number, ref: string, server = SERVER): string =>
  `---\nschema: "dispatcher.task/1"\nref: "${ref}"\nurl: "${server}/${ref.replace('#', '/issues/')}"\nissueId: ${id}\n---\nText\n`;

const candidate = (number = 1, repository = 'acme/app', id = number) => aCandidate({ number, id, repository });

describe('11.25 a task is where its front matter says so', () => {
  test.for([
    ['issue-1.md', 'dispatched'],
    ['in-progress/issue-1.md', 'dispatched'],
    ['a/b/c/renamed by its agent.md', 'dispatched'],
    ['doing/issue-1.md', 'dispatched'],
    ['blocked/issue-1.md', 'dispatched'],
    ['done/issue-1.md', 'done'],
    ['done/2026/april/issue-1.md', 'done'],
    ['acme/app/done/issue-1.md', 'done'],
    ['done/acme/app/issue-1.md', 'done'],
    ['archive/issue-1.md', null],
    ['archive/done/issue-1.md', null],
    ['issue-1.attachments/1-issue-1.md', null],
    ['app/node_modules/issue-1.md', null],
    ['app/.git/issue-1.md', null],
    ['.issue-1.md.random.tmp', null],
    ['issue-1.update-1.md', null],
  ] as const)('%s: %s', ([path, state]) => {
    const at = office();
    at.task(path);
    expect(at.open().existing(candidate())).toBe(state);
    const task = aTrackedTask({ file: at.at('hans/issue-1.md') });
    expect(at.open().whereIs(task)).toBe(state);
  });

  test('what says nothing of itself goes by its name, links to nothing too', () => {
    const at = office();
    writeFileSync(at.at('hans/issue-1.md'), 'rewritten by its agent');
    symlinkSync('nowhere', at.at('hans/issue-2.md'));
    mkdirSync(at.at('hans/issue-3.md'));
    mkdirSync(at.at('hans/done'));
    writeFileSync(at.at('hans/done/issue-4.md'), '');
    const folder = at.open();
    expect([1, 2, 3, 4, 5].map((number) => folder.existing(candidate(number)))).toEqual([
      'dispatched',
      'dispatched',
      'dispatched',
      'done',
      null,
    ]);
  });

  test('11.26 another repository, or another server, with the name is not it, and each has a file of its own', () => {
    const at = office();
    at.task('issue-1.md', { id: 1, server: 'https://old.example.com' });
    at.task('issue-2.md', { id: 99, ref: 'acme/app#2' });
    const folder = at.open();
    expect([folder.existing(candidate(1)), folder.existing(candidate(2))]).toEqual([null, null]);
    expect(folder.path(candidate(1))).toBe(at.at('hans/issue-1.2.md'));
    const draft = folder.draft(candidate(1), taskText(1, 'acme/app#1'));
    expect(draft.publish(false)).toEqual({ kind: 'published', archived: null });
    expect(draft.path).toBe(at.at('hans/issue-1.2.md'));
    expect(folder.existing(candidate(1))).toBe('dispatched');
    expect(readFileSync(at.at('hans/issue-1.md'), 'utf8')).toContain('old.example.com');
  });

  test.for(['doing', 'blocked', 'done', 'parked'])(
    'nor is it put where it could not be moved: the other one is in %s/',
    (place) => {
      const at = office('{owner}/{repo}/issue-{number}.md');
      at.task(`${place}/acme/app/issue-2.md`, { id: 99, ref: 'acme/app#2' });
      expect(at.open().path(candidate(2))).toBe(at.at('hans/acme/app/issue-2.2.md'));
      at.task(`${place}/elsewhere.md`, { id: 98, ref: 'acme/app#3' });
      expect(at.open().path(candidate(3))).toBe(at.at('hans/acme/app/issue-3.2.md'));
    },
  );

  test('the protocol of the server does not matter', () => {
    const at = office(undefined, 'http://GIT.example.com/');
    at.task('in-progress/issue-1.md');
    expect(at.open().existing(candidate())).toBe('dispatched');
  });

  test('a file that its agent moves at this moment is looked for once more before it is gone', () => {
    const at = office();
    const folder = at.open();
    expect(folder.whereIs(aTrackedTask({ issueId: 2, file: at.at('hans/issue-2.md') }))).toBeNull();
    const other = at.open();
    expect(other.openTasks('hans')).toBe(0);
    at.task('done/issue-1.md');
    expect(other.whereIs(aTrackedTask({ file: at.at('hans/issue-1.md') }))).toBe('done');
  });

  test('11.11 1,000 candidates cost one walk', () => {
    const at = office();
    for (let number = 1; number <= 1000; number += 1)
      at.task(number % 2 === 0 ? `done/${number}.md` : `issue-${number}.md`, { id: number, ref: `acme/app#${number}` });
    const folder = at.open();
    expect(folder.openTasks('hans')).toBe(500);
    rmSync(at.at('hans'), { recursive: true });
    const states = Array.from({ length: 1000 }, (_, index) => folder.existing(candidate(index + 1)));
    expect(states.filter((state) => state === 'done')).toHaveLength(500);
    expect(states.filter((state) => state === 'dispatched')).toHaveLength(500);
  });
});

describe('11.15 the tasks that count for maxTasks', () => {
  test('are new and taken ones; not what is done, blocked or archived, and nothing of its own', () => {
    const at = office();
    for (const [index, path] of ['issue-1.md', 'doing/issue-2.md', 'wip/3.md'].entries()) at.task(path, { id: index });
    for (const [index, path] of ['blocked/issue-4.md', 'done/issue-5.md', 'archive/issue-6.md'].entries())
      at.task(path, { id: 10 + index });
    writeFileSync(at.at('hans/PLAN.md'), '# Plan');
    writeFileSync(at.at('hans/issue-7.md'), 'a task without its front matter');
    cpSync(at.at('hans/issue-1.md'), at.at('hans/copy of issue-1.md'));
    expect(at.open().openTasks('hans')).toBe(4);
    expect(at.open().openTasks('greta')).toBe(0);
  });
});

describe('11.15, 12.11 repositories and owners may be called as they like', () => {
  test.for(['done', 'archive', 'doing', 'blocked', 'done_', 'x.attachments', 'node_modules', '.git', '.github'])(
    '%s is neither a state nor unseen',
    (name) => {
      const at = office('{owner}/{repo}/issue-{number}.md');
      for (const repository of [`acme/${name}`, `${name}/app`]) {
        const one = candidate(1, repository, repository.length * 100);
        const folder = at.open();
        expect(folder.existing(one)).toBeNull();
        const draft = folder.draft(one, 'a text that says nothing of itself');
        expect(draft.publish(false).kind).toBe('published');
        expect(folder.existing(one)).toBe('dispatched');
        expect(at.open().existing(one)).toBe('dispatched');
        rmSync(draft.path);
      }
      expect(at.open().path(candidate(1, 'acme/done', 3))).not.toBe(at.open().path(candidate(1, 'acme/done_', 3)));
    },
  );
});

describe('an archived task', () => {
  test('is taken from wherever it is, with what lies beside it there and where it was dispatched', () => {
    const at = office();
    at.task('in-progress/issue-1.md');
    writeFileSync(at.at('hans/in-progress/issue-1.update-1.md'), 'news');
    writeFileSync(at.at('hans/issue-1.update-2.md'), 'late news');
    mkdirSync(at.at('hans/issue-1.attachments'));
    writeFileSync(at.at('hans/issue-1.attachments/1-a.png'), '');
    writeFileSync(at.at('hans/issue-10.update-1.md'), 'of another');
    const moved = at.open().archive(aTrackedTask({ file: at.at('hans/issue-1.md') }));
    expect(moved).toEqual({ from: at.at('hans/in-progress/issue-1.md'), to: at.at('hans/archive/issue-1.md') });
    expect(readdirSync(at.at('hans/archive')).toSorted()).toEqual([
      'issue-1.attachments',
      'issue-1.md',
      'issue-1.update-1.md',
      'issue-1.update-2.md',
    ]);
    expect(readdirSync(at.at('hans')).toSorted()).toEqual(['archive', 'in-progress', 'issue-10.update-1.md']);
    expect(at.open().archive(aTrackedTask({ file: at.at('hans/issue-1.md') }))).toBeNull();
  });

  test('12.6 its file in the state is obeyed only below the folder of its agent', () => {
    const at = office();
    mkdirSync(at.at('greta'));
    writeFileSync(at.at('greta/issue-1.md'), "greta's");
    writeFileSync(join(at.root, '../secret.md'), 'secret');
    for (const file of [at.at('greta/issue-1.md'), join(at.root, '../secret.md'), at.at('hans/../greta/issue-1.md')]) {
      const task = aTrackedTask({ issueId: 7, file });
      expect(at.open().whereIs(task)).toBeNull();
      expect(at.open().archive(task)).toBeNull();
      expect(() => at.open().writeUpdate(task, 'news')).toThrow('is not below the folder of its agent');
    }
    expect(existsSync(at.at('greta/issue-1.md'))).toBe(true);
    expect(at.open().published(join(at.root, '../secret.md'))).toBeNull();
  });

  test.runIf(CAN_BE_ANOTHER)(
    'that its agent copied to done/, which link(2) refuses to another user, is moved all the same',
    () => {
      const at = office();
      const file = at.task('done/issue-1.md');
      chmodSync(at.at('hans'), 0o777);
      chmodSync(at.at('hans/done'), 0o777);
      chownSync(file, 4712, 4712);
      chmodSync(file, 0o644);
      const task = aTrackedTask({ file: at.at('hans/issue-1.md') });
      expect(asUser(4711, () => at.open().archive(task)?.to)).toBe(at.at('hans/archive/issue-1.md'));
      expect(existsSync(file)).toBe(false);
      // ... nor does it keep --force from sending it again.
      chownSync(at.task('issue-1.md'), 4712, 4712);
      const forced = asUser(4711, () => at.open().draft(candidate(), taskText(1, 'acme/app#1')).publish(true));
      expect(forced).toEqual({ kind: 'published', archived: at.at('hans/archive/issue-1.2.md') });
    },
  );
});

describe("11.21 an agent's folder that cannot be used is its own trouble", () => {
  test.for([
    ['done is a link', (at: Office) => symlinkSync('../greta', at.at('hans/done')), 'hans/done is not a folder'],
    ['done is a file', (at: Office) => writeFileSync(at.at('hans/done'), ''), 'hans/done is not a folder'],
    [
      'archive is a pipe',
      (at: Office) => execFileSync('mkfifo', [at.at('hans/archive')]),
      'hans/archive is not a folder',
    ],
    [
      'it is a link itself',
      (at: Office) => {
        renameSync(at.at('hans'), at.at('elsewhere'));
        symlinkSync('elsewhere', at.at('hans'));
      },
      'tasks/hans is not a folder',
    ],
    [
      'it has more than 10,000 names',
      (at: Office) => execFileSync('sh', ['-c', 'cd "$1" && seq 10050 | xargs touch', 'sh', at.at('hans')]),
      'hold more than 10000 names',
    ],
  ] satisfies [string, (at: Office) => unknown, string][])('%s', ([, spoil, says]) => {
    const at = office();
    at.task('issue-1.md');
    mkdirSync(at.at('greta'));
    writeFileSync(at.at('greta/issue-1.md'), '');
    spoil(at);
    const folder = at.open();
    expect(folder.trouble('hans')).toContain(says);
    // Nothing is thrown, and nothing is called gone.
    expect(folder.whereIs(aTrackedTask({ file: at.at('hans/issue-1.md') }))).toBe('dispatched');
    expect(() => folder.archive(aTrackedTask({ file: at.at('hans/issue-1.md') }))).toThrow(says);
    expect(folder.trouble('greta')).toBeNull();
    expect(existsSync(at.at('greta/issue-1.md'))).toBe(true);
    expect(folder.existing(aCandidate({ number: 1, id: 5, assignees: ['greta'] }))).toBe('dispatched');
  });

  test.runIf(CAN_BE_ANOTHER)('it, or a folder of tasks in it, may not be read by the dispatcher', () => {
    const at = office();
    chownSync(at.at('hans'), 4712, 4712);
    const trouble = (): string | null => asUser(4711, () => at.open().trouble('hans'));
    chmodSync(at.at('hans'), 0o777);
    expect(trouble()).toBeNull();
    mkdirSync(at.at('hans/done'), { mode: 0o700 });
    expect(trouble()).toContain(`EACCES: permission denied, open '${at.at('hans/done')}'`);
    chmodSync(at.at('hans'), 0o700);
    expect(trouble()).toContain(
      `EACCES: permission denied, open '${at.at('hans')}': sudo chown -R 4711 ${at.at('hans')}`,
    );
    expect(asUser(4711, () => at.open().existing(candidate()))).toBeNull();
  });
});

test('news lies beside the task, wherever it is', () => {
  const at = office();
  at.task('doing/issue-1.md');
  const task = aTrackedTask({ file: at.at('hans/issue-1.md') });
  expect(at.open().writeUpdate(task, 'news')).toBe(at.at('hans/doing/issue-1.update-1.md'));
  expect(at.open().writeUpdate(task, 'more')).toBe(at.at('hans/doing/issue-1.update-2.md'));
});

test('without a state the newest file of all tells when the last one appeared, one agent cannot hide it', () => {
  const at = office();
  mkdirSync(at.at('greta'));
  expect(at.open().newestTime()).toBeNull();
  at.task('issue-1.md');
  const newest = at.open().newestTime() ?? 0;
  expect(Math.abs(Date.now() - newest)).toBeLessThan(60_000);
  symlinkSync('..', at.at('hans/done'));
  expect(at.open().newestTime()).not.toBeNull();
});
