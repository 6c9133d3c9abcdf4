// Gitea's JSON about an issue's surroundings, parsed once. What cannot be read is left out: none of it decides anything.

import * as z from 'zod/mini';
import {
  type IssueContext,
  type PullRequest,
  type RepositoryFacts,
  type Review,
  UNKNOWN_REPOSITORY,
} from '../../core/issue/context.ts';
import { issueUrl } from '../../core/issue/issue.ts';
import { instant, short, User } from './wire.ts';
import { FULL_NAME } from './wire-row.ts';

const repository = z.object({ full_name: z.string().check(z.regex(FULL_NAME)) });

const Assignment = z.object({
  type: z.literal('assignees'),
  user: User,
  assignee: User,
  removed_assignee: z.nullish(z.boolean()),
  created_at: z.nullish(instant),
});
const TitleChange = z.object({
  type: z.literal('change_title'),
  user: User,
  created_at: instant,
  old_title: short,
  new_title: short,
});
const Mention = z.object({
  type: z.enum(['pull_ref', 'issue_ref', 'comment_ref']),
  ref_action: z.nullish(z.string()),
  ref_issue: z.object({
    number: z.int().check(z.positive()),
    title: short,
    state: z.enum(['open', 'closed']),
    user: z.nullish(User),
    pull_request: z.object({ merged: z.nullish(z.boolean()) }),
    repository,
  }),
});
const Commit = z.object({
  type: z.literal('commit_ref'),
  ref_commit_sha: z.string().check(z.regex(/^[0-9a-f]{40,64}$/u)),
});
const Waiting = z.object({
  number: z.int().check(z.positive()),
  title: short,
  state: z.enum(['open', 'closed']),
  repository,
});
const ReviewSchema = z.object({
  user: z.nullish(User),
  state: short,
  body: z.nullish(z.string()),
  submitted_at: instant,
});
const Repository = z.object({ default_branch: short, archived: z.catch(z.boolean(), false) });

const MOST = 20;

/** Those that are what they should be. */
export function readable<T extends z.core.$ZodType>(schema: T, items: readonly unknown[]): z.core.output<T>[] {
  return items.flatMap((item) => {
    const result = z.safeParse(schema, item);
    return result.success ? [result.data] : [];
  });
}

/** Who assigned the issue to that login last, and when, by the entries of its timeline; null when no entry tells. */
export function lastAssignment(timeline: readonly unknown[], login: string) {
  const entry = readable(Assignment, timeline).findLast(
    ({ assignee, removed_assignee: isRemoved }) => !isRemoved && assignee.login.toLowerCase() === login.toLowerCase(),
  );
  return entry ? { by: entry.user.login, at: entry.created_at ?? 0 } : null;
}

/** What the timeline of an issue tells, the newest of each kind. */
export function parseTimeline(
  timeline: readonly unknown[],
  login: string,
  serverUrl: string,
): Pick<IssueContext, 'assignment' | 'titleChanges' | 'pullRequests' | 'commits'> {
  const pulls = new Map<string, PullRequest>();
  for (const { ref_issue: pull, ref_action: action } of readable(Mention, timeline)) {
    const name = pull.repository.full_name;
    const ref = `${name}#${pull.number}`;
    pulls.set(ref, {
      ref,
      number: pull.number,
      title: pull.title,
      author: pull.user?.login ?? 'unknown',
      state: pull.pull_request.merged ? 'merged' : pull.state,
      closes: action === 'closes' || (pulls.get(ref)?.closes ?? false),
      url: issueUrl(serverUrl, name, pull.number).replace(/\/issues\/(\d+)$/u, '/pulls/$1'),
    });
  }
  const changes = readable(TitleChange, timeline).slice(-MOST);
  return {
    assignment: lastAssignment(timeline, login),
    titleChanges: changes.map((entry) => ({
      by: entry.user.login,
      at: entry.created_at,
      from: entry.old_title,
      to: entry.new_title,
    })),
    pullRequests: [...pulls.values()].slice(-MOST),
    commits: [...new Set(readable(Commit, timeline).map((entry) => entry.ref_commit_sha))].slice(-MOST),
  };
}

/** The open ones among the issues that an issue blocks. */
export function parseWaiting(items: readonly unknown[], serverUrl: string): IssueContext['waiting'] {
  return readable(Waiting, items)
    .filter(({ state }) => state === 'open')
    .slice(0, MOST)
    .map(({ number, title, repository: { full_name: name } }) => ({
      ref: `${name}#${number}`,
      title,
      url: issueUrl(serverUrl, name, number),
    }));
}

/** The last review that says something. */
export function lastReview(items: readonly unknown[]): Review | null {
  const review = readable(ReviewSchema, items).findLast(
    ({ state }) => state !== 'PENDING' && state !== 'REQUEST_REVIEW',
  );
  if (!review) return null;
  return {
    author: review.user?.login ?? 'unknown',
    at: review.submitted_at,
    state: review.state,
    body: review.body ?? '',
  };
}

/** What a repository says of itself. */
export function parseRepository(body: unknown): RepositoryFacts {
  const result = Repository.safeParse(body);
  if (!result.success) return UNKNOWN_REPOSITORY;
  const { default_branch: branch, archived } = result.data;
  return { defaultBranch: branch === '' ? null : branch, isArchived: archived, unread: null };
}
