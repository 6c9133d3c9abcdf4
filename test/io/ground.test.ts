import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { inTaskFolder, makingTaskFolder } from '../../src/io/tasks/ground.ts';
import { asUser, CAN_BE_ANOTHER } from '../support/another-user.ts';

function ground(): { readonly root: string; readonly outside: string } {
  const base = mkdtempSync(join(tmpdir(), 'dispatcher-ground-'));
  onTestFinished(() => rmSync(base, { recursive: true }));
  chmodSync(base, 0o755);
  const [root, outside] = [join(base, 'tasks'), join(base, 'outside')];
  mkdirSync(join(root, 'hans'), { recursive: true });
  mkdirSync(outside);
  writeFileSync(join(outside, 'secret.md'), 'secret');
  return { root, outside };
}

describe('a folder below the task folder', () => {
  test('is not entered when it is a link, or no folder at all; what is not there is null', () => {
    const { root, outside } = ground();
    symlinkSync(outside, join(root, 'hans/done'));
    writeFileSync(join(root, 'hans/archive'), '');
    execFileSync('mkfifo', [join(root, 'hans/pipe')]);
    for (const name of ['done', 'archive', 'pipe']) {
      const entering = (): unknown => inTaskFolder(root, (folder) => folder.inside(['hans', name], () => 'in'));
      const making = (): unknown => inTaskFolder(root, (folder) => folder.making(['hans', name, 'x'], () => 'in'));
      expect(entering).toThrow(`${root}/hans/${name} is not a folder`);
      expect(making).toThrow(`${root}/hans/${name} is not a folder`);
    }
    expect(inTaskFolder(root, (folder) => folder.inside(['greta'], () => 'in'))).toBeNull();
    expect(inTaskFolder(`${root}-2`, () => 'in')).toBeNull();
    expect(readdirSync(outside)).toEqual(['secret.md']);
  });

  test('stays the same one when it is renamed, and a link put in its place, while it is worked in', () => {
    const { root, outside } = ground();
    const swapped = inTaskFolder(root, (folder) =>
      folder.inside(['hans'], (home) => {
        renameSync(join(root, 'hans'), join(root, 'elsewhere'));
        symlinkSync(outside, join(root, 'hans'));
        home.write('issue-1.md', 'text');
        home.making(['archive'], (archive) => home.move('issue-1.md', archive, 'issue-1.md'));
        return [home.look('secret.md'), home.read('secret.md', 10), home.list(10).entries.map(({ name }) => name)];
      }),
    );
    expect(swapped).toEqual([null, null, ['archive']]);
    expect(readdirSync(outside)).toEqual(['secret.md']);
    expect(readFileSync(join(root, 'elsewhere/archive/issue-1.md'), 'utf8')).toBe('text');
  });

  test.for(['', '.', '..', 'a/b', '/etc/passwd', '../outside/secret.md', 'a\0b', 'x'.repeat(256), '€'.repeat(86)])(
    'takes no name like %j',
    (name) => {
      const { root } = ground();
      inTaskFolder(root, (folder) => {
        for (const act of [
          () => folder.inside([name], () => null),
          () => folder.making([name], () => null),
          () => folder.look(name),
          () => folder.read(name, 10),
          () => folder.write(name, ''),
          () => folder.link('hans', folder, name),
          () => folder.move(name, folder, 'x'),
          () => folder.remove(name),
        ])
          expect(act).toThrow('leaves the task folder, or is no name');
      });
    },
  );

  test('is made with what the umask leaves, and so are files', () => {
    const { root } = ground();
    const before = process.umask(0o027);
    try {
      makingTaskFolder(join(root, 'new'), (folder) => folder.making(['hans', 'done'], (done) => done.write('a', 'b')));
    } finally {
      process.umask(before);
    }
    const mode = (path: string): string => (statSync(join(root, path)).mode & 0o7777).toString(8);
    expect(['new', 'new/hans', 'new/hans/done', 'new/hans/done/a'].map(mode)).toEqual(['750', '750', '750', '640']);
  });

  test('no descriptor is left open, whatever is thrown', () => {
    const { root, outside } = ground();
    symlinkSync(outside, join(root, 'hans/link'));
    const open = (): number => readdirSync('/proc/self/fd').length;
    const before = open();
    for (let time = 0; time < 50; time += 1) {
      expect(() =>
        inTaskFolder(root, (folder) =>
          folder.making(['hans', 'a', 'b'], (deep) => {
            deep.list(1);
            deep.look('x');
            return folder.inside(['hans', 'link'], () => null);
          }),
        ),
      ).toThrow('is not a folder');
    }
    expect(open()).toBe(before);
  });
});

