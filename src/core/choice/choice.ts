import { byUrgency, type Candidate } from '../issue/candidate.ts';
import type { Instant } from '../clock.ts';
import { type Facts, firstClosedGate, type Gate } from '../issue/eligibility.ts';
import { ownSlotOpensAt } from './own-limits.ts';
import { nextFreeSlot, SLOT_PATIENCE_MS } from './slot.ts';

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

/** Decides a pass: what each candidate's outcome is, and which one goes now. Pure, so that every view can ask it again. */
export function decide(
  candidates: readonly Candidate[],
  facts: Facts,
  lastDispatchAt: Instant | null,
  now: Instant,
): Decision {
  const opensForAll = nextFreeSlot(lastDispatchAt, facts.config.rateLimitMs, now);
  const slotIsFree = opensForAll - now <= SLOT_PATIENCE_MS;
  const turns: Outcome['kind'][] = slotIsFree ? ['chosen', 'next'] : ['next'];

  const rows = candidates.toSorted(byUrgency).map((candidate): Row => {
    const gate = firstClosedGate(candidate, facts, now);
    if (gate) return { candidate, outcome: { kind: 'skipped', ...gate } };
    const turn = turns.shift();
    return { candidate, outcome: { kind: turn === 'chosen' || turn === 'next' ? turn : 'waiting' } };
  });
  const turnOf = (kind: 'chosen' | 'next'): Candidate | null =>
    rows.find((row) => row.outcome.kind === kind)?.candidate ?? null;
  const chosen = turnOf('chosen');
  // Its own limits are open, or nearly so: what is closed for longer is a gate.
  const opensForIt = chosen ? ownSlotOpensAt(facts.config, chosen, facts.lastOf, now) : now;
  return { rows, chosen, next: turnOf('next'), slotOpensAt: Math.max(opensForAll, opensForIt) };
}
