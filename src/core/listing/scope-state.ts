// What is known of a scope, and what each answer of the server makes of it. A delta tells what changed since the watermark; a
// listing that goes round and round tells what the server changed silently; its total tells at once that something is missing.

import type { Instant } from '../clock.ts';
import { coversRepository } from '../config/patterns.ts';
import type { Issue } from '../issue/issue.ts';
import type { MovedPull } from '../issue/pull-feedback.ts';
import { fingerprint, rowOf } from './row.ts';
import { type OpenIssues, openIssues, UNASSIGNED, UNREADABLE } from './open-issues.ts';
import type { Scope } from './scope.ts';

/** Changes that became visible after their time: the stamp is taken before the commit, and several nodes have several clocks. */
const OVERLAP_MS = 3 * 60_000;

/** An element of a listing. */
export type Listed =
  | { readonly kind: 'issue'; readonly issue: Issue; readonly repositoryId: number | null }
  | { readonly kind: 'closed'; readonly id: number; readonly updatedAt: Instant }
  /** Not readable; its id when that much is. */
  | { readonly kind: 'bad'; readonly id: number | null }
  | { readonly kind: 'pull'; readonly pull: MovedPull };

/** How far a listing is read: so many elements, in pages of so many. */
export interface Cursor {
  readonly from: number;
  /** The largest page that the server hands out: what is asked beyond it would stand at another place. */
  readonly most: number;
}

/** The beginning of a listing, in the largest pages of a server as it comes ([api] MAX_RESPONSE_ITEMS). */
export const BEGINNING: Cursor = { from: 0, most: 50 };

export interface ScopeState {
  /** What changed before then, by the server's clock, is known. Null: nothing is. */
  since: Instant | null;
  /** The newest `updated_at` of all that was seen. */
  latest: Instant;
  /** The clock of the answers is not the one of `updated_at`: a change was missed. */
  isClockOff: boolean;
  /** Every open issue has been seen once. */
  isWhole: boolean;
  /** Passes that the first listing has taken. */
  passes: number;
  /** Which pass was the last that had time for it, by a count of all scopes. */
  turn: number;
  cursor: Cursor;
  /** A round that did not add up is gone through once more before anything is taken for gone. */
  lap: 1 | 2;
  total: number | null;
  /** By how much the count differed at the page before; null at the beginning of a lap. */
  gap: number | null;
  /** By how much the count differs from the server's total for good: a total that lies. */
  off: number;
  /** Of configured repositories, by lower-cased name: their ids, and what they are called now. */
  names: Record<string, { readonly id: number; readonly now: string }>;
  /** Whether unassigned issues are rows as well: they may be sent to somebody by force, and then have news. */
  keepsAll: boolean;
  /** Of a listing of one page: whether it is the turn of what changed, which shows pull requests, or of the page. */
  isPullsTurn: boolean;
  readonly open: OpenIssues;
  /** Rows that are new since the state was read. */
  lines: string[];
  /** Ids that the server has shown in this round, since the state was read. */
  seen: number[];
  /** Whether this round began since the state was read. */
  isNewRound: boolean;
}

/** A scope of which nothing is known. */
export function unknownScope(keepsAll = false): ScopeState {
  return {
    since: null,
    latest: 0,
    isClockOff: false,
    isWhole: false,
    passes: 0,
    turn: 0,
    cursor: BEGINNING,
    lap: 1,
    total: null,
    gap: null,
    off: 0,
    names: {},
    keepsAll,
    isPullsTurn: true,
    open: openIssues(),
    lines: [],
    seen: [],
    isNewRound: true,
  };
}

/** The same, to be listed anew: what a repository that was configured is called now no listing tells. */
export function forgottenScope({ names }: Pick<ScopeState, 'names'>): ScopeState {
  const renamed = Object.entries(names).filter(([configured, { now }]) => now.toLowerCase() !== configured);
  return { ...unknownScope(), names: Object.fromEntries(renamed) };
}

/** What a page brought that nobody knew of. */
interface Learnt {
  readonly isNew: boolean;
  /** Elements without so much as an id. */
  readonly lost: number;
}

/**
 * Takes in what the server shows. `known`: for a page of the listing, when a row that is known was
 * updated last; null: this answers what changed since the watermark.
 */
