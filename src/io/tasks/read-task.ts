import { closeSync, constants, fstatSync, openSync, readSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../../core/errors.ts';
import { isSafeFolderName } from '../../core/task/file-name.ts';

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
 * does not exist, is no Markdown file, is or lies behind a link, or leaves the folder.
 */
export function readTask(tasksDirectory: string, agent: string, file: string): TaskText | null {
  const segments = file.split('/');
  if (!isSafeFolderName(agent) || !segments.every((name) => SEGMENT.test(name))) return null;
  if (!/^[^.].*\.md$/u.test(segments.at(-1) ?? '')) return null;
  const path = join(tasksDirectory, agent, ...segments);
  let handle: number | undefined;
  try {
    // A link anywhere on the way shows as another real path.
    if (realpathSync(path) !== join(realpathSync(tasksDirectory), agent, ...segments)) return null;
    handle = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    const stat = fstatSync(handle);
    if (!stat.isFile()) return null;
    const buffer = Buffer.alloc(Math.min(stat.size, LIMIT));
    const text = buffer.toString('utf8', 0, readSync(handle, buffer));
    return { path, text, cut: stat.size - buffer.length };
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'ENAMETOOLONG', 'ENXIO'].includes(systemCode(error))) return null;
    throw error;
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}
