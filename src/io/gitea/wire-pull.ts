// Gitea's JSON about a pull request, parsed once. An element that cannot be read is left out: none of it decides anything.

import * as z from 'zod/mini';
import type { Check, LineComment, PullFeedback, PullReview } from '../../core/issue/pull-feedback.ts';
import { readable } from './wire-context.ts';
import { httpUrl, instant, short, User } from './wire.ts';

const Pull = z.object({
  title: short,
  state: z.enum(['open', 'closed']),
  user: z.nullish(User),
  updated_at: instant,
  draft: z.nullish(z.boolean()),
  mergeable: z.nullish(z.boolean()),
  base: z.nullish(z.object({ ref: z.nullish(short) })),
  head: z.nullish(z.object({ sha: z.nullish(z.string()) })),
});
const ReviewEntry = z.object({
  id: z.int(),
  // Null: a team was asked for one.
  user: z.nullish(User),
  state: short,
  body: z.nullish(z.string()),
  dismissed: z.nullish(z.boolean()),
  comments_count: z.nullish(z.int()),
  submitted_at: instant,
  // `submitted_at` is when it was begun.
  updated_at: z.nullish(instant),
});
const Line = z.object({
  id: z.int(),
  user: z.nullish(User),
  body: z.nullish(z.string()),
  created_at: instant,
  path: short,
  // Line numbers, whatever they are called; 0: there is none.
  position: z.nullish(z.int()),
  original_position: z.nullish(z.int()),
});
// The state of one is called `status`.
const Status = z.object({
  context: short,
  status: z.string(),
  description: z.nullish(short),
  target_url: z.nullish(z.string()),
});
const Combined = z.object({ statuses: z.nullish(z.array(z.unknown())) });
const TimelineReview = z.object({
  type: z.literal('review'),
  review_id: z.int().check(z.positive()),
  user: z.nullish(User),
  body: z.nullish(z.string()),
  created_at: instant,
});

const HASH = /^[0-9a-f]{40,64}$/u;

/** A pull request by itself; undefined when it cannot be read. */
export function parsePull(
  raw: unknown,
): Pick<PullFeedback, 'title' | 'author' | 'isOpen' | 'updatedAt' | 'base' | 'head' | 'isMergeable'> | undefined {
  const result = Pull.safeParse(raw);
  if (!result.success) return undefined;
  const { title, state, user, updated_at: updatedAt, draft, mergeable, base, head } = result.data;
  return {
    title,
    author: user?.login ?? 'unknown',
    isOpen: state === 'open',
    updatedAt,
    base: base?.ref || null,
    // Empty when its branch is gone.
    head: HASH.test(head?.sha ?? '') ? (head?.sha ?? null) : null,
    // One that is no more than a draft cannot be merged, whatever is in it.
    isMergeable: draft ? null : (mergeable ?? null),
  };
}

/** The reviews that say something: not those that are asked for, being written, or taken back. */
export function parseReviews(items: readonly unknown[], pullUrl: string): readonly Omit<PullReview, 'comments'>[] {
  return readable(ReviewEntry, items)
    .filter(({ state, dismissed }) => state !== 'PENDING' && state !== 'REQUEST_REVIEW' && !dismissed)
    .map((review) => ({
      id: review.id,
      author: review.user?.login ?? 'unknown',
      at: Math.max(review.submitted_at, review.updated_at ?? 0),
      state: review.state,
      body: review.body ?? '',
      // The server names one made of what it believes its address to be.
      url: pullUrl,
      count: review.comments_count ?? 0,
    }));
}

/** The comments on lines of a review, as they were written. */
export function parseLines(items: readonly unknown[]): readonly LineComment[] {
  return readable(Line, items)
    .map((comment) => ({
      id: comment.id,
      author: comment.user?.login ?? 'unknown',
      at: comment.created_at,
      body: comment.body ?? '',
      path: comment.path,
      line: comment.position || null,
      oldLine: comment.original_position || null,
    }))
    .toSorted((a, b) => a.id - b.id);
}

/** The newest word of each check on a commit. */
export function parseChecks(raw: unknown): readonly Check[] {
  const result = Combined.safeParse(raw);
  return readable(Status, (result.success && result.data.statuses) || []).map((status) => ({
    name: status.context,
    state: stateOf(status.status),
    description: status.description ?? '',
    url: httpUrl(status.target_url),
  }));
}

function stateOf(status: string): Check['state'] {
  if (status === 'failure' || status === 'error') return 'failed';
  return status === 'pending' ? 'pending' : 'passed';
}

/** What the timeline of a pull request tells of its reviews: their words alone. */
export function parseTimelineReviews(items: readonly unknown[], pullUrl: string): readonly PullReview[] {
  // One that was begun by the API stands there once more when it is submitted.
  const newest = new Map(readable(TimelineReview, items).map((entry) => [entry.review_id, entry]));
  return [...newest.values()].map(({ review_id: id, user, body, created_at: at }) => ({
    id,
    author: user?.login ?? 'unknown',
    at,
    state: 'COMMENT',
    body: body ?? '',
    url: pullUrl,
    count: 0,
    comments: null,
  }));
}
