// How the time of a pass is shared among the candidates that are tried, and the tasks that are out. Milliseconds.

/** How long one candidate may take, and how much time is kept for the tasks that are out. */
const SLICE_MS = 10_000;
const KEPT_MS = 8000;
const SHORTEST_SLICE_MS = 3000;
/** What a server that may not answer leaves to the others: a slice, and what is kept. */
const LEFT_MS = KEPT_MS + 2 * SHORTEST_SLICE_MS;

export interface Slice {
  readonly ms: number;
  /** Whether there is time for another server only when this one is not asked again. */
  readonly isShort: boolean;
}

/** Whether another candidate can be tried, after so many. */
export function isTimeLeft(timeLeft: number, asked: number): boolean {
  return timeLeft >= SHORTEST_SLICE_MS + (asked > 0 ? KEPT_MS : 0);
}

/** The time of the next one. `doOthersWait`: whether one on another server may go when this one cannot. */
export function sliceFor(timeLeft: number, asked: number, doOthersWait: () => boolean): Slice {
  // A server that took long to list may take as long for an issue.
  if (timeLeft < SLICE_MS + LEFT_MS && doOthersWait())
    return { ms: Math.max(SHORTEST_SLICE_MS, timeLeft - LEFT_MS), isShort: true };
  return { ms: Math.min(SLICE_MS, timeLeft - (asked > 0 ? KEPT_MS : 0)), isShort: false };
}
