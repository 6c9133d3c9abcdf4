// What the fake server tells of pull requests, with the traps of services/convert/pull.go and pull_review.go.

import { time, user } from './json.ts';
import { paging } from './paging.ts';
import type { Context, Json, Problem } from './server.ts';
import type { StoredIssue, StoredReview, StoredStatus } from './store.ts';

/** Answers what is below `/repos/o/r`: `/pulls/…` and `/commits/…/status`. */
export function pulls(
  context: Context,
  repository: string,
  rest: string,
  query: URLSearchParams,
  json: Json,
  problem: Problem,
): void {
  const { store, rootUrl } = context;
  const missing = (): void => problem(404, "The target couldn't be found.");
  const { size, from } = paging(context, query, 30);
  const [, sha] = /^\/commits\/([^/]+)\/status$/u.exec(rest) ?? [];
  if (sha !== undefined) {
    const all = store.statuses.filter((each) => each.sha === sha && each.repository === repository);
    return json(200, combinedStatusJson(all.slice(from, from + size), rootUrl), {
      'x-total-count': String(all.length),
    });
  }
  const [, number, reviews, id] = /^\/pulls\/(\d+)(\/reviews(?:\/(\d+)\/comments)?)?$/u.exec(rest) ?? [];
  const issue = store.find(repository, Number(number));
  if (!issue?.pullRequest) return missing();
  if (reviews === undefined) return json(200, pullJson(issue, context));
  if (id !== undefined) {
    const review = issue.reviews.find((each) => each.id === Number(id));
    return review && review.state !== 'PENDING' ? json(200, linesJson(review)) : missing();
  }
  // Those that are being written are left out of their page, and counted all the same.
  const page = issue.reviews.slice(from, from + size);
  return json(200, reviewsJson(issue, page, context), { 'x-total-count': String(issue.reviews.length) });
}

// A pull request. `mergeable` is false for a draft, and as long as the server has not tried.
function pullJson(issue: StoredIssue, context: Pick<Context, 'rootUrl'>) {
  const { id, number, title, body, state, draft, mergeable, base, head } = issue;
  const address = `${context.rootUrl}/${issue.repository}/pulls/${number}`;
  return {
    // Of the pull request's own row, and not of its issue.
    id: id + 1_000_000,
    number,
    url: address,
    html_url: address,
    user: user(issue.author),
    title,
    body,
    state,
    draft,
    merged: issue.merged,
    mergeable: mergeable && !draft,
    base: { label: base, ref: base },
    // The commit is unknown when the branch was deleted.
    head: { label: 'work', ref: head === '' ? `refs/pull/${number}/head` : 'work', sha: head },
    created_at: time(issue.createdAt),
    updated_at: time(issue.updatedAt),
  };
}

// The reviews of a pull request that a token of an ordinary user sees, the oldest first.
function reviewsJson(issue: StoredIssue, page: readonly StoredReview[], { rootUrl }: Context) {
  return page
    .filter(({ state }) => state !== 'PENDING')
    .map((review) => ({
      id: review.id,
      user: review.state === 'REQUEST_REVIEW' ? null : user(review.author),
      team: null,
      state: review.state,
      body: review.body,
      commit_id: issue.head,
      stale: false,
      official: false,
      dismissed: review.dismissed,
      comments_count: review.comments.length,
      // When it was begun, and not when it was submitted.
      submitted_at: time(review.at),
      updated_at: time(review.updatedAt),
      html_url: `${rootUrl}/${issue.repository}/pulls/${issue.number}#issuecomment-${review.id}`,
    }));
}

// The comments on the lines of a review.
function linesJson({ id, comments }: StoredReview) {
  return comments.map((comment) => ({
    id: comment.id,
    body: comment.body,
    user: user(comment.author),
    pull_request_review_id: id,
    created_at: time(comment.at),
    updated_at: time(comment.at),
    path: comment.path,
    diff_hunk: '',
    // Line numbers, whatever they are called.
    position: comment.line,
    original_position: comment.oldLine,
  }));
}

// What the checks of a commit say together: without any, an object of nothing. The state of each is called `status`.
function combinedStatusJson(statuses: readonly StoredStatus[], rootUrl: string) {
  const worst = ['error', 'failure', 'warning', 'pending', 'success'].find((state) =>
    statuses.some((status) => status.state === state),
  );
  return {
    state: worst === 'error' ? 'failure' : (worst ?? ''),
    sha: statuses[0]?.sha ?? '',
    total_count: statuses.length,
    statuses:
      statuses.length === 0
        ? null
        : statuses.map(({ context, state, description }, index) => ({
            id: index + 1,
            status: state,
            context,
            description,
            target_url: `${rootUrl}/ci/${index + 1}`,
          })),
    repository: null,
  };
}
