// Which candidates may be asked about again in this pass. Those that were never asked go by urgency, and as many as fit; of
// those that failed or were held a few, the one that was asked least recently first. So whoever is free is reached, however
// many stand in front. What was held by something that has changed has places of its own: it is probably free.

import type { Instant } from '../clock.ts';
import { byUrgency, type Candidate } from '../issue/candidate.ts';
import type { HeldBack } from '../issue/eligibility.ts';
import { byTurn, isDue, type Turn, turnKey, type TurnKind, type Turns } from './turns.ts';

/** So many of those that failed before are tried again in a pass. */
const MOST_RETRIED = 2;
/** So many of those that were held before are asked about again in a pass because it is time. */
const MOST_ASKED_AGAIN = 4;
/** And so many because what they hang on has changed, the most urgent first: by time alone all the others come again anyway. */
const MOST_FREED = 4;

interface Occasion {
  readonly now: Instant;
  /** False: no slot is free, so nobody is asked, and what was said last holds. */
  readonly mayAsk: boolean;
  /** Whether the listing shows an issue, such as `acme/app#5`, as open. */
  readonly isOpen: (ref: string) => boolean;
}

/** What keeps candidates back until they are asked about again, by their key. */
export function heldBackBy(turns: Turns, candidates: readonly Candidate[], occasion: Occasion): Map<string, HeldBack> {
  const { now, mayAsk } = occasion;
  // Few were ever asked about, and many are candidates.
  const asked = new Set(Object.keys(turns).map((key) => key.slice(key.indexOf(' ') + 1)));
  const waiting = candidates.flatMap((candidate) => {
    if (!asked.has(candidate.key)) return [];
    const own = turnOf(turns, candidate.key);
    return own ? [{ candidate, ...own }] : [];
  });
  const asking = mayAsk ? waiting : [];
  const freed = asking
    .filter(({ candidate, turn }) => isFreed(candidate, turn, occasion))
    .toSorted((a, b) => byUrgency(a.candidate, b.candidate))
    .slice(0, MOST_FREED);
  const due = asking
    .filter((each) => isDue(turns, each.kind, each.candidate.key, now) && !freed.includes(each))
    .toSorted((a, b) => byTurn(turns, now)([a.kind, a.candidate.key], [b.kind, b.candidate.key]));
  const admitted = new Set(
    [
      ...freed,
      ...due.filter(({ kind }) => kind !== 'hold').slice(0, MOST_RETRIED),
      ...due.filter(({ kind }) => kind === 'hold').slice(0, MOST_ASKED_AGAIN),
    ].map(({ candidate }) => candidate.key),
  );
  return new Map(
    waiting
      .filter(({ candidate }) => !admitted.has(candidate.key))
      .map(({ candidate, turn }) => [
        candidate.key,
        { reason: turn.hold?.reason ?? 'failed', message: turn.message ?? 'it was asked about before' },
      ]),
  );
}

/** Whether a candidate was asked about in an earlier pass. */
export function wasAsked(turns: Turns, key: string): boolean {
  return turnOf(turns, key) !== undefined;
}

const KINDS: readonly TurnKind[] = ['hang', 'read', 'hold'];

// What weighs most, when there are several.
function turnOf(turns: Turns, key: string): { readonly kind: TurnKind; readonly turn: Turn } | undefined {
  for (const kind of KINDS) {
    const turn = turns[turnKey(kind, key)];
    if (turn) return { kind, turn };
  }
  return undefined;
}

// Whether something that it was held by has changed.
function isFreed({ issue }: Candidate, { hold }: Turn, { isOpen }: Pick<Occasion, 'isOpen'>): boolean {
  if (!hold) return false;
  return hold.updatedAt !== issue.updatedAt || hold.waitsFor.some((ref) => !isOpen(ref));
}
