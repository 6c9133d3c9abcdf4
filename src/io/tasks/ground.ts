// The ground of the task folder, which others may change at any moment: agents own what lies here. So nothing below it is
// touched by a path that could lead elsewhere. Folders are opened one name at a time, following no link, and worked in by
// their descriptor: whatever is renamed, or swapped against a link, meanwhile, an opened folder stays the same folder.
// Nothing else in src/io/tasks may call the file system: the linter holds that.

import { closeSync, constants, lstatSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EXIT, systemCode, UserError } from '../../core/errors.ts';
import { shellWord } from '../../core/shell-word.ts';
import { createFolders } from '../files.ts';
import { named, naming } from '../naming.ts';
import {
  type Beginning,
  beginning,
  createNew,
  isShared,
  isWritable,
  type Listed,
  listed,
  type Look,
  looked,
  makeFolder,
  namesIn,
  sharedIn,
  syncNames,
  writeNew,
} from './ground-calls.ts';
import { linked, moved, removed, renamedUnlessTaken, replaced } from './ground-names.ts';

/** An opened folder. Names are names in it, never paths; what else could be one is refused with exit 1. */
export interface Folder {
  /** What it was called when it was opened: for people and records. */
  readonly path: string;
  /** Opens a folder below it for as long as `work` takes. Null: it is not there. Throws exit 1 for a link, or what is no folder. */
  readonly inside: <T>(names: readonly string[], work: (folder: Folder) => T) => T | null;
  /** The same; folders that are not there are made. */
  readonly making: <T>(names: readonly string[], work: (folder: Folder) => T) => T;
  /** Its entries, at most so many; `isWhole` false: there are more. */
  readonly list: (most: number) => Listed;
  /** Its names, at most so many: without their kinds, which cost as much again. */
  readonly names: (most: number) => readonly string[];
  /** What has that name; null: nothing. A link is not followed. */
  readonly look: (name: string) => Look | null;
  /** The beginning of a regular file, at most so many bytes. Null: there is none of that name. */
  readonly read: (name: string, most: number) => Beginning | null;
  /** Writes a file that must not be there yet (EEXIST), and waits until it is on the disk. */
  readonly write: (name: string, content: string | Buffer) => void;
  /** Gives a file a second name unless that is taken. Throws exit 1 where the file system has no hard links. */
  readonly link: (name: string, to: Folder, nameThere: string) => 'linked' | 'taken';
  /** Moves what has that name, over nothing. The new name is on the disk before the old one goes. */
  readonly move: (name: string, to: Folder, nameThere: string) => 'moved' | 'taken' | 'gone';
  /** Moves it by one rename, so that killed anywhere it has one name. Nothing is known to have the new name just before. */
  readonly rename: (name: string, to: Folder, nameThere: string) => 'moved' | 'taken' | 'gone';
  /** Writes a file at once in place of the one of that name: a reader sees the old text or the new one. */
  readonly replace: (name: string, content: string) => void;
  /** The same for what can be made again: a power cut may cost it. */
  readonly replaceCache: (name: string, content: string) => void;
  /** Makes a file that must not be there yet, to be written to; the caller closes its descriptor. */
  readonly create: (name: string) => number;
  /** Takes a name away; false when there was none. */
  readonly remove: (name: string) => boolean;
  /** Another text when a name in it came, went or changed. */
  readonly stamp: () => string;
  /** Whether its group may do there what its owner may, also in what is new. */
  readonly isShared: () => boolean;
  /** Whether this user may write there. */
  readonly mayWrite: () => boolean;
  /** Makes the names in it survive a power cut. */
  readonly sync: () => void;
  /** Where the kernel finds a name in this very folder. For `link` and `move` between two of them. */
  readonly place: (name: string) => string;
}

/** Opens the task folder for as long as `work` takes; null: it is not there. It may be a link itself: its owner says where it is. */
export function inTaskFolder<T>(tasksDirectory: string, work: (folder: Folder) => T): T | null {
  const handle = opened(tasksDirectory, tasksDirectory, 0);
  if (handle !== null) return during(handle, tasksDirectory, work);
  if (lstatSync(tasksDirectory, { throwIfNoEntry: false })) throw unsafe(tasksDirectory, 'is not a folder');
  return null;
}

/** The same; it is made when it is not there. */
export function makingTaskFolder<T>(tasksDirectory: string, work: (folder: Folder) => T): T {
  const above = dirname(tasksDirectory);
  // An office that its owner shares with a group has agents in that group, which make their folders' contents their own.
  sharedIn(above, () => createFolders(tasksDirectory, isShared(above) ? 0o775 : 0o755));
  const handle = opened(tasksDirectory, tasksDirectory, 0);
  if (handle === null) throw unsafe(tasksDirectory, 'was taken away again');
  return during(handle, tasksDirectory, work);
}

