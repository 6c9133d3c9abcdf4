import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readTask } from '../../src/io/tasks/read-task.ts';
import { indexTaskFiles, listTaskFiles } from '../../src/io/tasks/task-list.ts';

function taskFolder(...names: readonly string[]): string {
  const root = mkdtempSync(join(tmpdir(), 'dispatcher-tasks-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const name of names) add(root, name);
  return root;
}
const placed = (tasksDirectory: string) => ({ tasksDirectory, taskFile: 'issue-{number}.md' });
function add(root: string, name: string, title = name): void {
  mkdirSync(dirname(join(root, name)), { recursive: true });
  writeFileSync(join(root, name), `---\nschema: "dispatcher.task/1"\ntitle: ${JSON.stringify(title)}\n---\nText\n`);
}

describe('the index of task files', () => {
  test('says the same as the list, and sees what came, went, moved and was rewritten', () => {
    const root = taskFolder(
      'hans/issue-1.md',
      'hans/done/issue-2.md',
      'greta/acme/app/issue-3.md',
      'hans/archive/issue-4.md',
    );
    const index = indexTaskFiles(placed(root));
    const same = (): void => expect(index.list()).toEqual(listTaskFiles(placed(root)));
    same();
    add(root, 'greta/acme/app/issue-5.md');
    same();
    renameSync(join(root, 'hans/issue-1.md'), join(root, 'hans/done/issue-1.md'));
    same();
    add(root, 'greta/acme/app/issue-3.md', 'another title of another length');
    same();
    rmSync(join(root, 'greta'), { recursive: true });
    same();
    expect(index.list()).toHaveLength(2);
  });

  test('its fingerprint changes when a file comes, goes or moves, and not otherwise', () => {
    const root = taskFolder('hans/issue-1.md', 'hans/done/issue-2.md');
    const index = indexTaskFiles(placed(root));
    index.list();
    const seen = new Set([index.fingerprint()]);
    expect(seen).toContain(index.fingerprint());
    const old = new Date(0);
    for (const change of [
      () => add(root, 'hans/issue-3.md'),
      () => renameSync(join(root, 'hans/issue-3.md'), join(root, 'hans/done/issue-3.md')),
      () => rmSync(join(root, 'hans/done/issue-3.md')),
      () => add(root, 'greta/issue-9.md'),
    ]) {
      // Time stamps of folders are no finer than a few milliseconds.
      for (const folder of ['', 'hans', 'hans/done']) utimesSync(join(root, folder), old, old);
      const before = index.fingerprint();
      change();
      expect(index.fingerprint()).not.toBe(before);
      index.list();
    }
  });
});

describe('reading a task file', () => {
  test('finds it in its folder, below repositories, and in done/', () => {
    const root = taskFolder('hans/issue-1.md', 'hans/acme/.github/issue-2.md', 'hans/done/issue-3.md');
    for (const name of ['issue-1.md', 'acme/.github/issue-2.md', 'done/issue-3.md']) {
      expect(readTask(root, 'hans', name)).toMatchObject({
        path: join(root, 'hans', name),
        text: expect.stringContaining('Text'),
        cut: 0,
      });
    }
  });

  test('the task folder itself may be a link', () => {
    const root = taskFolder('hans/issue-1.md');
    const link = `${root}-link`;
    symlinkSync(root, link);
    onTestFinished(() => rmSync(link));
    expect(readTask(link, 'hans', 'issue-1.md')?.text).toContain('Text');
  });

  test('nothing else can be read', () => {
    const root = taskFolder(
      'hans/issue-1.md',
      'hans/folder.md/x.md',
      'hans/notes.txt',
      'hans/.draft.md',
      'secret/issue-9.md',
    );
    execFileSync('mkfifo', [join(root, 'hans/pipe.md')]);
    for (const [agent, file] of [
      ['hans', '../secret/issue-9.md'],
      ['hans', './issue-1.md'],
      ['hans', 'link.md'],
      ['hans', 'away/issue-9.md'],
      ['greta', 'issue-1.md'],
      ['hans', 'folder.md'],
      ['hans', 'pipe.md'],
      ['hans', 'notes.txt'],
      ['hans', '.draft.md'],
      ['hans', 'issue-1.md\0.md'],
      ['hans', ''],
      ['hans', `${'a'.repeat(300)}.md`],
      ['..', 'hans/issue-1.md'],
      ['Hans', 'issue-1.md'],
      ['hans', 'issue-404.md'],
    ] as const)
      expect([agent, file, readTask(root, agent, file)]).toEqual([agent, file, null]);
  });

  test('a file of more than a megabyte is cut, and that is said', () => {
    const root = taskFolder('hans/issue-1.md');
    appendFileSync(join(root, 'hans/issue-1.md'), 'x'.repeat(1_200_000));
    const task = readTask(root, 'hans', 'issue-1.md');
    expect(task?.text.length).toBe(1024 * 1024);
    expect(task?.cut).toBeGreaterThan(100_000);
  });
});
