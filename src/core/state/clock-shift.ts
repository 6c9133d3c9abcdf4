// The clock may have been set since the last dispatch. What the machine's uptime tells counts; across a restart only a
// record in the future gives it away, and how long ago that really was nobody can tell: it counts as now.

import { elapsedBetween, fromRfc3339, type Instant, shortDuration, toRfc3339, type Uptime } from '../clock.ts';
import type { Appearance } from './state.ts';

interface Shift {
  /** What is to be said of it; null: nothing. */
  readonly message: string | null;
  /** When that file appeared, by the clock of now. */
  readonly last: Appearance;
}

/** Two readings of two clocks may differ by so much where nobody has set anything. */
const UNSURE_MS = 25;
/** Clocks are kept right by small steps all the time: less than this is nothing to tell. */
const NOTABLE_MS = 500;

/** When a file really appeared whose record the clock of now contradicts; null: it does not, or nothing hangs on it. */
export function clockShift(
  last: Appearance | null,
  rateLimitMs: number,
  uptime: Uptime | null,
  now: Instant,
): Shift | null {
  const recorded = fromRfc3339(last?.at ?? '');
  if (!last || recorded === undefined) return null;
  const elapsed = elapsedBetween(last.uptime, uptime);
  if (elapsed === undefined) {
    if (recorded <= now) return null;
    return {
      message: `the last dispatch is recorded ${shortDuration(recorded - now)} in the future: the clock was set back; dispatching goes on in ${shortDuration(rateLimitMs)}`,
      last: { at: toRfc3339(now), uptime },
    };
  }
  const shift = now - elapsed - recorded;
  // Where both clocks say that the window is over, nothing hangs on the difference.
  const matters = Math.min(elapsed, now - recorded) < rateLimitMs;
  if (!matters || (shift < UNSURE_MS && shift > -NOTABLE_MS)) return null;
  return {
    message:
      Math.abs(shift) < NOTABLE_MS
        ? null
        : `the clock was set ${shift > 0 ? 'forward' : 'back'} by ${shortDuration(Math.abs(shift))}; by the machine's uptime the last dispatch was ${shortDuration(elapsed)} ago, and that counts`,
    last: { at: toRfc3339(now - elapsed), uptime: last.uptime },
  };
}
