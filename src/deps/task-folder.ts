import { randomInt } from 'node:crypto';
import { lstatSync } from 'node:fs';
import type { DispatchDeps } from '../pass/pass-deps.ts';
import type { Config } from '../core/config/config.ts';
import { parseFrontMatter } from '../core/task/front-matter.ts';
import type { UpdateData } from '../core/task/update.ts';
import { archiveTask, whereIs, writeUpdate } from '../io/tasks/archive.ts';
import { checkWay, countOpenTasks, draftTask, findExisting, newestTaskTime, taskPath } from '../io/tasks/folder.ts';
import { readBeginning } from '../io/tasks/task-list.ts';
import { lazily, packaged } from './world.ts';

/** The task folder of a configuration. */
export function taskFolder(config: Config): DispatchDeps['tasks'] {
  return {
    path: (candidate) => taskPath(config, candidate),
    checkWay: (candidate) => checkWay(config, candidate),
    existing: (candidate) => findExisting(config, candidate),
    whereIs: (task) => whereIs(config, task),
    archive: (task) => archiveTask(config, task),
    writeUpdate: (task, text) => writeUpdate(config, task, text, randomWord()),
    updateTemplate: lazily(async () => {
      const { loadTemplate } = await import('../io/tasks/template.ts');
      return loadTemplate<UpdateData>(null, packaged('templates'), 'update.md.hbs');
    }),
    openTasks: (agent) => countOpenTasks(config, agent),
    newestTime: () => newestTaskTime(config),
    published,
    draft: (candidate, text) => draftTask(config, candidate, text, randomWord()),
  };
}

const LETTERS = '23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

/** A fresh word of twelve letters and digits that nobody can guess. */
export function randomWord(): string {
  return Array.from({ length: 12 }, () => LETTERS[randomInt(LETTERS.length)]).join('');
}

function published(file: string) {
  const stat = lstatSync(file, { throwIfNoEntry: false });
  if (!stat) return null;
  return {
    dispatchedAt: parseFrontMatter(readBeginning(file) ?? '')?.get('dispatchedAt'),
    appearedAt: stat.ctimeMs,
  };
}
