// Names of task files. A repository may be called as a folder that says how far a task is, so that what stands for a
// repository is told apart by an underscore behind it.

import type { Config } from '../config/config.ts';
import { splitServer } from '../config/servers.ts';
import type { Issue } from '../issue/issue.ts';
import { isPlaceFolder } from '../mailbox/place.ts';

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
  const { server, rest } = splitServer(issue.repository);
  const [owner = '', repo = ''] = rest.split('/');
  const names = config.taskFile.split('/').map((part) =>
    part
      .replaceAll('{number}', String(issue.number))
      .replaceAll('{server}', () => server ?? '')
      .replaceAll('{owner}', () => owner)
      .replaceAll('{repo}', () => repo),
  );
  return names.map((name, index) => (index < names.length - 1 ? folderName(name) : name)).join('/');
}

/** What matches a task file's path, without folders that say how far it is: the pattern of the configuration. */
export function taskFileMatcher(taskFile: string): RegExp {
  const parts = taskFile.split(/(\{(?:number|owner|repo|server)\})/u).map((part) => {
    if (part === '{number}') return String.raw`\d{1,15}`;
    return part.startsWith('{') ? '[^/]{1,110}' : part.replaceAll('.', String.raw`\.`);
  });
  return new RegExp(`^${parts.join('')}$`, 'u');
}

// Different names stay different.
function folderName(name: string): string {
  const plain = name.replace(/_+$/u, '');
  return isPlaceFolder(plain) || holdsNoTasks(plain) ? `${name}_` : name;
}
