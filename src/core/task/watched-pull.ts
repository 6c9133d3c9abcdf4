// The pull requests that are watched for a task: which ones, when each is read, and what of it is news. The listing tells which
// ones moved. What moves none is looked for a few times after one moved, until it is known: checks that run, a merge that the
// server has not tried yet. Then nothing is asked until something moves again.

import { fromRfc3339, type Instant, toRfc3339 } from '../clock.ts';
import type { PullRequest } from '../issue/context.ts';
import type { Comment } from '../issue/issue.ts';
import type { Check, LineComment, MovedPull, PullFeedback, PullReview } from '../issue/pull-feedback.ts';
import type { Reading } from './news.ts';
import type { TrackedTask, WatchedPull } from './tracked.ts';
import { beginningOf } from './untrusted.ts';

/** What is new in a pull request. */
export interface PullNews {
  readonly ref: string;
  readonly isOurs: boolean;
  readonly pull: PullFeedback;
  /** With their new comments only; `isNew` false: only those are. */
  readonly reviews: readonly (Omit<PullReview, 'comments'> & {
    readonly isNew: boolean;
    readonly comments: readonly LineComment[];
  })[];
  readonly comments: readonly Comment[];
  /** Checks that failed. */
  readonly checks: readonly Check[];
  readonly isConflict: boolean;
}

/** So many are watched for a task. */
const MOST_PULLS = 3;
const MINUTE = 60_000;
const LONGEST_WAIT = 30 * MINUTE;
/** Checks may be announced a while after a push; those that run end some time. */
const MOST_LOOKS = { unannounced: 5, pending: 30 };
/** When the server cannot tell what moved. */
const UNTOLD_WAIT = 10 * MINUTE;
/** `updated_at` has seconds: what was read within the same second may have moved after that. */
const SAME_SECOND = 2000;
const SHORT = 12;

/** The pull requests to watch, by those that the timeline names now, and behind them the closed ones that were. */
export function watchedPulls(
  watched: readonly WatchedPull[],
  found: readonly PullRequest[],
  facts: {
    readonly agent: string;
    readonly from: Instant;
    readonly lookAt: Instant;
    readonly isWanted: (repository: string, author: string) => boolean;
  },
): WatchedPull[] {
  const wanted = found.filter(({ ref, author }) => facts.isWanted(repositoryOf(ref), author.toLowerCase()));
  const isOurs = ({ closes, author }: PullRequest): boolean => closes || author.toLowerCase() === facts.agent;
  // Ours first, then the newest: the timeline has the newest at its end.
  const chosen = wanted
    .filter(({ state }) => state === 'open')
    .toReversed()
    .toSorted((a, b) => Number(isOurs(b)) - Number(isOurs(a)))
    .slice(0, MOST_PULLS);
  const knownOf = ({ ref, number }: PullRequest): WatchedPull[] =>
    watched.filter((each) => each.repository === repositoryOf(ref) && each.number === number);
  const closed = wanted.filter(({ state }) => state === 'closed').flatMap(knownOf);
  const open = chosen.map((pull): WatchedPull => {
    const [known] = knownOf(pull);
    if (known?.isOpen) return { ...known, isOurs: isOurs(pull) };
    if (known) return { ...known, isOurs: isOurs(pull), isOpen: true, lookAt: toRfc3339(facts.lookAt) };
    return {
      repository: repositoryOf(pull.ref),
      number: pull.number,
      isOurs: isOurs(pull),
      isOpen: true,
      from: toRfc3339(facts.from),
      updatedAt: null,
      movedAt: null,
      lookAt: toRfc3339(facts.lookAt),
      looks: 0,
      othersAt: null,
      said: [],
      failed: [],
      conflict: 'none',
    };
  });
  return [...open, ...closed.slice(-MOST_PULLS).map((pull) => ({ ...pull, isOpen: false, lookAt: null }))];
}

function repositoryOf(ref: string): string {
  return ref.slice(0, ref.indexOf('#'));
}

