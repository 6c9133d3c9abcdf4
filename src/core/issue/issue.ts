import { addressOf, bareName, type Servers } from '../config/servers.ts';

/** An open issue as the listing tells it: what is needed to choose. Texts are raw. Instants are epoch milliseconds. */
export interface Issue {
  /** Unique on its server, and stays when the repository is renamed. */
  readonly id: number;
  /** `owner/name`, checked to be safe in a path; where there are several servers `team:owner/name`. */
  readonly repository: string;
  readonly number: number;
  readonly title: string;
  readonly labels: readonly string[];
  readonly author: string;
  /** Logins, sorted, as Gitea spells them. */
  readonly assignees: readonly string[];
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface Comment {
  readonly author: string;
  readonly createdAt: number;
  /** Null: as it was written first. */
  readonly editedAt: number | null;
  readonly url: string;
  readonly body: string;
  readonly attachments: readonly Attachment[];
}

export interface Attachment {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly url: string;
  /** Where it was saved, relative to the task file. */
  readonly savedAs?: string | undefined;
}

/** An issue that stands in the way of another one. `ref` is null when the token may not read it. */
export interface Blocker {
  readonly ref: string | null;
  readonly title: string;
  readonly open: boolean;
  readonly url: string | null;
}

/** One issue with everything an agent needs, freshly read. */
export interface FullIssue extends Issue {
  readonly state: 'open' | 'closed';
  readonly isPullRequest: boolean;
  readonly url: string;
  readonly body: string;
  /** The branch or tag that its author chose for it. */
  readonly branch: string | null;
  readonly milestone: string | null;
  /** The day it is due (`2026-04-30`). */
  readonly due: string | null;
  readonly comments: readonly Comment[];
  readonly attachments: readonly Attachment[];
  readonly blockers: readonly Blocker[];
}

/** An issue of a listing as one of which no text is known. */
export function withoutTexts(issue: Issue, url: string): FullIssue {
  return {
    ...issue,
    state: 'open',
    isPullRequest: false,
    url,
    body: '',
    branch: null,
    milestone: null,
    due: null,
    comments: [],
    attachments: [],
    blockers: [],
  };
}

/** What is attached to an issue, and to its comments. */
export function attachmentsIn({ attachments, comments }: FullIssue): readonly Attachment[] {
  return [...attachments, ...comments.flatMap((comment) => comment.attachments)];
}

/** The issue with the paths of what was saved, by address. */
export function withSaved(issue: FullIssue, saved: ReadonlyMap<string, string>): FullIssue {
  const located = (attachments: readonly Attachment[]): readonly Attachment[] =>
    attachments.map((each) => ({ ...each, savedAs: saved.get(each.url) }));
  return {
    ...issue,
    attachments: located(issue.attachments),
    comments: issue.comments.map((comment) => ({ ...comment, attachments: located(comment.attachments) })),
  };
}

/** Where people read an issue: at the address by which we reach the server, not the one it believes to have. */
export function issueUrl(serverUrl: string, repository: string, number: number): string {
  return `${serverUrl}/${repository}/issues/${number}`;
}

/** The same for an issue of a configured repository. */
export function issueAddress(servers: Servers, repository: string, number: number): string {
  return issueUrl(addressOf(servers, repository), bareName(repository), number);
}

/** `acme/app#5` */
export function refOf(issue: Pick<Issue, 'repository' | 'number'>): string {
  return `${issue.repository}#${issue.number}`;
}
