import { join, relative } from 'node:path';
import type { Config } from '../../core/config/config.ts';
import { systemCode } from '../../core/errors.ts';
import { readPlace } from '../../core/task/file-name.ts';
import { parseFrontMatter, TASK_SCHEMA } from '../../core/task/front-matter.ts';
import { placeOf } from '../../core/mailbox/place.ts';
import { taskNames } from '../../core/mailbox/settings.ts';
import { fileTask, type TaskFile, workedTask } from '../../core/task/status.ts';
import { type Folder, inTaskFolder } from './ground.ts';
import { BEGINNING, matcherOf } from './inventory.ts';
import { takersIn, workIn } from './mailbox.ts';
import { eachAgent, type Sight, walk } from './walk.ts';

type Place = Pick<Config, 'tasksDirectory' | 'taskFile'>;

/** Every task file below the task folder that is not archived, as its front matter tells it. Links are not followed. */
export function listTaskFiles(config: Place): readonly TaskFile[] {
  const files: TaskFile[] = [];
  eachSight(config.tasksDirectory, { sight: (agent, sight) => files.push(...read(config, agent, sight)) });
  return files;
}

export interface TaskIndex {
  /** A text that is another one when a file came, went, or was renamed. */
  readonly fingerprint: () => string;
  /** The same as `listTaskFiles`; only files that are new or were changed are read again. */
  readonly list: () => readonly TaskFile[];
}

/** Knows the task files of a folder, for a reader that stays. */
export function indexTaskFiles(config: Place): TaskIndex {
  const { tasksDirectory } = config;
  let folders: readonly string[] = [''];
  let known = new Map<string, { readonly stamp: string; readonly files: readonly TaskFile[] }>();
  return {
    fingerprint: () => fingerprint(tasksDirectory, folders),
    list: () => {
      const seen = [''];
      const now: typeof known = new Map();
      eachSight(tasksDirectory, {
        folder: (folder) => seen.push(relative(tasksDirectory, folder.path)),
        sight: (agent, sight) => {
          const path = join(sight.folder.path, sight.name);
          // Who has it, and why it is blocked, stands in files beside it.
          const stamp = `${sight.folder.look(sight.name)?.stamp ?? '-'} ${sight.folder.stamp()}`;
          const before = known.get(path);
          now.set(path, before?.stamp === stamp ? before : { stamp, files: read(config, agent, sight) });
        },
      });
      [folders, known] = [seen, now];
      return [...now.values()].flatMap(({ files }) => files);
    },
  };
}

interface Reader {
  readonly sight: (agent: string, sight: Sight) => void;
  readonly folder?: (folder: Folder) => void;
}

// What may not be looked into has nothing to show: whoever reads may be another user than the one that writes.
function eachSight(tasksDirectory: string, { sight, folder }: Reader): void {
  const quiet = (): void => {};
  try {
    eachAgent(
      tasksDirectory,
      (agent, home) =>
        walk(home, ['archive'], {
          sight: (seen) => sight(agent, seen),
          trouble: quiet,
          ...(folder && { folder }),
        }),
      quiet,
    );
  } catch {
    // The pass and doctor say it.
  }
}

// None: it is neither called as a task is, nor says that it is one.
function read({ tasksDirectory, taskFile }: Place, agent: string, { folder, name }: Sight): readonly TaskFile[] {
  const path = join(folder.path, name);
  const below = relative(join(tasksDirectory, agent), path);
  const { home, isDone } = readPlace(below);
  const fields = parseFrontMatter(beginning(folder, name)) ?? new Map<string, unknown>();
  if (fields.get('schema') !== TASK_SCHEMA && !matcherOf(taskFile)(home)) return [];
  const task = fileTask(path, isDone, fields);
  const stage = placeOf(below, task.ref ?? '', taskNames({ taskFile }))?.stage ?? 'done';
  if (stage === 'new' || stage === 'done') return [{ agent, task, taken: null }];
  return [worked({ agent, task, taken: null }, stage, folder, name)];
}

// Whoever may not read who has it sees the task all the same.
function worked(file: TaskFile, stage: 'doing' | 'blocked', folder: Folder, name: string): TaskFile {
  try {
    const taken = stage === 'doing' ? takersIn(folder, name) : null;
    return { ...file, taken, task: workedTask(file.task, stage, taken, workIn(folder, name)) };
  } catch {
    return { ...file, task: { ...file.task, stage } };
  }
}

function beginning(folder: Folder, name: string): string {
  try {
    return folder.read(name, BEGINNING)?.text ?? '';
  } catch {
    return '';
  }
}

function fingerprint(tasksDirectory: string, folders: readonly string[]): string {
  const stamps = (root: Folder): readonly string[] =>
    folders.map((path) => {
      try {
        const names = path === '' ? [] : path.split('/');
        return root.inside(names, (folder) => folder.stamp()) ?? '-';
      } catch (error) {
        return systemCode(error) || 'unsafe';
      }
    });
  try {
    return (inTaskFolder(tasksDirectory, stamps) ?? ['-']).join(' ');
  } catch (error) {
    return systemCode(error) || 'unsafe';
  }
}
