// A pull request with what is said of it: three requests, one more for comments on the lines of each new review, and one more
// when nothing is known but that it moved. A token without read:repository reads what a page of the issue tracker shows.

import type { Instant } from '../../core/clock.ts';
import type { Comment } from '../../core/issue/issue.ts';
import type { PullFeedback, PullReview } from '../../core/issue/pull-feedback.ts';
import type { PullRequest } from '../../core/issue/context.ts';
import type { GiteaClient } from './client.ts';
import { peekIssue, readComments } from './full-issue.ts';
import { listOf } from './items.ts';
import { badAnswer } from './outage.ts';
import { issuePath, repositoryPath } from './paths.ts';
import { unlessForbidden } from './rights.ts';
import { parseChecks, parseLines, parsePull, parseReviews, parseTimelineReviews } from './wire-pull.ts';
import { parseTimeline } from './wire-context.ts';

interface At {
  readonly repository: string;
  readonly number: number;
}

/** What is known of a pull request already. */
export interface KnownPull {
  /** What was said until then is not asked for again; null: nothing is known. */
  readonly updatedAt: Instant | null;
  /** Whether the comments on the lines of a review are to be read. */
  readonly wantsLines: (review: Omit<PullReview, 'comments'>) => boolean;
}

const PAGE = 50;
/** Of so many reviews the comments on lines are read at once. */
const MOST_WITH_LINES = 5;

/** A pull request as it is now; null: it is not there, or not visible to the token. Throws exit 75 for an answer that cannot be used. */
export async function readPull(
  client: GiteaClient,
  at: At,
  known: KnownPull,
  serverUrl: string,
): Promise<PullFeedback | null> {
  const path = `${repositoryPath(at.repository)}/pulls/${at.number}`;
  const url = `${serverUrl}/${at.repository}/pulls/${at.number}`;
  const answer = await unlessForbidden(async () => client(path));
  if (answer === null) return readAsIssue(client, at, url, serverUrl);
  if (answer.status !== 200) return null;
  const pull = parsePull(answer.body);
  if (!pull) throw badAnswer(`Gitea sent an unreadable pull request for ${at.repository}#${at.number}`);
  const whole = { ...pull, url, unread: [] };
  if (!pull.isOpen) return { ...whole, talk: null, checks: [] };
  const isKnown = known.updatedAt !== null && pull.updatedAt <= known.updatedAt;
  const [talk, checks] = await Promise.all([
    isKnown ? null : readTalk(client, at, path, known, { url, serverUrl }),
    pull.head === null ? [] : readChecks(client, at, pull.head),
  ]);
  return { ...whole, talk, checks };
}

/** The pull requests that name an issue, by its timeline, the newest last. */
export async function readPullsOf(
  client: GiteaClient,
  at: At,
  agent: string,
  url: string,
): Promise<readonly PullRequest[]> {
  const path = `${issuePath(at)}/timeline`;
  const answer = await client(path);
  return parseTimeline(answer.status === 200 ? listOf(answer.body, path) : [], agent, url).pullRequests;
}

async function readTalk(
  client: GiteaClient,
  at: At,
  path: string,
  { wantsLines }: KnownPull,
  { url, serverUrl }: { readonly url: string; readonly serverUrl: string },
): Promise<{ readonly reviews: readonly PullReview[]; readonly comments: readonly Comment[] }> {
  const [items, comments] = await Promise.all([readReviews(client, path), readComments(client, at, url, serverUrl)]);
  const reviews = parseReviews(items, url);
  const wanted = new Set(reviews.filter((review) => wantsLines(review)).slice(0, MOST_WITH_LINES));
  const withLines = reviews.map(async (review): Promise<PullReview> => {
    if (!wanted.has(review)) return { ...review, comments: null };
    const answer = await client(`${path}/reviews/${review.id}/comments`);
    // Deleted a moment ago.
    return { ...review, comments: answer.status === 200 ? parseLines(listOf(answer.body, path)) : [] };
  });
  return { reviews: await Promise.all(withLines), comments };
}

// The oldest come first: of very many, the first page and the last two.
async function readReviews(client: GiteaClient, path: string): Promise<readonly unknown[]> {
  const page = async (number: number): Promise<readonly [readonly unknown[], number | null]> => {
    const answer = await client(`${path}/reviews?limit=${PAGE}&page=${number}`);
    return [answer.status === 200 ? listOf(answer.body, path) : [], answer.status === 200 ? answer.totalCount : null];
  };
  const [first, total] = await page(1);
  // A server may be set to smaller pages than asked for.
  const last = first.length === 0 ? 1 : Math.ceil((total ?? first.length) / first.length);
  const others = [last - 1, last].filter((number) => number > 1);
  const rest = await Promise.all(others.map(async (number) => page(number)));
  return [...first, ...rest.flatMap(([items]) => items)];
}

async function readChecks(client: GiteaClient, at: At, head: string) {
  const answer = await client(`${repositoryPath(at.repository)}/commits/${head}/status?limit=${PAGE}`);
  return answer.status === 200 ? parseChecks(answer.body) : [];
}

async function readAsIssue(client: GiteaClient, at: At, url: string, serverUrl: string): Promise<PullFeedback | null> {
  const issue = await peekIssue(client, at, serverUrl);
  if (!issue) return null;
  const { title, author, state, updatedAt } = issue;
  const pull = { title, author, isOpen: state === 'open', url, updatedAt, base: null, head: null, isMergeable: null };
  if (!pull.isOpen) return { ...pull, talk: null, checks: [], unread: [] };
  const path = `${issuePath(at)}/timeline`;
  const [timeline, comments] = await Promise.all([client(path), readComments(client, at, url, serverUrl)]);
  const reviews = parseTimelineReviews(timeline.status === 200 ? listOf(timeline.body, path) : [], url);
  const unread = ['what reviews say of lines, checks, conflicts: the token may not read them (read:repository)'];
  return { ...pull, talk: { reviews, comments }, checks: [], unread };
}