describe('a name in a folder', () => {
  test('reading takes regular files alone, waits for nobody, and stops at the limit', () => {
    const { root, outside } = ground();
    const hans = join(root, 'hans');
    symlinkSync(join(outside, 'secret.md'), join(hans, 'link.md'));
    execFileSync('mkfifo', [join(hans, 'pipe.md')]);
    mkdirSync(join(hans, 'folder.md'));
    writeFileSync(join(hans, 'hole.md'), '');
    truncateSync(join(hans, 'hole.md'), 1024 ** 4);
    writeFileSync(join(hans, 'issue-1.md'), 'beginning and end');
    inTaskFolder(root, (folder) =>
      folder.inside(['hans'], (home) => {
        for (const name of ['link.md', 'pipe.md', 'folder.md', 'none.md']) expect(home.read(name, 100)).toBeNull();
        expect(home.read('hole.md', 10)).toMatchObject({ text: '\0'.repeat(10), size: 1024 ** 4 });
        expect(home.read('issue-1.md', 9)).toMatchObject({ text: 'beginning', size: 17 });
        expect(home.look('link.md')?.kind).toBe('other');
        expect(home.look('pipe.md')?.kind).toBe('other');
        expect(home.look('folder.md')?.kind).toBe('folder');
      }),
    );
  });

  test('writing and moving go over nothing, a link to nothing neither', () => {
    const { root, outside } = ground();
    const hans = join(root, 'hans');
    symlinkSync(join(outside, 'planted.md'), join(hans, 'planted.md'));
    writeFileSync(join(hans, 'issue-1.md'), 'task');
    writeFileSync(join(hans, 'issue-2.md'), 'another');
    inTaskFolder(root, (folder) =>
      folder.inside(['hans'], (home) => {
        expect(() => home.write('planted.md', 'x')).toThrow(`EEXIST: file already exists, open '${hans}/planted.md'`);
        expect(home.move('issue-1.md', home, 'planted.md')).toBe('taken');
        expect(home.move('issue-1.md', home, 'issue-2.md')).toBe('taken');
        expect(home.link('issue-1.md', home, 'issue-2.md')).toBe('taken');
        expect(home.move('issue-3.md', home, 'issue-4.md')).toBe('gone');
        expect(home.move('issue-1.md', home, 'issue-4.md')).toBe('moved');
        expect(home.remove('issue-1.md')).toBe(false);
      }),
    );
    expect(existsSync(join(outside, 'planted.md'))).toBe(false);
    expect(readFileSync(join(hans, 'issue-2.md'), 'utf8')).toBe('another');
    expect(readFileSync(join(hans, 'issue-4.md'), 'utf8')).toBe('task');
  });

  test('a move that was stopped half-way is completed by the next', () => {
    const { root } = ground();
    writeFileSync(join(root, 'hans/issue-1.md'), 'task');
    mkdirSync(join(root, 'hans/archive'));
    linkSync(join(root, 'hans/issue-1.md'), join(root, 'hans/archive/issue-1.md'));
    const outcome = inTaskFolder(root, (folder) =>
      folder.inside(['hans'], (home) =>
        home.inside(['archive'], (archive) => home.move('issue-1.md', archive, 'issue-1.md')),
      ),
    );
    expect(outcome).toBe('moved');
    expect(readdirSync(join(root, 'hans'))).toEqual(['archive']);
  });

  test('folders move too, and over nothing', () => {
    const { root } = ground();
    mkdirSync(join(root, 'hans/issue-1.attachments'));
    writeFileSync(join(root, 'hans/issue-1.attachments/1-a.png'), '');
    mkdirSync(join(root, 'hans/taken'));
    inTaskFolder(root, (folder) =>
      folder.inside(['hans'], (home) => {
        expect(home.move('issue-1.attachments', home, 'taken')).toBe('taken');
        expect(home.move('issue-1.attachments', home, 'moved')).toBe('moved');
      }),
    );
    expect(readdirSync(join(root, 'hans/moved'))).toEqual(['1-a.png']);
  });

  test.runIf(CAN_BE_ANOTHER)("moves another user's file, to which link(2) gives no second name", () => {
    const { root } = ground();
    const hans = join(root, 'hans');
    writeFileSync(join(hans, 'issue-1.md'), 'copied by its agent', { mode: 0o644 });
    chmodSync(hans, 0o777);
    const outcome = asUser(4711, () =>
      inTaskFolder(root, (folder) =>
        folder.inside(['hans'], (home) => {
          expect(() => home.link('issue-1.md', home, 'x')).toThrow('no hard links');
          return home.making(['archive'], (archive) => [
            home.move('issue-1.md', archive, 'issue-1.md'),
            home.move('issue-1.md', archive, 'issue-1.md'),
          ]);
        }),
      ),
    );
    expect(outcome).toEqual(['moved', 'gone']);
    expect(readFileSync(join(hans, 'archive/issue-1.md'), 'utf8')).toBe('copied by its agent');
  });

  test.runIf(CAN_BE_ANOTHER)('what the user may not do is said with the place as people know it', () => {
    const { root } = ground();
    mkdirSync(join(root, 'hans/done'), { mode: 0o700 });
    chownSync(join(root, 'hans'), 4712, 4712);
    const tried = (work: Parameters<typeof inTaskFolder>[1]) => (): unknown =>
      asUser(4711, () => inTaskFolder(root, (folder) => folder.inside(['hans'], work)));
    expect(tried((home) => home.inside(['done'], () => null))).toThrow(
      `EACCES: permission denied, open '${root}/hans/done'`,
    );
    expect(tried((home) => home.write('issue-1.md', ''))).toThrow(
      `EACCES: permission denied, open '${root}/hans/issue-1.md'`,
    );
  });
});