/** The error for a place that is not as it must be. */
export function unsafe(path: string, why: string): UserError {
  return new UserError(`${path} ${why}; no task file is written there`, {
    exitCode: EXIT.failure,
    code: 'unsafe_path',
    hint: `look at what it is, and move it away: mv ${shellWord(path)} ${shellWord(`${path}.away`)}`,
  });
}

const { O_RDONLY, O_NOFOLLOW, O_DIRECTORY } = constants;
const LONGEST_NAME = 255;

function folderOf(handle: number, path: string): Folder {
  const self = `/proc/self/fd/${handle}`;
  const place = (name: string): string => `${self}/${checked(path, name)}`;
  // Errors name the place as people know it.
  const at = <T>(name: string, work: (place: string) => T): T => naming(join(path, name), () => work(place(name)));
  const replace = (name: string, content: string, isAwaited: boolean): void => {
    const draft = `.${name}.${process.pid}.tmp`;
    at(draft, (there) => {
      removed(there);
      writeNew(there, content, isAwaited);
    });
    at(name, (there) => replaced(place(draft), there));
  };
  return {
    path,
    place,
    inside: ([name, ...rest], work) => {
      if (name === undefined) return work(folderOf(handle, path));
      const below = opened(place(name), join(path, name), O_NOFOLLOW);
      return below === null ? null : during(below, join(path, name), (folder) => folder.inside(rest, work));
    },
    making: ([name, ...rest], work) => {
      if (name === undefined) return work(folderOf(handle, path));
      const below = join(path, name);
      at(name, (there) => makeFolder(there));
      const made = opened(place(name), below, O_NOFOLLOW);
      if (made === null) throw unsafe(below, 'was taken away again');
      return during(made, below, (folder) => folder.making(rest, work));
    },
    list: (most) => naming(path, () => listed(self, most)),
    names: (most) => naming(path, () => namesIn(self, most)),
    look: (name) => at(name, looked),
    read: (name, most) => at(name, (there) => beginning(there, most)),
    write: (name, content) => at(name, (there) => writeNew(there, content)),
    link: (name, to, nameThere) => at(name, (there) => linked(there, to.place(nameThere), join(to.path, nameThere))),
    move: (name, to, nameThere) => at(name, (there) => moved(there, to.place(nameThere), to.sync)),
    rename: (name, to, nameThere) => at(name, (there) => renamedUnlessTaken(there, to.place(nameThere))),
    replace: (name, content) => replace(name, content, true),
    replaceCache: (name, content) => replace(name, content, false),
    create: (name) => at(name, createNew),
    remove: (name) => at(name, removed),
    stamp: () => naming(path, () => looked(`${self}/.`)?.stamp ?? '-'),
    isShared: () => naming(path, () => isShared(`${self}/.`)),
    mayWrite: () => isWritable(`${self}/.`),
    sync: () => naming(path, () => syncNames(handle)),
  };
}

function checked(path: string, name: string): string {
  const isName = name !== '' && name !== '.' && name !== '..' && !/[/\0]/u.test(name);
  if (isName && Buffer.byteLength(name) <= LONGEST_NAME) return name;
  throw unsafe(`${path}/${name.slice(0, LONGEST_NAME).replaceAll('\0', '')}`, 'leaves the task folder, or is no name');
}

// Null: there is nothing of that name.
function opened(place: string, path: string, follow: number): number | null {
  let handle: number;
  try {
    // A pipe or a device is no folder, and is not waited for.
    handle = openSync(place, O_RDONLY | O_DIRECTORY | follow);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    if (systemCode(error) === 'ENOTDIR' || systemCode(error) === 'ELOOP') throw unsafe(path, 'is not a folder');
    throw named(error, path);
  }
  // Without /proc nothing would be found in it, and every task would seem to be gone.
  if (lstatSync(`/proc/self/fd/${handle}`, { throwIfNoEntry: false })) return handle;
  closeSync(handle);
  throw new UserError('/proc is not mounted; the task folder is worked in by its means', {
    exitCode: EXIT.failure,
    code: 'no_proc',
    hint: 'mount it: mount -t proc proc /proc',
  });
}

function during<T>(handle: number, path: string, work: (folder: Folder) => T): T {
  try {
    return work(folderOf(handle, path));
  } finally {
    closeSync(handle);
  }
}
