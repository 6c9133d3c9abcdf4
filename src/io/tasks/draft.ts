// A task file appears complete or not at all: it is written under a name that nobody looks for, and then has its own.

import { join } from 'node:path';
import { STAGE_FOLDERS } from '../../core/mailbox/place.ts';
import { isSafeFolderName } from '../../core/task/file-name.ts';
import { moveToArchive } from './archive.ts';
import { type Folder, makingTaskFolder, unsafe } from './ground.ts';
import { forgetIndexed } from './survey.ts';
import { wakeWorker } from './wake.ts';

/** A task file that is written but not yet visible under its name. */
export interface Draft {
  readonly path: string;
  /** Makes it visible. An existing file is kept: in the way, or with `replace` moved to `archive/`. */
  readonly publish: (
    replace: boolean,
  ) => { readonly kind: 'published'; readonly archived: string | null } | { readonly kind: 'already-there' };
  /** Removes what is not wanted any more. Never throws: what cannot be removed goes before the next draft of the same file. */
  readonly discard: () => void;
}

/** Writes a task's text beside its place, `path` below its agent's folder. `random`: a fresh word that nobody can guess. */
export function draftTask(tasksDirectory: string, agent: string, path: string, text: string, random: string): Draft {
  if (!isSafeFolderName(agent)) throw unsafe(join(tasksDirectory, agent), 'leaves the task folder');
  const [name = '', ...folders] = path.split('/').toReversed();
  // Opened anew for each step: between them, its agent may have moved everything.
  const inPlace = <T>(work: (folder: Folder, home: Folder) => T): T =>
    makingTaskFolder(tasksDirectory, (root) =>
      root.making([agent], (home) => home.making(folders.toReversed(), (folder) => work(folder, home))),
    );
  const draft = `.${name}.${random}.tmp`;
  inPlace((folder) => {
    removeLeftovers(folder, name);
    try {
      folder.write(draft, text);
    } catch (error) {
      folder.remove(draft); // what fits on a full disk
      throw error;
    }
  });
  return {
    path: join(tasksDirectory, agent, path),
    publish: (replace) =>
      inPlace((folder, home) => {
        const archived = replace && folder.look(name) ? moveToArchive(home, folder, name, path) : null;
        const outcome = folder.link(draft, folder, name);
        folder.remove(draft);
        if (outcome === 'taken') return { kind: 'already-there' };
        folder.sync();
        prepareForWork(home, folders.toReversed(), path);
        return { kind: 'published', archived };
      }),
    discard: () => {
      try {
        inPlace((folder) => folder.remove(draft));
      } catch {
        // Its agent has another thing there by now.
      }
    },
  };
}

// What a worker waits for; and where others share the folder, those that the task is moved to: made by plain mkdir, under
// another umask, they would be their maker's alone. The task is out: whatever fails now is no reason to say that it is not.
function prepareForWork(home: Folder, folders: readonly string[], path: string): void {
  try {
    forgetIndexed(home, path);
    if (home.isShared()) for (const stage of STAGE_FOLDERS) home.making([stage, ...folders], () => undefined);
    wakeWorker(home);
  } catch {
    // Its agent put something else there; the next command of the agent's says so.
  }
}

// Drafts of this very file that a killed pass left behind. The lock is held: no other pass is writing one.
function removeLeftovers(folder: Folder, name: string): void {
  for (const { name: other, kind } of folder.list(MOST_LEFTOVERS).entries)
    if (kind !== 'folder' && other.startsWith(`.${name}.`) && other.endsWith('.tmp')) folder.remove(other);
}

const MOST_LEFTOVERS = 10_000;
