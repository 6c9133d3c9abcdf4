// Who may do what in the state folder. What the next pass obeys is the dispatcher's alone. What was done and decided is
// published there for readers: the group reads it, where the folder lets it in, and needs no write access for that. An
// earlier version, a hand or a umask may have left more open than that.

import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { giveMode, GROUP_READS, NOBODY_ELSE } from '../files.ts';

/** What nobody but the dispatcher has to read; a broken state is kept under a longer name. */
const OWN = /^(?:state\.json|trying\.json|lock|listing)(?:\.|$)/u;
const PUBLISHED = { folder: 0o750, file: GROUP_READS };
const PRIVATE = { folder: 0o700, file: NOBODY_ELSE };
/** The state folder has folders with files, and no deeper ones. */
const DEEPEST = 2;

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;

/**
 * Takes away what others may do in a state folder beyond reading what is published. Costs two looks where all is well: a
 * state file that others may read is one that an earlier version wrote.
 */
export function shutStateFolder(stateDirectory: string): void {
  const isOpen =
    isWider(stateDirectory, PUBLISHED.folder) ||
    isWider(join(stateDirectory, 'state.json'), NOBODY_ELSE) ||
    isWider(join(stateDirectory, 'lock'), NOBODY_ELSE);
  if (isOpen) shut(stateDirectory, PUBLISHED, 0);
}

/** The same for the log: its group reads. */
export function shutLog(logFile: string): void {
  if (isWider(logFile, GROUP_READS)) narrow(logFile, PUBLISHED);
}

function isWider(path: string, mode: number): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat !== undefined && (stat.mode & 0o777 & ~mode) !== 0;
}

// The folder first: from then on nobody else can put something there under a name that we are about to open.
function shut(path: string, rights: typeof PUBLISHED, depth: number): void {
  const isFolder = narrow(path, rights);
  if (!isFolder || depth === DEEPEST) return;
  for (const name of readdirSync(path)) {
    shut(join(path, name), depth === 0 && OWN.test(name) ? PRIVATE : rights, depth + 1);
  }
}

// Answers whether it is a folder. By descriptor, and only what is ours: a second name may be that of another file.
function narrow(path: string, { folder, file }: typeof PUBLISHED): boolean {
  let handle: number;
  try {
    handle = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch {
    // A link, a socket, somebody else's, or gone: nothing that a pass reads as its own.
    return false;
  }
  try {
    const stat = fstatSync(handle);
    const isFolder = stat.isDirectory();
    const isOwn = stat.uid === process.geteuid?.() && (isFolder || (stat.isFile() && stat.nlink === 1));
    if (isOwn) giveMode(handle, stat, stat.mode & (isFolder ? folder : file));
    return isFolder;
  } finally {
    closeSync(handle);
  }
}
