import { randomInt } from 'node:crypto';
import type { DispatchDeps } from '../pass/pass-deps.ts';
import type { Config } from '../core/config/config.ts';
import type { UpdateData } from '../core/task/update.ts';
import { openTaskFolder } from '../io/tasks/folder.ts';
import { lazily, packaged } from './world.ts';

/** The task folder of a configuration. */
export function taskFolder(config: Config): DispatchDeps['tasks'] {
  return {
    ...openTaskFolder(config, randomWord),
    updateTemplate: lazily(async () => {
      const { loadTemplate } = await import('../io/tasks/template.ts');
      return loadTemplate<UpdateData>(null, packaged('templates'), 'update.md.hbs');
    }),
  };
}

const LETTERS = '23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

/** A fresh word of twelve letters and digits that nobody can guess. */
export function randomWord(): string {
  return Array.from({ length: 12 }, () => LETTERS[randomInt(LETTERS.length)]).join('');
}
