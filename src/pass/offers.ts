// Between the machine that decides and the one that takes: what is offered, and what becomes of an offer.

import type { Decision } from '../core/choice/choice.ts';
import type { Candidate } from '../core/issue/candidate.ts';
import type { Config } from '../core/config/config.ts';
import { bareName, nameOn, type Servers } from '../core/config/servers.ts';
import { issueKey, serverOf, serverWith, taskKey } from '../core/issue/identity.ts';
import type { Issue } from '../core/issue/issue.ts';
import type { Listing } from '../core/listing/listing.ts';
import type { Meeting, Offer } from '../core/store/store.ts';
import type { DispatchDeps } from './pass-deps.ts';

/** What a machine looks at that does not decide: what it is offered, and nothing else. */
export function listingOf({ offers }: Pick<Meeting, 'offers'>, { servers }: Pick<Config, 'servers'>): Listing {
  return { issues: offers.flatMap((offer) => issueHere(offer, servers)), warnings: [], isUnread: () => true };
}

/** What a machine chooses from that decides. */
interface Queue {
  readonly listing: Listing;
  /** Whether one that lists more has offered a task to other machines: it need not be read here, and may not be. */
  readonly isStanding: (key: string) => boolean;
}

/** What was listed, and what is offered besides by a machine that lists more. */
export function queueOf(listing: Listing, { isDecider, offers, offersElsewhere }: Meeting, config: Config): Queue {
  if (!isDecider || offers.length + offersElsewhere.length === 0) return { listing, isStanding: () => false };
  const known = new Set(listing.issues.map((issue) => keyOf(issue, config)));
  const unknown = (offer: Offer): readonly Issue[] =>
    issueHere(offer, config.servers).filter((issue) => !known.has(keyOf(issue, config)));
  const standing = new Set(offersElsewhere.filter((offer) => unknown(offer).length > 0).map(({ key }) => key));
  const more = [...offers, ...offersElsewhere].flatMap((offer) => unknown(offer));
  return { listing: { ...listing, issues: [...listing.issues, ...more] }, isStanding: (key) => standing.has(key) };
}

function keyOf({ repository, id }: Issue, config: Config): string {
  return issueKey(serverWith(config, repository), id);
}

// The machine that decides may have another name for the server. What is on one that is not configured here is not taken.
function issueHere({ key, agent, issue }: Offer, servers: Servers): readonly Issue[] {
  const server = servers.find(({ url }) => key === taskKey(serverOf(url), issue.id, agent));
  return server ? [{ ...issue, repository: nameOn(server.name, bareName(issue.repository)) }] : [];
}

/** Offers what was chosen for another machine; what was offered before, and was not taken, is not any more. */
export async function makeOffer(deps: DispatchDeps, { isOffering }: Meeting, chosen: Candidate | null): Promise<void> {
  if (chosen === null && !isOffering) return;
  const { store, config } = deps;
  if (chosen === null) return store.offer(null);
  const { key, agent, issue, priority } = chosen;
  const { id, repository, number, title, labels, author, assignees, createdAt, updatedAt } = issue;
  // No text of it: whoever takes it reads it again.
  const row = { id, repository, number, title, labels, author, assignees, createdAt, updatedAt };
  await store.offer({ key, agent, issue: row, server: serverWith(config, repository), priority });
}

/** Gates that open by themselves: an offer waits for them. */
const PASSING = new Set(['paused', 'rate_limited', 'agent_busy']);
const REFUSED_MS = 5 * 60_000;

/**
 * Gives back the offers that this machine cannot take, with the reason: another one is chosen meanwhile. Whoever decides puts an offer
 * of its own in their place, and so has none of them wait here: it would be made anew, and never be too old.
 */
export async function declineOffers(
  deps: DispatchDeps,
  { offers, isDecider }: Meeting,
  { rows }: Decision,
): Promise<void> {
  const outcomes = new Map(rows.map(({ candidate, outcome }) => [candidate.key, outcome]));
  for (const offer of offers) {
    const isHere = issueHere(offer, deps.config.servers).length > 0;
    const why = isHere ? whyNot(outcomes.get(offer.key), isDecider) : 'its server is not configured there';
    if (why !== null) await deps.store.decline(offer.key, why, REFUSED_MS);
  }
}

function whyNot(outcome: Decision['rows'][number]['outcome'] | undefined, isDecider: boolean): string | null {
  if (!outcome) return 'it is not what the list said any more, or cannot be seen there';
  if (outcome.kind !== 'skipped' || (PASSING.has(outcome.reason) && !isDecider)) return null;
  return `${outcome.reason}: ${outcome.detail}`;
}
