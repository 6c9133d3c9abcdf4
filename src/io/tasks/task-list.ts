import { lstatSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseFrontMatter } from '../../core/front-matter.ts';
import type { TaskFile } from '../../core/snapshot.ts';
import { isSafeFolderName } from '../../core/task-file.ts';
import { readRegularFile } from '../files.ts';

/** Every task file below the task folder that is not archived, as its front matter tells it. Links are not followed. */
export function listTaskFiles(tasksDirectory: string): readonly TaskFile[] {
  return foldersIn(tasksDirectory)
    .filter(isSafeFolderName)
    .flatMap((agent) =>
      taskPathsBelow(join(tasksDirectory, agent), ['archive']).map((path) => describe(tasksDirectory, agent, path)),
    );
}

/** The absolute paths of all task files below a folder, but not in folders of the names to skip. Links are not followed. */
export function taskPathsBelow(folder: string, skip: readonly string[]): readonly string[] {
  return entriesOf(folder).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return skip.includes(entry.name) ? [] : taskPathsBelow(path, skip);
    return /^[^.].*\.md$/u.test(entry.name) && !/\.update-\d+\.md$/u.test(entry.name) ? [path] : [];
  });
}

/** The first 16 kB of a regular file, enough for its front matter; undefined when it cannot be read. */
export function readBeginning(path: string): string | undefined {
  try {
    return lstatSync(path).isFile() ? readRegularFile(path, 16_384) : undefined;
  } catch {
    return undefined;
  }
}

function describe(tasksDirectory: string, agent: string, path: string): TaskFile {
  const fields = parseFrontMatter(readBeginning(path) ?? '');
  return {
    agent,
    file: path,
    done: relative(join(tasksDirectory, agent), path).split('/').includes('done'),
    fields: fields ?? new Map(),
  };
}

function foldersIn(folder: string): string[] {
  return entriesOf(folder).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
}

// A folder that is not there, or may not be read, has nothing to show.
function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