describe('the entries of a folder', () => {
  test.for([
    { folder: 'an ordinary folder', count: 50, letters: 1 },
    { folder: 'one too large to be listed at once', count: 17_000, letters: 240 },
  ])('are told by their names, no more than asked for: $folder', ({ count, letters }) => {
    const { root } = ground();
    const all = Array.from({ length: count }, (_, number) => `${'x'.repeat(letters)}-${number}`);
    for (const name of all) writeFileSync(join(root, 'hans', name), '');
    const names = (most: number): readonly string[] =>
      inTaskFolder(root, (folder) => folder.inside(['hans'], (home) => home.names(most))) ?? [];
    expect(new Set(names(count + 10))).toEqual(new Set(all));
    expect(names(10)).toHaveLength(10);
  });

  test('are told with their kind, and no more than asked for', () => {
    const { root } = ground();
    for (let number = 1; number <= 50; number += 1) writeFileSync(join(root, `hans/issue-${number}.md`), '');
    mkdirSync(join(root, 'hans/done'));
    const { few, all } =
      inTaskFolder(root, (folder) => folder.inside(['hans'], (home) => ({ few: home.list(10), all: home.list(51) }))) ??
      {};
    expect(few?.entries).toHaveLength(10);
    expect(few?.isWhole).toBe(false);
    expect(all?.isWhole).toBe(true);
    expect(all?.entries.filter(({ kind }) => kind === 'folder')).toEqual([{ name: 'done', kind: 'folder' }]);
  });
});
