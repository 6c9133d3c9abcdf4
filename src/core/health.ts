import { fromRfc3339, type Instant } from './clock.ts';
import type { State } from './state.ts';

export type Health = 'never_run' | 'ok' | 'late' | 'stale' | 'failing' | 'paused';

const LATE_AFTER_MS = 90_000;
const STALE_AFTER_MS = 180_000;

/** How the timer-started passes are doing. Passes that stopped weigh more than passes that fail: nothing else is news then. */
export function healthOf(state: Pick<State, 'lastPass' | 'consecutiveFailures' | 'pause'>, now: Instant): Health {
  if (!state.lastPass) return 'never_run';
  const age = now - (fromRfc3339(state.lastPass.finishedAt) ?? 0);
  if (age > STALE_AFTER_MS) return 'stale';
  if (state.consecutiveFailures > 0) return 'failing';
  if (state.pause && state.pause.agents === null) return 'paused';
  return age > LATE_AFTER_MS ? 'late' : 'ok';
}
