// What agents have done since the last pass, as their folders show it: remembered, so that each is told once.

import { refOf } from '../../core/issue/issue.ts';
import type { State } from '../../core/state/state.ts';
import type { SeenProgress, TrackedTask } from '../../core/task/tracked.ts';
import type { DispatchDeps } from '../pass-deps.ts';

/** The state with how far each task is now. A task that was blocked meanwhile is told in the log, with its reason. */
export function withProgress(deps: DispatchDeps, state: State): State {
  const moved = Object.entries(state.tasks ?? {}).flatMap(([key, task]): [string, TrackedTask][] => {
    const progress = progressSince(deps, task);
    return progress === null ? [] : [[key, { ...task, progress, waitsFor: null }]];
  });
  return moved.length === 0 ? state : { ...state, tasks: { ...state.tasks, ...Object.fromEntries(moved) } };
}

// Only one that is blocked can have been so anew and look the same: of the others the stage tells, and nothing is read.
function progressSince(deps: DispatchDeps, task: TrackedTask): SeenProgress | null {
  const stage = deps.tasks.stageOf(task);
  if (stage === null || (stage === task.progress?.stage && stage !== 'blocked')) return null;
  const now = deps.tasks.progressOf(task);
  if (now === null || (now.stage === task.progress?.stage && now.at === task.progress.at)) return null;
  if (now.stage === 'blocked') {
    const ref = refOf(task);
    deps.log({
      name: 'BLOCKED',
      message: `${task.agent}: ${ref} is blocked: ${now.reason ?? 'nobody said why'}`,
      facts: { ref, agent: task.agent, reason: now.reason },
    });
  }
  return { stage: now.stage, at: now.at };
}
