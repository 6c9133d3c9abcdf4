import { join, relative } from 'node:path';
import type { Config } from '../../core/config/config.ts';
import { systemCode } from '../../core/errors.ts';
import { parseFrontMatter, TASK_SCHEMA } from '../../core/task/front-matter.ts';
import { ARCHIVE, placeOf, type TaskNames } from '../../core/mailbox/place.ts';
import { taskNames } from '../../core/mailbox/settings.ts';
import { NO_WORK } from '../../core/mailbox/work-record.ts';
import { fileTask, type TaskFile, workedTask } from '../../core/task/status.ts';
import { type Folder, inTaskFolder } from './ground.ts';
import { BEGINNING } from './inventory.ts';
import { recordName, takersIn, workIn } from './moves.ts';
import { eachAgent, type Sight, walk } from './walk.ts';

type Place = Pick<Config, 'tasksDirectory' | 'taskFile'>;
type Reading = Pick<Config, 'tasksDirectory'> & { readonly names: TaskNames };

/** Every task file below the task folder that is not archived, as its front matter tells it. Links are not followed. */
export function listTaskFiles(config: Place): readonly TaskFile[] {
  const files: TaskFile[] = [];
  const reading = { ...config, names: taskNames(config) };
  eachSight(config.tasksDirectory, { sight: (agent, sight) => files.push(...read(reading, agent, sight)) });
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
  const reading = { tasksDirectory, names: taskNames(config) };
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
          now.set(path, before?.stamp === stamp ? before : { stamp, files: read(reading, agent, sight) });
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
        walk(home, [ARCHIVE], {
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
function read({ tasksDirectory, names }: Reading, agent: string, sight: Sight): readonly TaskFile[] {
  const path = join(sight.folder.path, sight.name);
  const fields = parseFrontMatter(beginning(sight)) ?? new Map<string, unknown>();
  const ref = fields.get('ref');
  const place = placeOf(relative(join(tasksDirectory, agent), path), typeof ref === 'string' ? ref : '', names);
  if (place === null || (fields.get('schema') !== TASK_SCHEMA && !names.isOne(place.home))) return [];
  return [worked({ agent, task: fileTask(path, place.stage, fields), taken: null }, sight)];
}

// Whoever may not read who has it sees the task all the same.
function worked(file: TaskFile, { folder, name, beside }: Sight): TaskFile {
  try {
    const taken = file.task.stage === 'doing' ? takersIn(folder, name) : null;
    const work = beside.has(recordName(name)) ? workIn(folder, name) : NO_WORK;
    return { ...file, taken, task: workedTask(file.task, taken, work) };
  } catch {
    return file;
  }
}

function beginning({ folder, name }: Sight): string {
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
