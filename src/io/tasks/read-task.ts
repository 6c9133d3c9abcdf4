import { join } from 'node:path';
import { systemCode, UserError } from '../../core/errors.ts';
import { holdsNoTasks, isSafeFolderName } from '../../core/task/file-name.ts';
import { inTaskFolder } from './ground.ts';

export interface TaskText {
  /** Absolute path. */
  readonly path: string;
  readonly text: string;
  /** How many bytes are not in `text`. */
  readonly cut: number;
}

const LIMIT = 1024 * 1024;
// A repository may be called `.github`.
const SEGMENT = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,200}$/u;

/**
 * Reads the task file of an agent at a path below its folder, such as `done/issue-5.md`. Null for everything else: what
 * does not exist, is no Markdown file, lies where no tasks are, is or lies behind a link, or leaves the folder.
 */
export function readTask(tasksDirectory: string, agent: string, file: string): TaskText | null {
  const segments = file.split('/');
  if (!isSafeFolderName(agent) || !segments.every((name) => SEGMENT.test(name))) return null;
  if (!/^[^.].*\.md$/u.test(segments.at(-1) ?? '')) return null;
  const name = segments.pop() ?? '';
  // What somebody attached would be shown in our own voice.
  if (segments.some(holdsNoTasks)) return null;
  try {
    const found = inTaskFolder(tasksDirectory, (root) =>
      root.inside([agent, ...segments], (folder) => folder.read(name, LIMIT)),
    );
    const path = join(tasksDirectory, agent, ...segments, name);
    return found && { path, text: found.text, cut: Math.max(0, found.size - LIMIT) };
  } catch (error) {
    // A link, or what is no folder, on the way; a folder or file that is not for this user.
    if (error instanceof UserError || ['EACCES', 'ENXIO'].includes(systemCode(error))) return null;
    throw error;
  }
}
