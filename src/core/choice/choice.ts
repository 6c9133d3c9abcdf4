import { byUrgency, type Candidate } from '../issue/candidate.ts';
import type { Instant } from '../clock.ts';
import { type Facts, firstClosedGate, type Gate } from '../issue/eligibility.ts';

/** A pass that finds the slot opening within this time waits for it: timers jitter, and would lose every other minute. */
export const SLOT_PATIENCE_MS = 5000;

/** What became of a candidate: exactly one of these. */
type Outcome =
  | { readonly kind: 'chosen' }
  | { readonly kind: 'next' }
  | { readonly kind: 'waiting' }
  | ({ readonly kind: 'skipped' } & Gate);

export interface Row {
  readonly candidate: Candidate;
  readonly outcome: Outcome;
}

/** Five ticks of most kernels: on a busy virtual machine some of them come late. */
const FILE_TIME_LAG_MS = 20;

export interface Decision {
  /** Every candidate, most urgent first. */
  readonly rows: readonly Row[];
  /** The one to dispatch in this pass, or null: nothing is eligible, or no slot is free. */
  readonly chosen: Candidate | null;
  /** The one whose turn is next: after the chosen one, or as soon as the slot opens. */
  readonly next: Candidate | null;
  /** When the next task file may appear; never before `now`. */
  readonly slotOpensAt: Instant;
}

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

/** Decides a pass: what each candidate's outcome is, and which one goes now. Pure, so that every view can ask it again. */
export function decide(
  candidates: readonly Candidate[],
  facts: Facts,
  lastDispatchAt: Instant | null,
  now: Instant,
): Decision {
  const slotOpensAt = nextFreeSlot(lastDispatchAt, facts.config.rateLimitMs, now);
  const slotIsFree = slotOpensAt - now <= SLOT_PATIENCE_MS;
  const turns: Outcome['kind'][] = slotIsFree ? ['chosen', 'next'] : ['next'];

  const rows = candidates.toSorted(byUrgency).map((candidate): Row => {
    const gate = firstClosedGate(candidate, facts, now);
    if (gate) return { candidate, outcome: { kind: 'skipped', ...gate } };
    const turn = turns.shift();
    return { candidate, outcome: { kind: turn === 'chosen' || turn === 'next' ? turn : 'waiting' } };
  });
  const turnOf = (kind: 'chosen' | 'next'): Candidate | null =>
    rows.find((row) => row.outcome.kind === kind)?.candidate ?? null;
  return { rows, chosen: turnOf('chosen'), next: turnOf('next'), slotOpensAt };
}
