// Names of task files, and of the folders that say how far a task is. A repository may have any of these names as well, so
// that what stands for a repository is told apart by an underscore behind it.

import type { Config } from '../config/config.ts';
import type { Issue } from '../issue/issue.ts';

/** Folders into which agents move their tasks, and the dispatcher what is over. */
export const STATE_FOLDERS: readonly string[] = ['doing', 'blocked', 'done', 'archive'];

/** Folders in which no task is looked for: what belongs to one, and what checkouts and builds are full of. */
export function holdsNoTasks(name: string): boolean {
  return name.endsWith('.attachments') || name === '.git' || name === 'node_modules';
}

/** Whether a lower-cased login can be the name of a folder: no separators, no dots in front or at the end, not too long. */
export function isSafeFolderName(agent: string): boolean {
  return /^[a-z0-9](?:[a-z0-9._-]{0,98}[a-z0-9_-])?$/u.test(agent);
}

/** The task file's path below its agent's folder, such as `issue-5.md` or `acme/app/issue-5.md`. */
export function taskFileName(config: Pick<Config, 'taskFile'>, issue: Pick<Issue, 'repository' | 'number'>): string {
  const [owner = '', repo = ''] = issue.repository.split('/');
  const names = config.taskFile.split('/').map((part) =>
    part
      .replaceAll('{number}', String(issue.number))
      .replaceAll('{owner}', () => owner)
      .replaceAll('{repo}', () => repo),
  );
  return names.map((name, index) => (index < names.length - 1 ? folderName(name) : name)).join('/');
}

/** What matches a task file's path, without folders that say how far it is: the pattern of the configuration. */
export function taskFileMatcher(taskFile: string): RegExp {
  const parts = taskFile.split(/(\{(?:number|owner|repo)\})/u).map((part) => {
    if (part === '{number}') return String.raw`\d{1,15}`;
    return part.startsWith('{') ? '[^/]{1,110}' : part.replaceAll('.', String.raw`\.`);
  });
  return new RegExp(`^${parts.join('')}$`, 'u');
}

/** Where a path below an agent's folder says that the task is, and the path without that. */
export function readPlace(path: string): {
  readonly isDone: boolean;
  readonly isOpen: boolean;
  /** The first folder of those; undefined: it is in none. */
  readonly state: string | undefined;
  readonly home: string;
} {
  const names = path.split('/');
  const folders = names.slice(0, -1);
  const state = folders.find((name) => STATE_FOLDERS.includes(name));
  return {
    isDone: state === 'done',
    isOpen: state === undefined || state === 'doing',
    state,
    home: [...folders.filter((name) => !STATE_FOLDERS.includes(name)), ...names.slice(-1)].join('/'),
  };
}

// Different names stay different.
function folderName(name: string): string {
  return /(?:^(?:doing|blocked|done|archive|\.git|node_modules)|\.attachments)_*$/u.test(name) ? `${name}_` : name;
}
