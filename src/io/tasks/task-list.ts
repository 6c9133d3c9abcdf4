import { lstatSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseFrontMatter } from '../../core/task/front-matter.ts';
import { fileTask, type TaskFile } from '../../core/task/status.ts';
import { isSafeFolderName } from '../../core/task/file-name.ts';
import { fileStamp, readRegularFile } from '../files.ts';

/** Every task file below the task folder that is not archived, as its front matter tells it. Links are not followed. */
export function listTaskFiles(tasksDirectory: string): readonly TaskFile[] {
  return pathsByAgent(tasksDirectory).map(([agent, path]) => describe(tasksDirectory, agent, path));
}

export interface TaskIndex {
  /** A text that is another one when a file came, went, or was renamed. */
  readonly fingerprint: () => string;
  /** The same as `listTaskFiles`; only files that are new or were changed are read again. */
  readonly list: () => readonly TaskFile[];
}

/** Knows the task files of a folder, for a reader that stays. */
export function indexTaskFiles(tasksDirectory: string): TaskIndex {
  let folders: readonly string[] = [tasksDirectory];
  let known = new Map<string, { readonly stamp: string; readonly file: TaskFile }>();
  return {
    fingerprint: () => folders.map((folder) => fileStamp(folder)).join(' '),
    list: () => {
      const seen = [tasksDirectory];
      const entries = pathsByAgent(tasksDirectory, (folder) => seen.push(folder)).map(([agent, path]) => {
        const stamp = fileStamp(path);
        const before = known.get(path);
        return before?.stamp === stamp ? before : { stamp, file: describe(tasksDirectory, agent, path) };
      });
      folders = seen;
      known = new Map(entries.map((entry) => [entry.file.task.file, entry]));
      return entries.map(({ file }) => file);
    },
  };
}

/**
 * The absolute paths of all task files below a folder, but not in folders of the names to skip, and without the news
 * beside them unless they are wanted. Links are not followed.
 */
export function taskPathsBelow(
  folder: string,
  skip: readonly string[],
  onFolder?: (folder: string) => void,
  withUpdates = false,
): readonly string[] {
  onFolder?.(folder);
  return entriesOf(folder).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory())
      return skip.includes(entry.name) || entry.name.endsWith('.attachments')
        ? []
        : taskPathsBelow(path, skip, onFolder, withUpdates);
    return /^[^.].*\.md$/u.test(entry.name) && (withUpdates || !/\.update-\d+\.md$/u.test(entry.name)) ? [path] : [];
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

function pathsByAgent(tasksDirectory: string, onFolder?: (folder: string) => void): [agent: string, path: string][] {
  return foldersIn(tasksDirectory)
    .filter(isSafeFolderName)
    .flatMap((agent) =>
      taskPathsBelow(join(tasksDirectory, agent), ['archive'], onFolder).map((path): [string, string] => [agent, path]),
    );
}

function describe(tasksDirectory: string, agent: string, path: string): TaskFile {
  const isDone = relative(join(tasksDirectory, agent), path).split('/').includes('done');
  return { agent, task: fileTask(path, isDone, parseFrontMatter(readBeginning(path) ?? '') ?? new Map()) };
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
