import { type Progress, progressOf } from '../../core/mailbox/progress.ts';
import { inTaskFolder } from './ground.ts';
import type { Found } from './inventory.ts';
import { takersIn, workIn } from './moves.ts';

/**
 * How far its agent is with a task that was found, by what lies beside it. What the agent wrote may be unreadable for this
 * user, or a link by now: then the task is only where it is.
 */
export function progressNow(tasksDirectory: string, agent: string, found: Found | null): Progress | null {
  if (found === null) return null;
  const { stage } = found;
  const names = found.path.split('/');
  const name = names.pop() ?? '';
  try {
    return inTaskFolder(tasksDirectory, (root) =>
      root.inside([agent, ...names], (folder) =>
        progressOf(stage, workIn(folder, name), stage === 'doing' ? takersIn(folder, name) : null),
      ),
    );
  } catch {
    return { stage, at: null, reason: null, pullRequest: null };
  }
}
