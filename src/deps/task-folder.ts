import { randomInt } from 'node:crypto';
import type { DispatchDeps } from '../pass/pass-deps.ts';
import type { Config } from '../core/config/config.ts';
import type { UpdateData } from '../core/task/update.ts';
import { toRfc3339 } from '../core/clock.ts';
import type { Stage } from '../core/mailbox/place.ts';
import { settingsOf, taskNames } from '../core/mailbox/settings.ts';
import { afterHandBack } from '../core/mailbox/work-record.ts';
import { refOf } from '../core/issue/issue.ts';
import type { TrackedTask } from '../core/task/tracked.ts';
import { openMailbox } from '../io/tasks/mailbox.ts';
import { publishSettings } from '../io/tasks/settings.ts';
import { openTaskFolder } from '../io/tasks/folder.ts';
import { lazily, now, packaged } from './world.ts';

/** The task folder of a configuration. */
export function taskFolder(config: Config): DispatchDeps['tasks'] {
  return {
    ...openTaskFolder(config, randomWord),
    reopen: (task, stage, why) => reopen(config, task, stage, why),
    leaveSettings: () => publishSettings(config.tasksDirectory, settingsOf(config)),
    updateTemplate: lazily(async () => {
      const { loadTemplate } = await import('../io/tasks/template.ts');
      return loadTemplate<UpdateData>(null, packaged('templates'), 'update.md.hbs');
    }),
  };
}

// Offered again by next: as if it had just been dispatched, with what was tried before.
function reopen(config: Config, task: TrackedTask, from: Stage, reason: string): boolean {
  const names = taskNames(config);
  const mailbox = openMailbox(config.tasksDirectory, task.agent, names);
  const { tasks } = mailbox.look([from]);
  // Its name first: another task's file says this reference when that was dispatched under a name that its repository had then.
  const found =
    tasks.find(({ home }) => `${mailbox.path}/${home}` === task.file) ?? tasks.find(({ ref }) => ref === refOf(task));
  if (!found) return false;
  const event = {
    at: toRfc3339(now()),
    by: 'dispatcher',
    outcome: 'released',
    reason,
    pullRequest: null,
    note: null,
  } as const;
  return mailbox.handBack(found, 'new', afterHandBack(mailbox.workOf(found), event), null) === 'moved';
}

const LETTERS = '23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

/** A fresh word of twelve letters and digits that nobody can guess. */
export function randomWord(): string {
  return Array.from({ length: 12 }, () => LETTERS[randomInt(LETTERS.length)]).join('');
}
