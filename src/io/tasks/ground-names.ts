// The calls by which names in the task folder are given, moved and taken away, each by a place that ground.ts made. Nothing is
// put over what is there already, but where that is meant.

import { linkSync, lstatSync, renameSync, unlinkSync } from 'node:fs';
import { EXIT, systemCode, UserError } from '../../core/errors.ts';

/** Where link(2) answers so, the name may still be moved: another's file (protected_hardlinks), a folder, no hard links. */
const REFUSED = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/** Gives a file the name of another one, which is gone then. */
export function replaced(place: string, target: string): void {
  renameSync(place, target);
}

/** Gives a file a second name unless that is taken. `path`: what people call the second name. Throws exit 1 where there are no hard links. */
export function linked(place: string, target: string, path: string): 'linked' | 'taken' {
  try {
    linkSync(place, target);
    return 'linked';
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return 'taken';
    if (!REFUSED.has(systemCode(error))) throw error;
    throw new UserError(`${path} cannot be published: the file system seems to have no hard links`, {
      exitCode: EXIT.failure,
      code: 'no_hard_links',
      hint: 'put the workspace on a Linux file system such as ext4, xfs or btrfs; without links a file could not appear at once and never over another',
      cause: error,
    });
  }
}

/** Moves what has that name, over nothing. The new name is on the disk before the old one goes. */
export function moved(place: string, target: string, syncTarget: () => void): 'moved' | 'taken' | 'gone' {
  try {
    linkSync(place, target);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT') return 'gone';
    // Killed before its old name went, a file has both.
    if (code === 'EEXIST' && !isSame(place, target)) return 'taken';
    if (REFUSED.has(code)) {
      const outcome = renamedUnlessTaken(place, target);
      syncTarget();
      return outcome;
    }
    if (code !== 'EEXIST') throw error;
  }
  syncTarget();
  removed(place);
  return 'moved';
}

/** Moves what has that name by one rename, over nothing that was there just before. */
export function renamedUnlessTaken(place: string, target: string): 'moved' | 'taken' | 'gone' {
  // Who takes the name between the look and the move is its folder's owner, and loses what is his own.
  if (lstatSync(target, { throwIfNoEntry: false })) return 'taken';
  try {
    renameSync(place, target);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 'gone';
    throw error;
  }
  return 'moved';
}

function isSame(place: string, other: string): boolean {
  const [a, b] = [place, other].map((each) => lstatSync(each, { throwIfNoEntry: false }));
  return a !== undefined && b !== undefined && a.ino === b.ino && a.dev === b.dev;
}

/** Takes a name away; false when there was none. */
export function removed(place: string): boolean {
  try {
    unlinkSync(place);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}
