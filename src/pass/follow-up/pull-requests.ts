// What is said of the pull requests of dispatched issues. Which ones are watched is looked up when an issue moved; the listing
// tells which of them moved, so that a pass in which nothing moves asks nothing.

import { fromRfc3339, type Instant } from '../../core/clock.ts';
import type { Config } from '../../core/config/config.ts';
import { messageOf } from '../../core/errors.ts';
import type { Listing } from '../../core/listing/listing.ts';
import type { State } from '../../core/state/state.ts';
import type { TrackedTask, WatchedPull } from '../../core/task/tracked.ts';
import {
  hasNewLines,
  isLookDue,
  postponed,
  type PullNews,
  pullNewsIn,
  watchedPulls,
  withMoved,
} from '../../core/task/watched-pull.ts';
import type { DispatchDeps, GiteaSlice } from '../pass-deps.ts';
import { readingFor, watching } from '../prepare.ts';

/** The repositories of which a listing is to tell which pull requests moved. */
export function watchedRepositories({ updates }: Config, { tasks }: State): readonly string[] {
  if (!updates.enabled || !updates.pullRequests) return [];
  return [...new Set(Object.values(tasks ?? {}).flatMap(({ pulls }) => pulls.map(({ repository }) => repository)))];
}

/** The tasks, with what a listing tells of their pull requests. */
export function tasksAfter({ tasks }: State, { pulls }: Listing, now: number): NonNullable<State['tasks']> | null {
  if (!tasks || !pulls) return tasks;
  const changed = Object.entries(tasks).map(([key, task]): [string, TrackedTask] => {
    return [key, withMoved(task, pulls.moved, pulls.isUntold, now)];
  });
  return changed.every(([key, task]) => task === tasks[key]) ? tasks : Object.fromEntries(changed);
}

/** Whether anything is to be asked about a task's pull requests. */
export function areDue({ config }: DispatchDeps, { pulls, arePullsStale }: TrackedTask, now: number): boolean {
  return config.updates.pullRequests && (arePullsStale || pulls.some((pull) => isLookDue(pull, now)));
}

/** Looks once more which pull requests are to be watched; what was said in new ones until `from` is no news. What cannot be had now is asked for in the next turn. */
export async function watchedNow(
  deps: DispatchDeps,
  gitea: GiteaSlice,
  task: TrackedTask,
  from: Instant,
): Promise<TrackedTask> {
  if (!deps.config.updates.pullRequests || !task.arePullsStale) return task;
  const found = await gitea.readPullsOf(task, task.agent);
  const facts = { ...watching(deps.config, task.agent, from), lookAt: deps.now() };
  return { ...task, pulls: watchedPulls(task.pulls, found, facts), arePullsStale: false };
}

/** Reads those that are due. One that cannot be read is said, waits, and holds up nothing. */
export async function readPulls(
  deps: DispatchDeps,
  gitea: GiteaSlice,
  task: TrackedTask,
): Promise<{ readonly task: TrackedTask; readonly news: readonly PullNews[] }> {
  const { config, sha256 } = deps;
  const reading = readingFor(config, task.agent, sha256);
  const pulls: WatchedPull[] = [];
  const news: PullNews[] = [];
  for (const pull of task.pulls) {
    if (!config.updates.pullRequests || !isLookDue(pull, deps.now())) {
      pulls.push(pull);
      continue;
    }
    try {
      const known = {
        updatedAt: fromRfc3339(pull.updatedAt ?? '') ?? null,
        wantsLines: (review: Parameters<typeof hasNewLines>[1]) => hasNewLines(pull, review, reading),
      };
      const feedback = await gitea.readPull(pull, known);
      const found = feedback && pullNewsIn(pull, feedback, reading, deps.now());
      if (found) pulls.push(found.pull);
      if (found?.news) news.push(found.news);
    } catch (error) {
      if (deps.isInterrupted()) throw error;
      const message = `what is said of ${pull.repository}#${pull.number} could not be read: ${messageOf(error)}`;
      deps.log({ name: 'WARNING', message });
      pulls.push(postponed(pull, deps.now()));
    }
  }
  return { task: { ...task, pulls }, news };
}
