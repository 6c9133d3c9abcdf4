// What a template can print. Each text that people wrote on Gitea is made harmless here, before any template sees it:
// one-line texts are cleaned and inert in Markdown, longer ones come as blocks that already stand between markers.

import type { Candidate } from '../issue/candidate.ts';
import { type Instant, toRfc3339 } from '../clock.ts';
import { type FrontMatterValue, renderFrontMatter, TASK_SCHEMA } from './front-matter.ts';
import { type Comment, type FullIssue, refOf } from '../issue/issue.ts';
import { acceptanceCriteria } from './body-sections.ts';
import { quoter, type Quoter, type QuotingFacts, type Source } from './quote.ts';
import { beginningOf, cleanInline, cleanLine, cleanLogin } from './untrusted.ts';

const BODY_LIMIT = 60_000;
const COMMENT_LIMIT = 10_000;
const COMMENTS_LIMIT = 100;
const DISCUSSION_LIMIT = 200_000;

export type Trigger = 'timer' | 'manual' | 'forced';

/** What is known about a dispatch besides the issue. */
export interface DispatchFacts extends QuotingFacts {
  readonly at: Instant;
  readonly trigger: Trigger;
  /** 1 for the first time this issue goes to this agent. */
  readonly attempt: number;
  /** Comments by others are left out, with a note. */
  readonly isTrusted: (login: string) => boolean;
  readonly sha256: (text: string) => string;
  /** What to type when the task is finished: for a shell, by plain `mv`. */
  readonly handBack: string;
}

/** The template data; every field is documented in the README for template authors. */
export type TaskData = ReturnType<typeof taskData>;

/** The front matter, in the order the contract lists it. */
export function taskFrontMatter(issue: FullIssue, candidate: Candidate, dispatch: DispatchFacts): string {
  const fields: Record<string, FrontMatterValue> = {
    schema: TASK_SCHEMA,
    ref: refOf(issue),
    issue: issue.number,
    repository: issue.repository,
    url: issue.url,
    title: cleanLine(issue.title),
    priority: candidate.priority,
    prioritySource: cleanLine(candidate.source),
    labels: issue.labels.map((label) => cleanLine(label)),
    milestone: issue.milestone === null ? null : cleanLine(issue.milestone),
    due: issue.due,
    agent: candidate.agent,
    author: cleanLine(issue.author),
    createdAt: toRfc3339(issue.createdAt),
    updatedAt: toRfc3339(issue.updatedAt),
    dispatchedAt: toRfc3339(dispatch.at),
    attempt: dispatch.attempt,
    trigger: dispatch.trigger,
    contentHash: dispatch.sha256(contentOf(heard(issue, dispatch))),
    issueId: issue.id,
  };
  return renderFrontMatter(fields);
}

/** Everything a template may print about one dispatch. */
export function taskData(whole: FullIssue, candidate: Candidate, dispatch: DispatchFacts) {
  const issue = heard(whole, dispatch);
  const { hidden, ...quoted } = quotedIssue(issue, dispatch);
  const [owner = '', name = ''] = issue.repository.split('/');
  return {
    issue: {
      number: issue.number,
      ref: refOf(issue),
      title: cleanInline(issue.title),
      url: issue.url,
      author: cleanLogin(issue.author),
      createdAt: toRfc3339(issue.createdAt),
      updatedAt: toRfc3339(issue.updatedAt),
      labels: issue.labels.map((label) => cleanInline(label, 100)),
      milestone: issue.milestone === null ? null : cleanInline(issue.milestone),
      due: issue.due,
      ...quoted,
      commentsTotal: whole.comments.length,
      commentsUntrusted: whole.comments.length - issue.comments.length,
    },
    repository: { owner, name, fullName: issue.repository, url: `${dispatch.serverUrl}/${issue.repository}` },
    agent: { name: candidate.agent },
    priority: { name: candidate.priority, source: cleanInline(candidate.source, 120) },
    dispatch: {
      at: toRfc3339(dispatch.at),
      trigger: dispatch.trigger,
      attempt: dispatch.attempt,
      handBack: dispatch.handBack,
    },
    hidden,
    marker: dispatch.marker,
    version: dispatch.version,
  };
}

