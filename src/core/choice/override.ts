import type { Candidate } from '../issue/candidate.ts';
import { type Instant, shortDuration } from '../clock.ts';
import { ownSlotOpensAt } from './own-limits.ts';
import { nextFreeSlot, SLOT_PATIENCE_MS } from './slot.ts';
import { closedGates, type Facts } from '../issue/eligibility.ts';

/** What a manual dispatch of one candidate comes to. Gates and lifts are sentences for the user. */
export type Verdict =
  | { readonly kind: 'dispatch'; readonly lifted: readonly string[]; readonly slotOpensAt: Instant }
  | { readonly kind: 'refused'; readonly gates: readonly string[]; readonly canForce: boolean };

const NEVER_LIFTED: ReadonlySet<string> = new Set(['unknown_agent', 'unsafe_name', 'folder_unusable']);

/** Judges `dispatch --issue`: without force every gate holds but the order; with force only what force never lifts. */
export function judgeOverride(
  candidate: Candidate,
  facts: Facts,
  lastDispatchAt: Instant | null,
  now: Instant,
  force: boolean,
): Verdict {
  const slotOpensAt = nextFreeSlot(lastDispatchAt, facts.config.rateLimitMs, now);
  // A task that failed before is what people run this command for: it is tried again at once.
  const gates = closedGates(candidate, facts, now).filter((gate) => gate.reason !== 'failed');
  const firm = gates.filter(({ reason }) => NEVER_LIFTED.has(reason));
  const sentences = gates.map((gate) => `${gate.reason}: ${gate.detail}`);
  if (slotOpensAt - now > (force ? 0 : SLOT_PATIENCE_MS)) {
    sentences.push(
      `rate limit: one task every ${shortDuration(facts.config.rateLimitMs)}, next slot in ${shortDuration(slotOpensAt - now)}`,
    );
  }
  if (firm.length > 0) {
    return { kind: 'refused', gates: firm.map((gate) => `${gate.reason}: ${gate.detail}`), canForce: false };
  }
  if (force) return { kind: 'dispatch', lifted: sentences, slotOpensAt: now };
  return sentences.length > 0
    ? { kind: 'refused', gates: sentences, canForce: true }
    : {
        kind: 'dispatch',
        lifted: [],
        slotOpensAt: Math.max(slotOpensAt, ownSlotOpensAt(facts.config, candidate, facts.lastOf, now)),
      };
}
