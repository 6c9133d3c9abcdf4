// What was looked up about an issue, as blocks for a template. Titles, names of branches and reasons are words of others too.

import { toRfc3339 } from '../clock.ts';
import type { IssueContext, PullRequest, Reference } from '../issue/context.ts';
import type { FullIssue } from '../issue/issue.ts';
import type { Quoter, Source } from './quote.ts';
import { cleanInline, cleanLine, cleanLogin } from './untrusted.ts';

const REFERENCE_LIMIT = 2000;
const REVIEW_LIMIT = 10_000;
const LINES_LIMIT = 20_000;

/** The last time that the agent had the issue. */
export interface LastAttempt {
  readonly number: number;
  /** Why it ended, in words of ours. */
  readonly end: string;
}

/** Each part null or empty when there is nothing of it. */
export function surroundings(issue: FullIssue, context: IssueContext, last: LastAttempt | null, quoting: Quoter) {
  const source = (by: string): Source => ({ by, at: issue.updatedAt, url: issue.url });
  const lines = (all: readonly string[], by: string): string | null =>
    quoting.lines(all.join('\n'), source(by), LINES_LIMIT);
  const parts = {
    branch: issue.branch === null ? null : cleanInline(issue.branch, 200),
    assignedBy: context.assignment ? cleanLogin(context.assignment.by) : null,
    assignedAt: context.assignment ? toRfc3339(context.assignment.at) : null,
    titleChanges: lines(titleChanges(context), 'earlier titles'),
    pullRequests: lines(
      [
        ...context.pullRequests.map(pullRequestLine),
        ...context.commits.map((commit) => `- commit ${commit.slice(0, 12)}`),
      ],
      'pull requests and commits that mention it',
    ),
    references: context.references.map((reference) => referenceData(reference, quoting)),
    waiting: lines(
      context.waiting.map(({ ref, title, url }) => `- ${ref}: ${cleanLine(title)} (${url})`),
      'issues that wait for it',
    ),
    lastAttempt: last,
    review: reviewOf(context, quoting, issue.url),
    unread: context.unread.map((each) => cleanInline(each, 400)),
  };
  const { branch: _, ...background } = parts;
  const hasBackground = Object.values(background).some((part) =>
    Array.isArray(part) ? part.length > 0 : part !== null,
  );
  return { ...parts, hasBackground };
}

function titleChanges({ titleChanges: changes, assignment }: IssueContext): readonly string[] {
  return changes.map(({ by, at, from, to }) => {
    const when = assignment && at > assignment.at ? `${toRfc3339(at)}, after it was assigned` : toRfc3339(at);
    return `- ${cleanLogin(by)}, ${when}: "${cleanLine(from)}" became "${cleanLine(to)}"`;
  });
}

function pullRequestLine({ ref, state, closes, author, title, url }: PullRequest): string {
  return `- ${ref} (${state}${closes ? ', closes this issue' : ''}) by ${cleanLogin(author)}: ${cleanLine(title)} (${url})`;
}

function referenceData({ ref, state, title, author, createdAt, body, url }: Reference, quoting: Quoter) {
  const source = { by: `${ref} by ${cleanLogin(author)}`, at: createdAt, url };
  return {
    ref,
    state,
    url,
    title: quoting.lines(`Title: ${cleanLine(title)}`, source, LINES_LIMIT),
    body: quoting.quote(quoting.read(body, REFERENCE_LIMIT), source),
  };
}

function reviewOf({ review }: IssueContext, quoting: Quoter, url: string) {
  if (!review) return null;
  const source = { by: `review by ${cleanLogin(review.author)}`, at: review.at, url };
  return {
    author: cleanLogin(review.author),
    at: toRfc3339(review.at),
    state: cleanInline(review.state.toLowerCase().replaceAll('_', ' '), 40),
    body: quoting.quote(quoting.read(review.body, REVIEW_LIMIT), source),
  };
}