/** Everything of an issue that stands between markers, each null when there is nothing; and what was hidden in it. */
export function quotedIssue(issue: FullIssue, facts: QuotingFacts) {
  const quoting = quoter(facts, savedPaths(issue));
  const written = (what: string): Source => ({
    by: `${what} by ${cleanLogin(issue.author)}`,
    at: issue.createdAt,
    url: issue.url,
  });
  const body = quoting.read(issue.body, BODY_LIMIT);
  const section = (text: string, what: string): string | null => quoting.part(text, written(what));
  const comments = shownComments(issue).map((comment) => commentData(comment, quoting));
  return {
    body: quoting.quote(body, written('issue body')),
    acceptanceCriteria: section(acceptanceCriteria(body.text), 'acceptance criteria'),
    summary: quoting.lines(summaryOf(issue), written('title and labels'), BODY_LIMIT),
    comments,
    commentsOmitted: issue.comments.length - comments.length,
    attachments: quoting.lines(attachmentsOf(issue), written('attachments'), BODY_LIMIT),
    blockers: quoting.lines(blockersOf(issue), written('blockers'), BODY_LIMIT),
    hidden: quoting.hidden,
  };
}

// Without the comments of those who are not to be heard.
function heard(issue: FullIssue, { isTrusted }: Pick<DispatchFacts, 'isTrusted'>): FullIssue {
  return { ...issue, comments: issue.comments.filter(({ author }) => isTrusted(author)) };
}

function savedPaths({ attachments }: FullIssue): ReadonlyMap<string, string> {
  return new Map(attachments.flatMap(({ url, savedAs }) => (savedAs === undefined ? [] : [[url, savedAs] as const])));
}

function commentData(comment: Comment, quoting: Quoter) {
  const { author, createdAt, url, body } = comment;
  const source = { by: `comment by ${cleanLogin(author)}`, at: createdAt, url };
  return {
    author: cleanLogin(author),
    createdAt: toRfc3339(createdAt),
    url,
    body: quoting.quote(quoting.read(body, COMMENT_LIMIT), source),
  };
}

// Short texts are just as much somebody else's words as long ones.
function summaryOf({ title, labels, milestone, due }: FullIssue): string {
  const lines = [
    `Title: ${cleanLine(title)}`,
    `Labels: ${labels.map((label) => cleanLine(label, 100)).join(', ') || 'none'}`,
    `Milestone: ${milestone === null ? 'none' : cleanLine(milestone)}`,
    `Due: ${due ?? 'none'}`,
  ];
  return lines.join('\n');
}

function attachmentsOf({ attachments }: FullIssue): string {
  return attachments
    .map(({ name, size, url, savedAs }) => {
      const saved = savedAs === undefined ? '' : `, saved as ${savedAs}`;
      return `- ${cleanLine(name, 200)} (${size} bytes): ${url}${saved}`;
    })
    .join('\n');
}

function blockersOf({ blockers }: FullIssue): string {
  return blockers
    .filter((blocker) => blocker.open)
    .map(({ ref, title, url }) => `- ${ref ?? 'unreadable'}: ${cleanLine(title)}${url === null ? '' : ` (${url})`}`)
    .join('\n');
}

// The oldest ones, as many as fit.
function shownComments(issue: FullIssue): FullIssue['comments'] {
  let size = 0;
  return issue.comments.slice(0, COMMENTS_LIMIT).filter((comment) => {
    size += Math.min(comment.body.length, COMMENT_LIMIT);
    return size <= DISCUSSION_LIMIT;
  });
}

// What people wrote, and nothing that moves by itself: the same content has the same hash.
function contentOf(issue: FullIssue): string {
  return JSON.stringify([
    beginningOf(issue.title),
    beginningOf(issue.body),
    issue.labels.map(beginningOf).toSorted(),
    issue.milestone === null ? null : beginningOf(issue.milestone),
    issue.due,
    issue.comments.map((comment) => [comment.author, comment.createdAt, beginningOf(comment.body)]),
  ]);
}
