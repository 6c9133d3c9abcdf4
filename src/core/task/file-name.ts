import type { Config } from '../config/config.ts';
import type { Issue } from '../issue/issue.ts';

/** Whether a lower-cased login can be the name of a folder: no separators, no dots in front or at the end, not too long. */
export function isSafeFolderName(agent: string): boolean {
  return /^[a-z0-9](?:[a-z0-9._-]{0,98}[a-z0-9_-])?$/u.test(agent);
}

/** The task file's path below its agent's folder, such as `issue-5.md` or `acme/app/issue-5.md`. */
export function taskFileName(config: Pick<Config, 'taskFile'>, issue: Pick<Issue, 'repository' | 'number'>): string {
  const [owner = '', repo = ''] = issue.repository.split('/');
  return config.taskFile
    .replaceAll('{number}', String(issue.number))
    .replaceAll('{owner}', owner)
    .replaceAll('{repo}', repo);
}
