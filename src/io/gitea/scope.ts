// One scope in one pass: what changed, then pages of its listing, as many as its state asks for.

import { UserError } from '../../core/errors.ts';
import type { MovedPull } from '../../core/issue/pull-feedback.ts';
import type { Scope } from '../../core/listing/scope.ts';
import {
  addsUp,
  BEGINNING,
  beginRound,
  endLap,
  isDisturbed,
  learn,
  type Listed,
  nextSince,
  type ScopeState,
} from '../../core/listing/scope-state.ts';
import type { ScopeCache } from '../state/listing-cache.ts';
import type { GiteaClient } from './client.ts';
import { badAnswer } from './outage.ts';
import { type Page, readPages } from './pages.ts';

/** Told after each further page of a long listing: what is listed, how many came, how many there are (null: unknown). */
export type Progress = (name: string, count: number, total: number | null) => void;

type Verdict = 'read' | 'ignored' | 'restart';

/** What became of a scope. */
export type Finding =
  /** `lost`: elements that could not be read; `left`: what is said of issues that are too long. */
  | ({ readonly kind: 'read'; readonly lost: number; readonly left: readonly string[] } & PullsSeen)
  /** It does not exist for this token. */
  | { readonly kind: 'missing' }
  | { readonly kind: 'failed'; readonly error: UserError };

/** The pull requests that moved. `areUntold`: this pass cannot tell which ones did. */
interface PullsSeen {
  readonly pulls: readonly MovedPull[];
  readonly areUntold: boolean;
}

interface Pace {
  /** Whether it is to be told which pull requests moved. */
  readonly wantsPulls: boolean;
  readonly progress: Progress;
  readonly hasTime: () => boolean;
}

/** Up to so many open issues, unassigned ones are rows as well. */
const MOST_KEPT = 1000;
/** Up to so many changes are read whatever is open. */
const FEW_CHANGES = 2000;
/** More changes than these are left to a new listing, which can go on in the next pass. */
const MOST_CHANGES = 10_000;
/** Pages that are read when the numbers do not add up. */
const MORE_PAGES = 10;
/** So many pages that bring nothing new are a server without an end, not a listing that moves while it is read. */
const MOST_KNOWN_PAGES = 3;
/** A watermark that stands still for so long goes on over elements that stay unreadable. */
const PATIENCE_MS = 15 * 60_000;

/** Asks what a pass needs to know of a scope, into its cache. */
export async function followScope(client: GiteaClient, scope: Scope, cache: ScopeCache, pace: Pace): Promise<Finding> {
  const tally: Tally = { lost: 0, count: 0, left: [], pulls: [] };
  try {
    // A page of open issues shows everything but pull requests: the two take turns, so that a pass asks no more.
    const { since, isPullsTurn } = cache.state();
    const isLong = !isShort(cache.state());
    const asksDelta = isLong || (pace.wantsPulls && since !== null && isPullsTurn);
    const delta = asksDelta ? await readDelta(client, scope, cache, tally, pace.wantsPulls) : 'ignored';
    if (delta === 'missing') return { kind: 'missing' };
    const state = cache.state();
    state.isPullsTurn = isLong || delta !== 'read';
    const isEnough = !isLong && delta === 'read' && addsUp(state);
    if (!isEnough && (await readRound(client, scope, cache, { ...pace, delta, tally })) === 'missing')
      return { kind: 'missing' };
    if (tally.lost > 0 && tally.lost === tally.count) {
      throw badAnswer(`all ${tally.lost} issues that Gitea sent for ${scope.name} are unreadable`);
    }
    const areUntold = pace.wantsPulls && delta === 'ignored' && (asksDelta || since === null);
    return { kind: 'read', lost: tally.lost - tally.left.length, left: tally.left, pulls: tally.pulls, areUntold };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { kind: 'failed', error };
  }
}

// Nothing is known yet; or the listing is a page, which tells everything in one request.
function isShort({ since, isWhole, total, cursor }: ScopeState): boolean {
  return since === null || (isWhole && total !== null && total <= cursor.most);
}

interface Tally {
  lost: number;
  count: number;
  left: string[];
  readonly pulls: MovedPull[];
}

function taken(tally: Tally, { listed, left }: Page, lost: number): void {
  tally.lost += lost;
  tally.count += listed.length;
  if (left !== null) tally.left.push(left);
}

