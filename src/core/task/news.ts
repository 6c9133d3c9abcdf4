// What is new in an issue since its agent was last told. By content, not by dates: `updated_at` moves for much that is no
// news, and has seconds only.

import { toRfc3339 } from '../clock.ts';
import type { Comment, FullIssue } from '../issue/issue.ts';
import type { Seen } from './tracked.ts';
import { beginningOf } from './untrusted.ts';
import type { PullNews } from './watched-pull.ts';

/** Whose words count, and how texts are made short. */
export interface Reading {
  readonly sha256: (text: string) => string;
  /** Comments by others are neither news nor told of. */
  readonly isHeard: (comment: Pick<Comment, 'author' | 'body'>) => boolean;
  /** Labels that the dispatcher itself sets. */
  readonly ownLabels: readonly string[];
}

export interface News {
  /** Words for what changed, such as `title`, `labels`, `comments`. */
  readonly changed: readonly string[];
  readonly comments: readonly Comment[];
  /** Of the pull requests that are watched for it. */
  readonly pulls: readonly PullNews[];
}

const SHORT = 12;

/** What an agent knows who is told of the issue as it is now. */
export function seenOf(issue: FullIssue, { sha256, isHeard, ownLabels }: Reading): Seen {
  const short = (value: unknown): string => sha256(JSON.stringify(value)).slice(0, SHORT);
  const labels = issue.labels.filter((label) => !ownLabels.includes(label.toLowerCase()));
  return {
    updatedAt: toRfc3339(issue.updatedAt),
    title: short(beginningOf(issue.title)),
    body: short(beginningOf(issue.body)),
    labels: short(labels.map(beginningOf).toSorted()),
    milestone: short(issue.milestone === null ? null : beginningOf(issue.milestone)),
    due: short(issue.due),
    comments: issue.comments.filter(isHeard).map((comment) => commentHash(comment, sha256)),
  };
}

/** What changed since; null when nothing did that counts. */
export function newsIn(before: Seen, issue: FullIssue, reading: Reading): News | null {
  const now = seenOf(issue, reading);
  const fields = (['title', 'body', 'labels', 'milestone', 'due'] as const).filter(
    (name) => before[name] !== now[name],
  );
  const known = new Set(before.comments);
  const comments = issue.comments.filter(
    (comment) => reading.isHeard(comment) && !known.has(commentHash(comment, reading.sha256)),
  );
  const changed = [...fields, ...(comments.length > 0 ? ['comments'] : [])];
  return changed.length === 0 ? null : { changed, comments, pulls: [] };
}

/** News of an issue, if any, and of pull requests, as one. Null: there is none. */
export function withPulls(news: News | null, pulls: readonly PullNews[]): News | null {
  if (pulls.length === 0) return news;
  const words = [
    ...(pulls.some(({ reviews }) => reviews.length > 0) ? ['review'] : []),
    ...(pulls.some(({ comments }) => comments.length > 0) ? ['pull request comments'] : []),
    ...(pulls.some(({ checks }) => checks.length > 0) ? ['failed checks'] : []),
    ...(pulls.some(({ isConflict }) => isConflict) ? ['merge conflict'] : []),
  ];
  return { changed: [...(news?.changed ?? []), ...words], comments: news?.comments ?? [], pulls };
}

function commentHash({ author, createdAt, body }: Comment, sha256: Reading['sha256']): string {
  return sha256(JSON.stringify([author, createdAt, beginningOf(body)])).slice(0, SHORT);
}
