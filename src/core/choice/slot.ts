// The hard limit: at most one task file in any window.

import type { Instant } from '../clock.ts';

/** A pass that finds the slot opening within this time waits for it: timers jitter, and would lose every other minute. */
export const SLOT_PATIENCE_MS = 5000;

/** Five ticks of most kernels: on a busy virtual machine some of them come late. */
const FILE_TIME_LAG_MS = 20;

/**
 * When the next task file may appear. `lastDispatchAt` in the future means that the clock was set back: how long ago
 * it really was nobody can tell, so it counts as now, and holds for one window.
 */
export function nextFreeSlot(lastDispatchAt: Instant | null, rateLimitMs: number, now: Instant): Instant {
  if (lastDispatchAt === null) return now;
  return Math.max(now, Math.min(lastDispatchAt, now) + rateLimitMs);
}

/**
 * How long to wait before a task file may appear, in milliseconds. A little longer than the slot asks for: the kernel stamps
 * a file with the time of its last tick, and the window is between the times that the files show.
 */
export function untilSlot(slotOpensAt: Instant, now: Instant): number {
  return Math.max(0, slotOpensAt + FILE_TIME_LAG_MS - now);
}