// `ignored`: there is no answer to rely on, and the listing has to tell everything.
async function readDelta(
  client: GiteaClient,
  scope: Scope,
  cache: ScopeCache,
  tally: Tally,
  wantsPulls: boolean,
): Promise<'read' | 'ignored' | 'missing'> {
  const state = cache.state();
  const since = state.since ?? 0;
  const found: { verdict: Verdict; date: number | null; lost: number; pages: number } = {
    verdict: 'read',
    date: null,
    lost: 0,
    pages: 0,
  };
  const query = `state=all${wantsPulls ? '' : '&type=issues'}&since=${new Date(since).toISOString().replace(/\.\d+Z$/u, 'Z')}`;
  const outcome = await readPages(client, scope, query, BEGINNING, (page) => {
    if (found.pages === 0) found.date = page.date;
    found.pages += 1;
    found.verdict = verdictOn(page, since, found.date, state.open.size());
    if (found.verdict !== 'read') return false;
    const { lost } = learn(state, scope, page.listed, null);
    found.lost += lost;
    taken(tally, page, lost);
    tally.pulls.push(...page.listed.flatMap((item) => (item.kind === 'pull' ? [item.pull] : [])));
    return true;
  });
  if (outcome === 'missing') return 'missing';
  if (found.verdict === 'restart') cache.restart();
  if (found.verdict !== 'read') return 'ignored';
  const next = nextSince(state, found.date);
  if (found.lost === 0 || (next ?? 0) - since > PATIENCE_MS) state.since = next;
  return 'read';
}

function verdictOn({ listed, total }: Page, since: number, date: number | null, open: number): Verdict {
  if (listed.some((item) => isOlder(item, since))) return 'ignored';
  // A watermark that the server's own clock has not reached is none of this server.
  if (date !== null && date < since) return 'restart';
  // As many changes as there are open issues cost as much as a new listing.
  return (total ?? 0) > Math.max(FEW_CHANGES, Math.min(open, MOST_CHANGES)) ? 'restart' : 'read';
}

function isOlder(item: Listed, since: number): boolean {
  const updatedAt = item.kind === 'issue' ? item.issue.updatedAt : item.kind === 'closed' ? item.updatedAt : since;
  return updatedAt < Math.floor(since / 1000) * 1000;
}

async function readRound(
  client: GiteaClient,
  scope: Scope,
  cache: ScopeCache,
  { progress, hasTime, wantsPulls, delta, tally }: Pace & { readonly delta: 'read' | 'ignored'; readonly tally: Tally },
): Promise<'read' | 'missing'> {
  const state = cache.state();
  // Without a watermark to ask by, what it was is to be seen from the beginning.
  if (delta === 'ignored' && state.isWhole) beginRound(state);
  if (!state.isWhole) state.passes += 1;
  let began: number | null | undefined;
  let pages = 0;
  for (;;) {
    let known = 0;
    let isAnew = false as boolean;
    const outcome = await readPages(client, scope, 'state=open&type=issues', state.cursor, (page) => {
      began ??= page.date;
      pages += 1;
      if (isDisturbed(state, page.total)) {
        beginRound(state);
        isAnew = true;
        return false;
      }
      if (state.open.size() === 0 && !state.isWhole) state.keepsAll ||= (page.total ?? 0) <= MOST_KEPT;
      state.total = page.total ?? (page.left === null ? null : state.total);
      state.cursor = page.next;
      const { isNew, lost } = learn(state, scope, page.listed, cache.updatedAt);
      taken(tally, page, lost);
      state.gap = state.total === null ? null : state.open.size() - state.total;
      known = isNew || page.listed.length === 0 || page.left !== null || state.isWhole ? 0 : known + 1;
      if (known > MOST_KNOWN_PAGES && state.lap === 1) {
        state.cursor = BEGINNING;
        throw badAnswer(`Gitea hands out the same issues again and again for ${scope.name}`);
      }
      if (!state.isWhole && pages > 1) progress(scope.name, state.open.size(), state.total);
      return hasTime() && pages < most(state, delta);
    });
    if (outcome === 'missing') return 'missing';
    if (state.since === null && began !== undefined) state.since = nextSince(state, began);
    const mayGoOn = hasTime() && pages < most(state, delta);
    if (outcome === 'stopped' || isAnew) {
      if (isAnew && mayGoOn) continue;
      return 'read';
    }
    if (endLap(state, cache.seen()) === 'done') {
      // All of it was seen since then.
      if (delta === 'ignored' && pages === 1 && !wantsPulls) state.since = nextSince(state, began ?? null);
      return 'read';
    }
    // What is shown once more is counted once.
    Object.assign(tally, { lost: 0, count: 0, left: [] });
    if (!hasTime() || pages >= most(state, delta)) return 'read';
  }
}

function most(state: ScopeState, delta: 'read' | 'ignored'): number {
  if (!state.isWhole || delta === 'ignored') return Number.POSITIVE_INFINITY;
  return addsUp(state) ? 1 : MORE_PAGES;
}
