// What a choice looks at, as one short text. Where a choice came to nothing, the next one does as well as long as that text is the
// same, and need not be made: so a pass that comes to nothing costs as much with 50 candidates as with 50,000.

import { nextFreeSlot, SLOT_PATIENCE_MS } from '../core/choice/slot.ts';
import { candidateTurns, dueKeys } from '../core/choice/turns.ts';
import { fromRfc3339, type Instant } from '../core/clock.ts';
import type { Config } from '../core/config/config.ts';
import type { Listing } from '../core/listing/listing.ts';
import type { Heartbeat } from '../core/state/last-pass.ts';
import { activePauses, type Pause } from '../core/state/pause.ts';
import { lastDispatchAt, type State } from '../core/state/state.ts';
import type { DispatchDeps } from './pass-deps.ts';

/** What there is to look at when a choice is to be made. */
export interface Outlook {
  readonly state: State;
  readonly listing: Listing;
  readonly now: Instant;
  /** Read once: a choice that saw a pause must not be remembered as one that saw none. */
  readonly pauses: readonly Pause[];
  /** What the other machines have and want, as one text. */
  readonly others: string;
}

/** Whether a choice would come to nothing because it came to nothing with the same. */
export function isAsBefore(deps: DispatchDeps, before: Heartbeat | null, outlook: Outlook): boolean {
  const basis = before?.basis;
  return basis ? printOf(deps, outlook, basis.agents) === basis.print : false;
}

/** More agents than these are not remembered: the file that each pass writes is to stay small. */
const MOST_AGENTS = 50;

/** What a choice that came to nothing has looked at; null when that cannot be told. */
export function basisOf(deps: DispatchDeps, outlook: Outlook): Heartbeat['basis'] {
  const agents = deps.tasks.lookedAt();
  const print = agents.length > MOST_AGENTS ? null : printOf(deps, outlook, agents);
  return print === null ? null : { print, agents: [...agents] };
}

// Time is in it as what it makes of the rest: which turns are due, which pauses hold, whether a slot is free.
function printOf(
  deps: DispatchDeps,
  { state, listing, now, pauses, others }: Outlook,
  agents: readonly string[],
): string | null {
  if (listing.stamp === undefined) return null;
  const { config } = deps;
  const turns = candidateTurns(state.turns);
  const parts = [
    deps.version,
    config,
    listing.stamp,
    listing.warnings,
    // What agents do with their tasks, and what is said of them, is no matter of the choice.
    Object.entries(state.tasks ?? {}).map(([key, task]) => [
      key,
      task.file,
      task.repository,
      task.number,
      task.dispatches,
    ]),
    turns,
    dueKeys(turns, now),
    nextFreeSlot(lastDispatchAt(state), config.rateLimitMs, now) - now <= SLOT_PATIENCE_MS,
    openScopes(config, state, now),
    activePauses(pauses, now),
    others,
    deps.tasks.fingerprint(agents),
  ];
  return deps.sha256(JSON.stringify(parts, (_, value: unknown) => (value instanceof Map ? [...value] : value)));
}

// Which of the limits that agents and repositories have of their own let a file appear now.
function openScopes({ rateLimits }: Config, { lastOf }: State, now: Instant): readonly unknown[] {
  const limits = [...new Set([...rateLimits.agents.values(), ...rateLimits.repositories.values()])];
  return Object.entries(lastOf ?? {}).map(([scope, { at }]) => {
    const last = fromRfc3339(at) ?? null;
    return [scope, limits.map((ms) => nextFreeSlot(last, ms, now) - now <= SLOT_PATIENCE_MS)];
  });
}
