import { fromRfc3339, type Instant, shortDuration } from '../core/clock.ts';
import type { TaskStatus } from '../core/task/status.ts';
import { cleanLine } from '../core/task/untrusted.ts';

/** How a task is called where people read of it. */
export function taskName({ ref, file }: Pick<TaskStatus, 'ref' | 'file'>): string {
  return cleanLine(ref ?? file ?? 'a task', 300);
}

/** How far its agent is with a task, and why, such as `is blocked: which table?`. Null: it is just new, or not dispatched. */
export function stageSentence(task: TaskStatus, now: Instant): string | null {
  const { stage, stalled, detail } = task;
  const why = detail === null ? null : cleanLine(detail, 2000);
  const since = shortDuration(now - (fromRfc3339(task.takenAt ?? '') ?? now));
  const who = cleanLine(task.takenBy ?? 'somebody who left no name', 300);
  switch (stage) {
    case 'blocked':
      return `is blocked: ${why ?? 'nobody said why'}`;
    case 'doing':
      if (stalled === null) return `was taken ${since} ago by ${who}`;
      return `is stalled: taken ${since} ago by ${who}, ${stalled === 'gone' ? 'who is gone' : 'and not handed back'}`;
    case 'new':
      return why === null ? null : `is new again: ${why}`;
    case 'done':
      return 'is done';
    case null:
      return null;
  }
}
