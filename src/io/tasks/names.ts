// Names in the task folder: whether one is taken, how folders come to be, and how a file leaves for the archive.

import { lstatSync, mkdirSync, statSync, unlinkSync } from 'node:fs';
import { dirname, extname, join, sep } from 'node:path';
import { systemCode } from '../../core/errors.ts';
import { linkUnlessTaken, syncFolder } from '../files.ts';
import { unsafe } from './ground.ts';

/** Whether anything has that name, a broken link too. */
export function exists(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    // Something on the way is no folder. Whoever writes there says so.
    if (systemCode(error) === 'ENOTDIR' || systemCode(error) === 'ELOOP') return false;
    throw error;
  }
}

/** Whether there is a folder, or a link to one. */
export function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** Makes folders one below the other, each looked at: a link could lead out of the task folder. */
export function makeFoldersBelow(root: string, names: readonly string[]): void {
  let folder = root;
  for (const name of names) {
    folder = join(folder, name);
    try {
      mkdirSync(folder);
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
      if (!lstatSync(folder).isDirectory()) throw unsafe(folder, 'is not a folder');
    }
  }
}

/** Moves a file into `archive/` below an agent's folder, under its name there or, when that is taken, with a number. */
export function moveToArchive(home: string, path: string, nameThere: string): string {
  const name = join('archive', nameThere);
  makeFoldersBelow(home, dirname(name).split(sep));
  for (let number = 1; ; number += 1) {
    const suffix = extname(name);
    const target = join(home, number === 1 ? name : `${name.slice(0, -suffix.length)}.${number}${suffix}`);
    // A second name first, then the old one goes: at no moment is the file without a name. Killed in between it has both.
    if (linkUnlessTaken(path, target) === 'linked' || isSameFile(path, target)) {
      syncFolder(dirname(target));
      unlinkSync(path);
      return target;
    }
  }
}

function isSameFile(path: string, other: string): boolean {
  const [a, b] = [lstatSync(path), lstatSync(other)];
  return a.ino === b.ino && a.dev === b.dev;
}
