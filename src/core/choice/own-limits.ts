// The limits that an agent or a repository has besides the one for all: at most one task of theirs in any window that long.

import { type Instant, shortDuration, toRfc3339 } from '../clock.ts';
import type { Config } from '../config/config.ts';
import { bareName } from '../config/servers.ts';
import type { Candidate } from '../issue/candidate.ts';
import { nextFreeSlot, SLOT_PATIENCE_MS } from './slot.ts';

/** A limit that holds for a candidate besides the one for all. */
export interface OwnLimit {
  /** `agent hans`, or `repository acme/app`: what the last file is remembered by. */
  readonly scope: string;
  /** What people call it: `hans`, `acme/app`. */
  readonly name: string;
  readonly ms: number;
}

/** When the last task file of a scope appeared; null: none is known. */
export type LastOf = (scope: string) => Instant | null;

type Limited = Pick<Config, 'rateLimits'>;
type Named = Pick<Candidate, 'agent'> & { readonly issue: { readonly repository: string } };

/** The limits of its own that a candidate is under, by its agent and by its repository. */
export function ownLimits({ rateLimits }: Limited, { agent, issue }: Named): readonly OwnLimit[] {
  if (rateLimits.agents.size + rateLimits.repositories.size === 0) return [];
  const repository = issue.repository.toLowerCase();
  const ofAgent = rateLimits.agents.get(agent);
  // Of several servers a name alone means each of them.
  const [ofRepository] = [repository, bareName(repository)].flatMap((name) => limitOf(rateLimits.repositories, name));
  return [
    ...(ofAgent === undefined ? [] : [{ scope: `agent ${agent}`, name: agent, ms: ofAgent }]),
    ...(ofRepository === undefined ? [] : [{ scope: `repository ${repository}`, name: repository, ms: ofRepository }]),
  ];
}

function limitOf(limits: ReadonlyMap<string, number>, repository: string): readonly number[] {
  const owner = repository.slice(0, repository.indexOf('/'));
  const limit = limits.get(repository) ?? limits.get(`${owner}/*`);
  return limit === undefined ? [] : [limit];
}

/** When all of a candidate's own limits let its file appear; never before `now`. */
export function ownSlotOpensAt(config: Limited, candidate: Named, lastOf: LastOf, now: Instant): Instant {
  const opens = ownLimits(config, candidate).map(({ scope, ms }) => nextFreeSlot(lastOf(scope), ms, now));
  return Math.max(now, ...opens);
}

/** Why a candidate has to wait for longer than a pass does, because of a limit of its own; undefined: it has not. */
export function closedLimit(config: Limited, candidate: Named, lastOf: LastOf, now: Instant): string | undefined {
  for (const { scope, name, ms } of ownLimits(config, candidate)) {
    const opensAt = nextFreeSlot(lastOf(scope), ms, now);
    // An instant and no duration: what is decided again and again the same is not written again.
    if (opensAt - now > SLOT_PATIENCE_MS)
      return `${name} gets at most one task every ${shortDuration(ms)}; the next one after ${toRfc3339(opensAt)}`;
  }
  return undefined;
}

/** The longest window of any limit of its own; 0: there is none. */
export function longestOwnLimit({ rateLimits }: Limited): number {
  return Math.max(0, ...rateLimits.agents.values(), ...rateLimits.repositories.values());
}
