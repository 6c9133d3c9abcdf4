// What a choice has learnt so far while it tries one candidate after the other.

import type { Decision } from '../core/choice/choice.ts';
import type { Turns } from '../core/choice/turns.ts';
import type { Instant } from '../core/clock.ts';
import type { Candidate } from '../core/issue/candidate.ts';
import type { HeldBack } from '../core/issue/eligibility.ts';
import { issueKeyOf } from '../core/issue/identity.ts';
import type { Listing } from '../core/listing/listing.ts';
import type { ListedCandidates } from '../core/state/state.ts';
import type { Meeting } from '../core/store/store.ts';

/** So many different issues, none of which failed before, fail because a server does not answer before that is the server's fault. */
const SERVER_IS_DOWN = 2;

/** What is known so far. */
export interface Search {
  readonly listed: ListedCandidates;
  candidates: readonly Candidate[];
  turns: Turns;
  readonly heldBack: Map<string, HeldBack>;
  readonly warnings: string[];
  /** Issues for which Gitea did not answer, and none of which failed before. */
  readonly outages: Map<string, Outage>;
  /** Servers that do not answer. */
  readonly down: Set<string>;
  /** By server the issues for which it did not answer, whether or not they failed before. */
  readonly silences: Map<string, Set<string>>;
  /** How many servers could be listed. */
  readonly answering: number;
  readonly serverOf: (candidate: Candidate) => string;
  failure: unknown;
  asked: number;
  fresh: number;
}

interface Outage {
  readonly about: readonly Candidate[];
  readonly message: string;
  readonly server: string;
}

/** What was asked about is not forgotten for so long because its server is away: all of it would be new again, and first. */
const AWAY_MS = 24 * 60 * 60_000;

/** What a listing says of who is a candidate. */
export function listedCandidates(
  candidates: readonly Candidate[],
  { isPartial }: Listing,
  now: Instant,
): ListedCandidates {
  return { keys: new Set(candidates.map(({ key }) => key)), since: isPartial ? now - AWAY_MS : null };
}

/** How many servers could be listed: the only one, where nothing is said of several. */
export function answersIn({ answers }: Listing): number {
  return answers?.filter(({ error }) => error === null).length ?? 1;
}

/** Notes that a server did not answer for an issue that never failed before. */
export function noteOutage(
  search: Search,
  target: Candidate,
  { about, message, error }: Pick<Outage, 'about' | 'message'> & { readonly error: unknown },
): void {
  const server = search.serverOf(target);
  search.outages.set(issueKeyOf(target), { about, message, server });
  const count = [...search.outages.values()].filter((outage) => outage.server === server).length;
  if (count < SERVER_IS_DOWN) return;
  search.down.add(server);
  if (search.down.size >= search.answering) search.failure = error;
}

/** Whether a candidate on another server may go as soon as this one is out of its way. */
export function doOthersWait({ answering, serverOf }: Search, { rows }: Decision, target: Candidate): boolean {
  if (answering === 1) return false;
  const server = serverOf(target);
  return rows.some(
    ({ candidate, outcome }) =>
      (outcome.kind === 'next' || outcome.kind === 'waiting') && serverOf(candidate) !== server,
  );
}

/**
 * What else is on a server that does not answer stands in front of nobody, where there are others that may. `isShort`: already the
 * first time.
 */
export function letOthersPass(
  search: Search,
  target: Candidate,
  { message, isShort }: { readonly message: string; readonly isShort: boolean },
): void {
  const server = search.serverOf(target);
  const silences = (search.silences.get(server) ?? new Set()).add(issueKeyOf(target));
  search.silences.set(server, silences);
  if (search.answering === 1 || silences.size < (isShort ? 1 : SERVER_IS_DOWN)) return;
  for (const candidate of search.candidates)
    if (search.serverOf(candidate) === server) search.heldBack.set(candidate.key, { reason: 'failed', message });
}

/** What whoever decides knows of the other machines. */
export interface Others {
  /** Whether an agent lives on other machines alone. */
  readonly isElsewhere: (agent: string) => boolean;
  /** Whether an agent's machine came a moment ago, and can use its folder. */
  readonly isPresent: (agent: string) => boolean;
  /** What these could not take, and why, by the key of the candidate. */
  readonly declined: ReadonlyMap<string, string>;
  /** What they could not take before, and since when it may be tried again, in milliseconds. */
  readonly dueAgain: ReadonlyMap<string, number>;
  /** Why nothing is offered to an agent for a while, by its login. */
  readonly passedOver: ReadonlyMap<string, string>;
  /** Whether one that lists more has offered a task to other machines. */
  readonly isStanding: (key: string) => boolean;
}

/** There is one machine. */
export const NO_OTHERS: Others = {
  isElsewhere: () => false,
  isPresent: () => true,
  declined: new Map(),
  dueAgain: new Map(),
  passedOver: new Map(),
  isStanding: () => false,
};

/** What is known of the others after a meeting. */
export function othersIn(
  { agentsPresent, declined, dueAgain, passedOver }: Meeting,
  known: Pick<Others, 'isElsewhere' | 'isStanding'>,
): Others {
  return { ...known, isPresent: (agent) => agentsPresent?.has(agent) ?? true, declined, dueAgain, passedOver };
}

const ABSENT =
  'the machine of its agent has not come for some minutes, or cannot use its folder: doctor there tells why';

/** The same with what other machines could not take, and what waits for one that does not come. */
export function withDeclined(
  heldBack: Map<string, HeldBack>,
  candidates: readonly Candidate[],
  others: Others,
): Map<string, HeldBack> {
  const { isElsewhere, isPresent, declined, dueAgain, passedOver } = others;
  const again = declined.size + dueAgain.size === 0 ? new Set() : triedAgain(candidates, others);
  for (const { key, agent } of candidates) {
    if (!isElsewhere(agent) || heldBack.has(key)) continue;
    const why = passedOver.get(agent);
    const message = isPresent(agent)
      ? (declined.get(key) ??
        (why && `${agent} did not take what it was offered lately: ${why}`) ??
        (dueAgain.has(key) && !again.has(key) ? IN_TURN : undefined))
      : ABSENT;
    if (message !== undefined) heldBack.set(key, { reason: 'failed', message });
  }
  return heldBack;
}

const IN_TURN = 'the machine of its agent could not take it, and others like it are tried again before it';

// Of each agent one at a time, and that which waits the longest: what can be taken goes in between, however many cannot.
function triedAgain(candidates: readonly Candidate[], { declined, dueAgain }: Others): ReadonlySet<unknown> {
  const busy = new Set(candidates.flatMap(({ key, agent }) => (declined.has(key) ? [agent] : [])));
  const longest = new Map<string, { readonly key: string; readonly ago: number }>();
  for (const { key, agent } of candidates) {
    const ago = dueAgain.get(key);
    if (ago === undefined || busy.has(agent) || ago <= (longest.get(agent)?.ago ?? -1)) continue;
    longest.set(agent, { key, ago });
  }
  return new Set([...longest.values()].map(({ key }) => key));
}