/** The task with its pull requests to be read of which a listing shows that they moved. */
export function withMoved(
  task: TrackedTask,
  moved: readonly MovedPull[],
  isUntold: (repository: string) => boolean,
  now: Instant,
): TrackedTask {
  const pulls = task.pulls.map((pull) => {
    const at = moved.find((each) => each.number === pull.number && isSame(each, pull));
    if (!pull.isOpen && at?.isOpen !== true) return pull;
    // Once for each time: it may not be readable.
    if (at && at.updatedAt > Math.max(instantOf(pull.updatedAt), instantOf(pull.movedAt)))
      return lookedFor(pull, now, { looks: 0, movedAt: toRfc3339(at.updatedAt) });
    if (!pull.isOpen) return pull;
    // Its base may have moved: what is merged is closed. The server tries the merge anew, which takes it a moment.
    const others = moved.filter((each) => !each.isOpen && isSame(each, pull)).map(({ updatedAt }) => updatedAt);
    const othersAt = Math.max(0, ...others);
    const known = Math.max(pull.updatedAt === null ? now : instantOf(pull.updatedAt), instantOf(pull.othersAt));
    if (othersAt > known) return lookedFor(pull, now + MINUTE, { othersAt: toRfc3339(othersAt) });
    if (isUntold(pull.repository)) return lookedFor(pull, now + UNTOLD_WAIT, {});
    return pull;
  });
  return pulls.every((pull, index) => pull === task.pulls[index]) ? task : { ...task, pulls };
}

function instantOf(text: string | null): Instant {
  return fromRfc3339(text ?? '') ?? 0;
}

function isSame(moved: MovedPull, pull: WatchedPull): boolean {
  return moved.repository.toLowerCase() === pull.repository.toLowerCase();
}

// Not later than it would be anyhow.
function lookedFor(pull: WatchedPull, at: Instant, change: Partial<WatchedPull>): WatchedPull {
  const before = fromRfc3339(pull.lookAt ?? '');
  if (before !== undefined && before <= at && Object.keys(change).length === 0) return pull;
  return { ...pull, ...change, lookAt: toRfc3339(Math.min(before ?? at, at)) };
}

/** Whether a pull request is to be read now. A time that is far ahead was written by another clock. */
export function isLookDue({ lookAt }: WatchedPull, now: Instant): boolean {
  const at = fromRfc3339(lookAt ?? '');
  return at !== undefined && (at <= now || at > now + 2 * LONGEST_WAIT);
}

/** The same pull request, to be read again later: it could not be read now. */
export function postponed(pull: WatchedPull, now: Instant): WatchedPull {
  return { ...pull, looks: pull.looks + 1, lookAt: toRfc3339(now + waitAfter(pull.looks)) };
}

function waitAfter(looks: number): number {
  return Math.min(LONGEST_WAIT, MINUTE * 2 ** Math.min(looks, 10));
}

/** Whether the comments on the lines of a review are to be read: not those that are known already. */
export function hasNewLines(
  { said, from }: WatchedPull,
  review: Omit<PullReview, 'comments'>,
  { sha256 }: Pick<Reading, 'sha256'>,
): boolean {
  const isOld = said.length === 0 && review.at <= (fromRfc3339(from) ?? 0);
  return review.count > 0 && !isOld && !said.includes(linesHash(review, sha256));
}

