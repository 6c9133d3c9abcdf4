// What happens to a task file after its dispatch: found where it is now, moved to archive/, or given news beside it.

import { renameSync, unlinkSync } from 'node:fs';
import { basename, dirname, extname, join, relative, sep } from 'node:path';
import type { Config } from '../../core/config/config.ts';
import { type TrackedTask, trackedRef } from '../../core/task/tracked.ts';
import { linkUnlessTaken, syncFolder, writeNewFile } from '../files.ts';
import { donePlaces } from './folder.ts';
import { exists, makeFoldersBelow, moveToArchive } from './names.ts';
import { taskPathsBelow } from './task-list.ts';

type Place = Pick<Config, 'tasksDirectory'>;

/** Where a dispatched task's file is: in the agent's folder, in `done/`, or nowhere any more (null). */
export function whereIs(config: Place, task: TrackedTask): 'dispatched' | 'done' | null {
  if (exists(task.file)) return 'dispatched';
  return doneFile(config, task) === undefined ? null : 'done';
}

/** Moves a task's file, wherever it is, and the news beside it to `archive/`. Null: it is gone, and nothing was moved. */
export function archiveTask(config: Place, task: TrackedTask): { readonly from: string; readonly to: string } | null {
  const places = [...(exists(task.file) ? [task.file] : []), doneFile(config, task)];
  const [from, other] = places.filter((path) => path !== undefined);
  if (from === undefined) return null;
  const home = join(config.tasksDirectory, task.agent);
  const to = moveToArchive(home, from, relative(home, task.file));
  // Forced again after it was done: the finished file goes along, or a reopened issue would count as done.
  if (other !== undefined) moveToArchive(home, other, relative(home, task.file));
  for (const update of updatesOf(task)) moveToArchive(home, update, relative(home, update));
  moveAttachments(task, to);
  return { from, to };
}

/** Writes news beside a task's place as `issue-5.update-1.md`, complete or not at all and over nothing; answers the path. */
export function writeUpdate(config: Place, task: TrackedTask, text: string, random: string): string {
  const folder = dirname(task.file);
  const stem = task.file.slice(0, -extname(task.file).length);
  makeFoldersBelow(config.tasksDirectory, relative(config.tasksDirectory, folder).split(sep));
  const draft = join(folder, `.${basename(stem)}.update.${random}.tmp`);
  writeNewFile(draft, text);
  try {
    for (let number = task.updates + 1; ; number += 1) {
      const path = `${stem}.update-${number}.md`;
      if (linkUnlessTaken(draft, path) === 'linked') return path;
    }
  } finally {
    unlinkSync(draft);
    syncFolder(folder);
  }
}

// With the number that its task got there, so that the two stay together.
function moveAttachments({ file }: TrackedTask, archived: string): void {
  const from = `${file.slice(0, -extname(file).length)}.attachments`;
  const to = `${archived.slice(0, -extname(archived).length)}.attachments`;
  if (exists(from) && !exists(to)) renameSync(from, to);
}

function doneFile(config: Place, task: TrackedTask): string | undefined {
  const home = join(config.tasksDirectory, task.agent);
  return donePlaces(home, relative(home, task.file), trackedRef(task)).find((path) => exists(path));
}

function updatesOf({ file }: TrackedTask): readonly string[] {
  const stem = `${file.slice(0, -extname(file).length)}.update-`;
  return taskPathsBelow(dirname(file), ['done', 'archive'], undefined, true).filter((path) => path.startsWith(stem));
}
