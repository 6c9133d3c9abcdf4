// What happens to a task file after its dispatch: moved to archive/, wherever it is by then, or given news beside it.

import { extname, join } from 'node:path';
import { ARCHIVE, isClaim, isCompanion, pathIn, STAGES } from '../../core/mailbox/place.ts';
import type { TrackedTask } from '../../core/task/tracked.ts';
import { type Folder, inTaskFolder, makingTaskFolder } from './ground.ts';
import type { Sought } from './inventory.ts';

/** Moves a task's files and what belongs to them to `archive/`. Null: there is no file; what belonged to it is moved all the same. */
export function archiveTask(
  tasksDirectory: string,
  agent: string,
  task: Sought,
  files: readonly { readonly path: string }[],
): { readonly from: string; readonly to: string } | null {
  return inTaskFolder(tasksDirectory, (root) =>
    root.inside([agent], (home) => {
      let first: { readonly from: string; readonly to: string } | null = null;
      // Forced again after it was done: the finished file goes along, or a reopened issue would count as done.
      for (const { path } of files) {
        const [name, folders] = split(path);
        home.inside(folders, (folder) => {
          const to = moveToArchive(home, folder, name, task.name);
          if (to !== null) first ??= { from: join(home.path, path), to };
          if (to !== null) moveCompanions(home, folder, name, to);
        });
      }
      // What belongs to it stays behind when an agent moves the task alone, or deletes it: the next one of that name would get it.
      for (const stage of STAGES) {
        const [name, folders] = split(pathIn(stage, task.name));
        home.inside(folders, (folder) => moveCompanions(home, folder, name, join(home.path, ARCHIVE, task.name)));
      }
      return first;
    }),
  );
}

/** Moves a file into `archive/` below an agent's folder, under its name there or, when that is taken, with a number. Null: it is gone. */
export function moveToArchive(home: Folder, folder: Folder, name: string, nameThere: string): string | null {
  const [last, folders] = split(nameThere);
  return home.making([ARCHIVE, ...folders], (archive) => {
    for (let number = 1; ; number += 1) {
      const target = number === 1 ? last : `${stemOf(last)}.${number}${extname(last)}`;
      const outcome = folder.move(name, archive, target);
      if (outcome === 'gone') return null;
      if (outcome === 'moved') return join(archive.path, target);
    }
  });
}

/** Writes news beside a task as `issue-5.update-1.md`, complete or not at all and over nothing; answers the path. */
export function writeUpdate(
  tasksDirectory: string,
  { agent, updates }: Pick<TrackedTask, 'agent' | 'updates'>,
  path: string,
  text: string,
  random: string,
): string {
  const [name, folders] = split(path);
  return makingTaskFolder(tasksDirectory, (root) =>
    root.making([agent, ...folders], (folder) => {
      const draft = `.${stemOf(name)}.update.${random}.tmp`;
      folder.write(draft, text);
      try {
        for (let number = updates + 1; ; number += 1) {
          const update = `${stemOf(name)}.update-${number}.md`;
          if (folder.link(draft, folder, update) === 'linked') return join(folder.path, update);
        }
      } finally {
        folder.remove(draft);
        folder.sync();
      }
    }),
  );
}

/** More than this nobody writes beside one task. */
const MOST_BESIDE = 10_000;

// With the number that its task got there, so that they stay together.
function moveCompanions(home: Folder, folder: Folder, name: string, archived: string): void {
  const stem = stemOf(name);
  const path = archived.slice(join(home.path, ARCHIVE).length + 1);
  for (const { name: other } of folder.list(MOST_BESIDE).entries) {
    const ending = other.slice(stem.length);
    if (isCompanion(other, name)) moveToArchive(home, folder, other, stemOf(path) + ending);
    else if (isClaim(other, name)) folder.remove(other);
  }
}

function split(path: string): readonly [name: string, folders: readonly string[]] {
  const names = path.split('/');
  return [names.at(-1) ?? '', names.slice(0, -1)];
}

function stemOf(name: string): string {
  return name.slice(0, name.length - extname(name).length);
}
