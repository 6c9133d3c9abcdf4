import { fromRfc3339, type Instant } from './clock.ts';
import { activePauses, type Pause } from './pause.ts';
import type { State } from './state.ts';

export type Health = 'never_run' | 'ok' | 'late' | 'stale' | 'failing' | 'paused';

const LATE_AFTER_MS = 90_000;
const STALE_AFTER_MS = 180_000;

/** How the timer-started passes are doing. Passes that stopped weigh more than passes that fail: nothing else is news then. */
export function healthOf(
  state: Pick<State, 'lastPass' | 'consecutiveFailures'>,
  pauses: readonly Pause[],
  now: Instant,
): Health {
  if (!state.lastPass) return 'never_run';
  const age = now - (fromRfc3339(state.lastPass.finishedAt) ?? 0);
  if (age > STALE_AFTER_MS) return 'stale';
  if (state.consecutiveFailures > 0) return 'failing';
  if (activePauses(pauses, now).some((pause) => pause.agent === null)) return 'paused';
  return age > LATE_AFTER_MS ? 'late' : 'ok';
}

/** The moments at which a pass that ended then makes another health by its age alone. */
export function healthChanges(finishedAt: Instant | undefined): readonly Instant[] {
  return finishedAt === undefined ? [] : [finishedAt + LATE_AFTER_MS + 1, finishedAt + STALE_AFTER_MS + 1];
}

/** Why the last good pass is too long ago, or null when it is not: what a health check of another machine asks. */
export function overdue(lastSuccessAt: Instant | undefined, now: Instant): 'never' | 'stale' | null {
  if (lastSuccessAt === undefined) return 'never';
  return now - lastSuccessAt > STALE_AFTER_MS ? 'stale' : null;
}
