// The task folder: <workspace>/.agent-tasks/<agent>/issue-5.md, with done/ and archive/ beside it. Files appear here
// complete or not at all, and nothing here is ever overwritten or deleted.

import { lstatSync, readdirSync, rmSync, unlinkSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import type { Candidate } from '../../core/issue/candidate.ts';
import type { Config } from '../../core/config/config.ts';
import { refOf } from '../../core/issue/issue.ts';
import { parseFrontMatter } from '../../core/task/front-matter.ts';
import { isSafeFolderName, taskFileName } from '../../core/task/file-name.ts';
import { unsafe } from './ground.ts';
import { exists, isFolder, makeFoldersBelow, moveToArchive } from './names.ts';
import { createFolders, linkUnlessTaken, syncFolder, writeNewFile } from '../files.ts';
import { readBeginning, taskPathsBelow } from './task-list.ts';

type Place = Pick<Config, 'tasksDirectory' | 'taskFile'>;

/** The absolute path of a candidate's task file. */
export function taskPath(config: Place, candidate: Pick<Candidate, 'agent' | 'issue'>): string {
  return join(config.tasksDirectory, candidate.agent, taskFileName(config, candidate.issue));
}

/** Whether the agent has the task's file already, or has moved it to `done/`. Anything of that name counts. */
export function findExisting(config: Place, candidate: Candidate): 'dispatched' | 'done' | null {
  const home = join(config.tasksDirectory, candidate.agent);
  const name = taskFileName(config, candidate.issue);
  if (exists(join(home, name))) return 'dispatched';
  return donePlaces(home, name, refOf(candidate.issue)).some((path) => exists(path)) ? 'done' : null;
}

/** Where an agent may have moved the finished file of that name. */
export function donePlaces(home: string, name: string, ref: string): readonly string[] {
  const place = join(home, 'done', name);
  if (basename(name) === name) return [place];
  // With a folder for each repository, it may be the nearest done/ or the agent's own, without the folders.
  const flat = [join(home, dirname(name), 'done', basename(name)), join(home, 'done', basename(name))];
  return [place, ...flat.filter((path) => belongsTo(path, ref))];
}

/** How many task files an agent has that are neither done nor archived. */
export function countOpenTasks(config: Place, agent: string): number {
  return taskPathsBelow(join(config.tasksDirectory, agent), ['done', 'archive']).length;
}

/** When the newest task file of all agents appeared (epoch milliseconds), or null when there is none. */
export function newestTaskTime(config: Place): number | null {
  // The change time: unlike the modification time only the kernel sets it, and linking the name does.
  const times = taskPathsBelow(config.tasksDirectory, []).map(
    (path) => lstatSync(path, { throwIfNoEntry: false })?.ctimeMs ?? 0,
  );
  return times.reduce((newest, time) => Math.max(newest, time), 0) || null;
}

/** Throws exit 1 when something on the way to a candidate's task file is a link, or is no folder. Writes nothing. */
export function checkWay(config: Place, candidate: Candidate): void {
  const path = taskPath(config, candidate);
  const below = relative(config.tasksDirectory, dirname(path)).split(sep);
  if (!isSafeFolderName(candidate.agent) || below.includes('..')) throw unsafe(path, 'leaves the task folder');
  let folder = config.tasksDirectory;
  // Whoever sets it up may make the task folder itself a link, but not to nothing.
  if (exists(folder) && !isFolder(folder)) throw unsafe(folder, 'is not a folder');
  for (const name of below) {
    folder = join(folder, name);
    const found = lstatSync(folder, { throwIfNoEntry: false });
    if (!found) return;
    if (!found.isDirectory()) throw unsafe(folder, 'is not a folder');
  }
}

/** A task file that is written but not yet visible under its name. */
export interface Draft {
  readonly path: string;
  /** Makes it visible. An existing file is kept: in the way, or with `replace` moved to `archive/`. */
  readonly publish: (
    replace: boolean,
  ) => { readonly kind: 'published'; readonly archived: string | null } | { readonly kind: 'already-there' };
  readonly discard: () => void;
}

/** Writes the text beside its final place. Throws exit 1 when a folder on the way is a link or not a folder. */
export function draftTask(config: Place, candidate: Candidate, text: string, random: string): Draft {
  const path = taskPath(config, candidate);
  checkWay(config, candidate);
  createFolders(config.tasksDirectory);
  makeFoldersBelow(config.tasksDirectory, relative(config.tasksDirectory, dirname(path)).split(sep));
  const folder = dirname(path);
  const draft = join(folder, `.${basename(path)}.${random}.tmp`);
  removeLeftovers(folder, basename(path));
  try {
    writeNewFile(draft, text);
  } catch (error) {
    rmSync(draft, { force: true }); // what fits on a full disk
    throw error;
  }
  return {
    path,
    publish: (replace) => {
      const archived =
        replace && exists(path)
          ? moveToArchive(join(config.tasksDirectory, candidate.agent), path, taskFileName(config, candidate.issue))
          : null;
      const outcome = linkUnlessTaken(draft, path);
      unlinkSync(draft);
      if (outcome === 'taken') return { kind: 'already-there' };
      syncFolder(folder);
      return { kind: 'published', archived };
    },
    discard: () => unlinkSync(draft),
  };
}

// Drafts of this very file that a killed pass left behind. The lock is held: no other pass is writing one.
function removeLeftovers(folder: string, name: string): void {
  for (const entry of readdirSync(folder)) {
    if (entry.startsWith(`.${name}.`) && entry.endsWith('.tmp')) unlinkSync(join(folder, entry));
  }
}

function belongsTo(path: string, ref: string): boolean {
  return exists(path) && parseFrontMatter(readBeginning(path) ?? '')?.get('ref') === ref;
}