export function learn(
  state: ScopeState,
  scope: Scope,
  listed: readonly Listed[],
  known: ((id: number) => Instant | undefined) | null,
): Learnt {
  const before = state.open.size();
  let lost = 0;
  for (const item of listed) {
    if (item.kind === 'issue') {
      if (known && isMissed(state, item.issue, known)) state.isClockOff = true;
      state.latest = Math.max(state.latest, item.issue.updatedAt);
      const isWanted = covers(state, scope, item) && (state.keepsAll || item.issue.assignees.length > 0);
      put(state, item.issue.id, isWanted ? rowOf(item.issue) : null);
    } else if (item.kind === 'closed') {
      state.latest = Math.max(state.latest, item.updatedAt);
      remove(state, item.id);
    } else if (item.kind === 'bad') {
      if (item.id === null) lost += 1;
      else put(state, item.id, null, UNREADABLE);
    }
  }
  if (state.isClockOff && state.since !== null) state.since = Math.min(state.since, state.latest - OVERLAP_MS);
  return { isNew: state.open.size() > before, lost };
}

// A page shows for the first time what changed before the watermark, although that should have told of it.
function isMissed(
  { isWhole, since, open }: ScopeState,
  issue: Issue,
  known: (id: number) => Instant | undefined,
): boolean {
  if (!isWhole || since === null || issue.updatedAt >= since) return false;
  const print = open.get(issue.id);
  if (print === undefined || print <= 0) return print === undefined || issue.assignees.length > 0;
  return print !== fingerprint(rowOf(issue)) && issue.updatedAt > (known(issue.id) ?? issue.updatedAt);
}

function put(state: ScopeState, id: number, row: string | null, other = UNASSIGNED): void {
  const { open } = state;
  const print = row === null ? other : fingerprint(row);
  const before = open.get(id);
  state.seen.push(id);
  if (before === print) return;
  open.set(id, print);
  if (row !== null) state.lines.push(row);
  else if ((before ?? 0) > 0) state.lines.push(String(id));
}

function remove(state: ScopeState, id: number): void {
  const before = state.open.get(id);
  if (before === undefined) return;
  state.open.delete(id);
  if (before > 0) state.lines.push(String(id));
}

// By its name, or by the id of one that had a configured name before.
function covers(state: ScopeState, scope: Scope, item: Listed & { readonly kind: 'issue' }): boolean {
  const { issue, repositoryId: id } = item;
  const name = issue.repository.toLowerCase();
  if (coversRepository(scope.patterns, name)) {
    if (id !== null && scope.isNamed(name) && state.names[name]?.id !== id)
      state.names = { ...state.names, [name]: { id, now: issue.repository } };
    return true;
  }
  if (scope.repository !== null) {
    const configured = scope.repository.toLowerCase();
    state.names = { ...state.names, [configured]: { id: id ?? 0, now: issue.repository } };
    return name.split('/')[0] === configured.split('/')[0];
  }
  const known = Object.entries(state.names).find(([, each]) => each.id === id);
  if (!known || id === null) return false;
  state.names = { ...state.names, [known[0]]: { id, now: issue.repository } };
  return true;
}

/** After all that changed since the watermark has come: where it stands now. `date`: the server's clock at the first page. */
export function nextSince({ since, latest, isClockOff }: ScopeState, date: Instant | null): Instant | null {
  const known = date === null || isClockOff ? (latest === 0 ? null : latest) : date;
  if (known === null) return since;
  return Math.max(since ?? 0, known - OVERLAP_MS);
}

/** Whether the server counts as many open issues as are known. */
export function addsUp({ open, total, off }: ScopeState): boolean {
  return total === null || open.size() - total === off;
}

/**
 * The listing has been gone through to its end. What it has not shown is gone when the numbers say so; when they do not, rows
 * may have moved from page to page meanwhile, and it is gone through once more. What does not add up then is the total's fault.
 */
export function endLap(state: ScopeState, seen: ReadonlySet<number>): 'again' | 'done' {
  const { open, total, off, lap } = state;
  const ids = open.ids();
  const gone = ids.filter((id) => !seen.has(id));
  const shown = ids.length - gone.length;
  const agrees = total === null || shown - total === off;
  state.cursor = BEGINNING;
  state.gap = null;
  if (!agrees && lap === 1) {
    state.lap = 2;
    return 'again';
  }
  if (agrees) for (const id of gone) remove(state, id);
  else state.off = shown - total;
  state.isWhole = true;
  beginRound(state);
  return 'done';
}

/**
 * Compares the counts before a page is taken in. When something went silently in the midst of a lap, rows moved up over the
 * place where it is read: the lap begins anew, since what was and what was not shown proves nothing any more.
 */
export function isDisturbed({ isWhole, gap, open, cursor }: ScopeState, total: number | null): boolean {
  return isWhole && gap !== null && total !== null && cursor.from > 0 && open.size() - total !== gap;
}

/** Forgets what this round has shown. */
export function beginRound(state: ScopeState): void {
  state.cursor = BEGINNING;
  state.gap = null;
  state.lap = 1;
  state.seen = [];
  state.isNewRound = true;
}
