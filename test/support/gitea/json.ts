// Stored rows as the API shows them, with the traps of services/convert/issue.go.

import type { Store, StoredComment, StoredIssue, StoredRepository } from './store.ts';

interface Context {
  readonly store: Store;
  /** What the server believes its address is; html_url and friends are built from it. */
  readonly rootUrl: string;
}

export const time = (date: Date): string => date.toISOString().replace(/\.\d+Z$/u, 'Z'); // second resolution
const hash = (text: string): number =>
  Array.from(text).reduce((sum, character) => (sum * 31 + (character.codePointAt(0) ?? 0)) % 99_991, 7);
export const user = (login: string) => ({
  id: login === 'Ghost' ? -1 : hash(login),
  login,
  username: login,
  full_name: '',
});

/** An issue in a list, or by itself (then with its attachments). */
export function issueJson(issue: StoredIssue, { store, rootUrl }: Context, alone = false) {
  const [owner = '', name = ''] = issue.repository.split('/');
  const kind = issue.pullRequest ? 'pulls' : 'issues';
  return {
    id: issue.id,
    url: `${rootUrl}/api/v1/repos/${issue.repository}/issues/${issue.number}`,
    html_url: `${rootUrl}/${issue.repository}/${kind}/${issue.number}`,
    number: issue.number,
    user: user(issue.author),
    original_author: '',
    original_author_id: 0,
    title: issue.title,
    body: issue.body,
    ref: issue.ref,
    // Empty in lists up to 1.21, whatever the issue has.
    assets: alone ? issue.attachments.map((attachment, index) => assetJson(attachment, issue.id, index, rootUrl)) : [],
    labels: issue.labels.map((label) => labelJson(label)),
    milestone: issue.milestone === null ? null : { id: hash(issue.milestone), title: issue.milestone, state: 'open' },
    // Null, never an empty list.
    assignee: issue.assignees[0] === undefined ? null : user(issue.assignees[0]),
    assignees: issue.assignees.length === 0 ? null : issue.assignees.map(user),
    state: issue.state,
    is_locked: false,
    comments: issue.comments.length,
    created_at: time(issue.createdAt),
    updated_at: time(issue.updatedAt),
    closed_at: issue.state === 'closed' ? time(issue.updatedAt) : null,
    due_date: issue.due === null ? null : `${issue.due}T23:59:59Z`,
    pull_request: issue.pullRequest
      ? { merged: issue.merged, merged_at: issue.merged ? time(issue.updatedAt) : null }
      : null,
    repository: {
      id: store.repositories.get(issue.repository.toLowerCase())?.id ?? 0,
      name,
      owner,
      full_name: issue.repository,
    },
    pin_order: 0,
  };
}

/** The timeline: null when it is empty. What the token may not see is left out. */
export function timelineJson(issue: StoredIssue, context: Context) {
  const entry = (type: string, by: string, at: Date, more: object) => ({
    type,
    user: user(by),
    created_at: time(at),
    ...more,
  });
  const entries = [
    ...Object.entries(issue.assignedBy).map(([login, by]) =>
      entry('assignees', by, issue.assignedAt, { assignee: user(login), removed_assignee: false }),
    ),
    ...issue.titleChanges.map(({ by, from, to, at }) =>
      entry('change_title', by, at, { old_title: from, new_title: to }),
    ),
    ...issue.commits.map((sha) =>
      entry('commit_ref', issue.author, issue.updatedAt, { ref_commit_sha: sha, body: '' }),
    ),
    ...issue.mentionedBy.flatMap(({ ref, closes }) => {
      const [repository = '', number] = ref.split('#');
      const pull = context.store.find(repository, Number(number));
      if (!pull) return [];
      const ref_action = closes ? 'closes' : 'none';
      return [entry('pull_ref', pull.author, pull.createdAt, { ref_action, ref_issue: issueJson(pull, context) })];
    }),
  ];
  const reviews = issue.reviews
    .filter(({ state }) => state !== 'PENDING' && state !== 'REQUEST_REVIEW')
    .map((review) => entry('review', review.author, review.updatedAt, { body: review.body, review_id: review.id }));
  entries.push(...reviews);
  if (entries.length === 0) return null;
  return entries
    .toSorted((a, b) => a.created_at.localeCompare(b.created_at))
    .map((each, index) => ({ id: index + 1, ...each }));
}

/** A repository. */
export function repositoryJson({ id, name, defaultBranch, hasIssues, isArchived }: StoredRepository, rootUrl: string) {
  return {
    id,
    full_name: name,
    default_branch: defaultBranch,
    has_issues: hasIssues,
    archived: isArchived,
    archived_at: '1970-01-01T00:00:00Z',
    clone_url: `${rootUrl}/${name}.git`,
  };
}

/** A label of a repository. */
export function labelJson(name: string) {
  return {
    id: hash(name),
    name,
    exclusive: name.includes('/'),
    is_archived: false,
    color: 'ee0701',
    description: '',
    url: '',
  };
}

/** What a failed sub-query leaves in a 200 answer. */
export const EMPTY_ISSUE = {
  id: 0,
  number: 0,
  title: '',
  body: '',
  state: '',
  labels: null,
  assignees: null,
  repository: null,
  created_at: '0001-01-01T00:00:00Z',
  updated_at: '0001-01-01T00:00:00Z',
};

/** A blocker that the token may not read. */
export const HIDDEN_ISSUE = { ...EMPTY_ISSUE, title: 'HIDDEN' };

export function commentJson(comment: StoredComment, issue: StoredIssue, { rootUrl }: Context) {
  return {
    id: comment.id,
    html_url: `${rootUrl}/${issue.repository}/issues/${issue.number}#issuecomment-${comment.id}`,
    user: user(comment.author),
    body: comment.body,
    created_at: time(comment.createdAt),
    updated_at: time(comment.updatedAt),
    // A number of its own for each comment, beside those of the issue.
    assets: comment.attachments.map((attachment, index) => assetJson(attachment, 500_000 + comment.id, index, rootUrl)),
  };
}

function assetJson(
  attachment: { readonly name: string; readonly size: number },
  issueId: number,
  index: number,
  rootUrl: string,
) {
  const uuid = `00000000-0000-4000-8000-${String(issueId * 1000 + index).padStart(12, '0')}`;
  return {
    id: index + 1,
    ...attachment,
    download_count: 0,
    created_at: time(new Date(0)),
    uuid,
    browser_download_url: `${rootUrl}/attachments/${uuid}`,
  };
}
