// The tasks that are out: what an agent lost, and what waits for somebody.

import { messageOf } from '../core/errors.ts';
import type { Instant } from '../core/clock.ts';
import type { Finding } from '../core/health/finding.ts';
import type { Snapshot } from '../core/health/snapshot.ts';
import { stageSentence, taskName } from '../views/stage.ts';

/** So many tasks are named; `status` shows all. */
const NAMED = 5;

/** A line for each task that is stalled or blocked, or one that says that there is none. */
export function* taskFindings(picture: () => Snapshot, now: Instant): Generator<Finding> {
  let snapshot: Snapshot;
  try {
    snapshot = picture();
  } catch (error) {
    yield { check: 'tasks', status: 'skipped', message: messageOf(error), fix: null };
    return;
  }
  const tasks = snapshot.agents.flatMap(({ name, tasks: all }) => all.map((task) => ({ name, task })));
  const stuck = [
    ...tasks.filter(({ task }) => task.stalled !== null),
    ...tasks.filter(({ task }) => task.stage === 'blocked'),
  ];
  for (const { name, task } of stuck.slice(0, NAMED)) {
    const fix =
      task.stalled === null
        ? `answer on its issue, or give it back: dispatcher release ${plainRef(task.ref)} --agent ${name}`
        : `dispatcher next --stalled --agent ${name}`;
    const message = `${taskName(task)} of ${name} ${stageSentence(task, now)}`;
    yield { check: 'tasks', status: 'warning', message, fix };
  }
  if (stuck.length > NAMED) {
    const message = `and ${stuck.length - NAMED} more are stalled or blocked`;
    yield { check: 'tasks', status: 'warning', message, fix: 'dispatcher status' };
  }
  if (stuck.length === 0)
    yield {
      check: 'tasks',
      status: 'ok',
      message: `${snapshot.counts.new} new, ${snapshot.counts.doing} taken, none of them stalled or blocked`,
      fix: null,
    };
}

// An agent may write into its files what it likes, and people type what they read here.
function plainRef(ref: string | null): string {
  return ref !== null && /^[\w.-]{1,100}\/[\w.-]{1,100}#\d{1,15}$/u.test(ref) ? ref : 'TASK';
}