/** What is news of a pull request that was read, and what is remembered of it. */
export function pullNewsIn(
  pull: WatchedPull,
  now: PullFeedback,
  reading: Reading,
  at: Instant,
): { readonly news: PullNews | null; readonly pull: WatchedPull } {
  const readAt = toRfc3339(now.updatedAt - (at - now.updatedAt < SAME_SECOND ? 1000 : 0));
  if (!now.isOpen)
    return { news: null, pull: { ...pull, isOpen: false, updatedAt: readAt, movedAt: null, lookAt: null } };
  const from = fromRfc3339(pull.from) ?? 0;
  const said = new Set(pull.said);
  const isNews = (each: { readonly author: string; readonly body: string }, when: Instant, key: string): boolean =>
    !said.has(key) && when > from && reading.isHeard(each);
  const reviews = (now.talk?.reviews ?? []).flatMap((review) => {
    const isNew = isNews(review, review.at, reviewHash(review, reading.sha256));
    // They may have been written long before they could be seen.
    const comments = (review.comments ?? []).filter((each) =>
      isNews(each, Math.max(each.at, review.at), lineHash(each, reading.sha256)),
    );
    // One without a word is there for its comments.
    const says = isNew && (review.body.trim() !== '' || review.state !== 'COMMENT');
    return says || comments.length > 0 ? [{ ...review, isNew: says, comments }] : [];
  });
  const comments = (now.talk?.comments ?? []).filter((each) =>
    isNews(each, each.createdAt, commentHash(each, reading.sha256)),
  );
  const failed = now.checks.filter(({ state }) => state === 'failed');
  const checks = failed.filter((check) => !pull.failed.includes(checkHash(now, check, reading.sha256)));
  const conflict = conflictAfter(pull, now);
  const isConflict = conflict === 'told' && pull.conflict !== 'told';
  const isCut = (now.talk?.reviews ?? []).some((review) => isLeft(pull, review, reading));
  const hasNews = reviews.length > 0 || comments.length > 0 || checks.length > 0 || isConflict;
  const ref = `${pull.repository}#${pull.number}`;
  return {
    news: hasNews ? { ref, isOurs: pull.isOurs, pull: now, reviews, comments, checks, isConflict } : null,
    pull: {
      ...pull,
      isOpen: true,
      updatedAt: isCut ? pull.updatedAt : readAt,
      movedAt: null,
      said: now.talk === null ? pull.said : saidIn(pull, now.talk, reading),
      failed: failed.map((check) => checkHash(now, check, reading.sha256)),
      conflict,
      looks: pull.looks + 1,
      lookAt: conflict === 'suspected' || isCut ? toRfc3339(at + MINUTE) : nextLook(pull, now, at),
    },
  };
}

function conflictAfter({ conflict }: WatchedPull, { isMergeable }: PullFeedback): WatchedPull['conflict'] {
  if (isMergeable !== false) return 'none';
  return conflict === 'none' ? 'suspected' : 'told';
}

function nextLook({ looks }: WatchedPull, { checks, head }: PullFeedback, at: Instant): string | null {
  const isRunning = checks.some(({ state }) => state === 'pending');
  const isUnannounced = head !== null && checks.length === 0;
  const most = isRunning ? MOST_LOOKS.pending : isUnannounced ? MOST_LOOKS.unannounced : 0;
  return looks + 1 < most ? toRfc3339(at + waitAfter(looks)) : null;
}

// Those whose lines are known are not read again: what was said there stays remembered.
function saidIn(pull: WatchedPull, talk: NonNullable<PullFeedback['talk']>, reading: Reading): string[] {
  const { sha256 } = reading;
  const keys = [
    ...pull.said.filter((key) => key.startsWith('l')),
    ...talk.reviews.flatMap((review) => [
      reviewHash(review, sha256),
      ...(isLeft(pull, review, reading) ? [] : [linesHash(review, sha256)]),
      ...(review.comments ?? []).map((each) => lineHash(each, sha256)),
    ]),
    ...talk.comments.map((each) => commentHash(each, sha256)),
  ];
  return [...new Set(keys)];
}

// More reviews had new comments on lines than are read at once.
function isLeft(pull: WatchedPull, review: PullReview, reading: Reading): boolean {
  return review.comments === null && hasNewLines(pull, review, reading);
}

const short = (kind: string, value: unknown, sha256: Reading['sha256']): string =>
  kind + sha256(JSON.stringify(value)).slice(0, SHORT);
const reviewHash = ({ id, state, body }: Omit<PullReview, 'comments'>, sha256: Reading['sha256']): string =>
  short('r', [id, state, beginningOf(body)], sha256);
const linesHash = ({ id, count }: Pick<PullReview, 'id' | 'count'>, sha256: Reading['sha256']): string =>
  short('n', [id, count], sha256);
const lineHash = ({ id, body }: LineComment, sha256: Reading['sha256']): string =>
  short('l', [id, beginningOf(body)], sha256);
const commentHash = ({ author, createdAt, body }: Comment, sha256: Reading['sha256']): string =>
  short('c', [author, createdAt, beginningOf(body)], sha256);
const checkHash = ({ head }: PullFeedback, { name }: Check, sha256: Reading['sha256']): string =>
  short('', [head, beginningOf(name)], sha256);
