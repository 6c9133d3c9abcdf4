// What a template can print. Each text that people wrote on Gitea is made harmless here, before any template sees it:
// one-line texts are cleaned and inert in Markdown, longer ones come as blocks that already stand between markers.

import type { Candidate } from '../issue/candidate.ts';
import { type Instant, toRfc3339 } from '../clock.ts';
import { bareName, splitServer } from '../config/servers.ts';
import { type FrontMatterValue, renderFrontMatter, TASK_SCHEMA } from './front-matter.ts';
import type { IssueContext } from '../issue/context.ts';
import { type Attachment, attachmentsIn, type Comment, type FullIssue, refOf } from '../issue/issue.ts';
import { acceptanceCriteria, sectionOf } from './body-sections.ts';
import { surroundings } from './surroundings.ts';
import { quoter, type Quoter, type QuotingFacts, type Source } from './quote.ts';
import { beginningOf, cleanInline, cleanLine, cleanLogin } from './untrusted.ts';

const BODY_LIMIT = 60_000;
const COMMENT_LIMIT = 10_000;
const COMMENTS_LIMIT = 100;
const FIRST_COMMENTS = 5;
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
  /** Standing instructions of the operator for this task. */
  readonly instructions: readonly string[];
  /** What was looked up besides the issue. */
  readonly context: IssueContext;
  /** Why the attempt before ended; null: there was none. */
  readonly lastEnd: string | null;
  readonly sha256: (text: string) => string;
  /** What to type when the task is finished: for a shell, by plain `mv`. */
  readonly handBack: string;
}

/** The template data; every field is documented in templates/README.md. */
export type TaskData = ReturnType<typeof taskData>;

/** The front matter, in the order the contract lists it. */
export function taskFrontMatter(issue: FullIssue, candidate: Candidate, dispatch: DispatchFacts): string {
  const fields: Record<string, FrontMatterValue> = {
    schema: TASK_SCHEMA,
    ref: refOf(issue),
    issue: issue.number,
    ...placeFields(issue),
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

/** In what repository an issue is, as its server calls it; and where there are several, on which server. */
export function placeFields({ repository }: Pick<FullIssue, 'repository'>): Record<string, FrontMatterValue> {
  const { server, rest } = splitServer(repository);
  return { repository: rest, ...(server === null ? {} : { server }) };
}

/** Everything a template may print about one dispatch. */
export function taskData(whole: FullIssue, candidate: Candidate, dispatch: DispatchFacts) {
  const issue = heard(whole, dispatch);
  const quoting = quoter(dispatch, savedPaths(issue));
  const { hidden, ...quoted } = quotedIssue(issue, quoting, dispatch.context.assignment?.at);
  const last = dispatch.lastEnd === null ? null : { number: dispatch.attempt - 1, end: dispatch.lastEnd };
  const repository = bareName(issue.repository);
  const [owner = '', name = ''] = repository.split('/');
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
      ...surroundings(issue, dispatch.context, last, quoting),
      commentsTotal: whole.comments.length,
      commentsUntrusted: whole.comments.length - issue.comments.length,
    },
    repository: {
      owner,
      name,
      fullName: repository,
      url: `${dispatch.serverUrl}/${repository}`,
      cloneUrl: `${dispatch.serverUrl}/${repository}.git`,
      defaultBranch: dispatch.context.defaultBranch === null ? null : cleanInline(dispatch.context.defaultBranch, 200),
    },
    agent: { name: candidate.agent },
    // Each is one item of a list, whatever lines it has.
    instructions: dispatch.instructions.map((text) => text.replaceAll('\n', '\n  ')),
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
export function quotedIssue(issue: FullIssue, quoting: Quoter, assignedAt?: Instant) {
  const written = (what: string): Source => ({
    by: `${what} by ${cleanLogin(issue.author)}`,
    at: issue.createdAt,
    url: issue.url,
  });
  const body = quoting.read(issue.body, BODY_LIMIT);
  const section = (text: string, what: string): string | null => quoting.part(text, written(what));
  const comments = shownComments(issue.comments).map((shown) => commentData(shown, quoting, assignedAt));
  return {
    body: quoting.quote(body, written('issue body')),
    acceptanceCriteria: section(acceptanceCriteria(body.text), 'acceptance criteria'),
    stepsToReproduce: section(sectionOf(body.text, 'stepsToReproduce'), 'steps to reproduce'),
    validation: section(sectionOf(body.text, 'validation'), 'validation'),
    testPlan: section(sectionOf(body.text, 'testPlan'), 'test plan'),
    summary: quoting.lines(summaryOf(issue), written('title and labels'), BODY_LIMIT),
    comments,
    commentsOmitted: issue.comments.length - comments.length,
    attachments: quoting.lines(attachmentsOf(issue), written('attachments'), BODY_LIMIT),
    blockers: quoting.lines(blockersOf(issue), written('blockers'), BODY_LIMIT),
    hidden: quoting.hidden,
  };
}

/** The issue without the comments of those who are not to be heard. */
export function heard(issue: FullIssue, { isTrusted }: Pick<DispatchFacts, 'isTrusted'>): FullIssue {
  return { ...issue, comments: issue.comments.filter(({ author }) => isTrusted(author)) };
}

/** Where the attachments of an issue are saved, by their address. */
export function savedPaths(issue: FullIssue): ReadonlyMap<string, string> {
  return new Map(
    attachmentsIn(issue).flatMap(({ url, savedAs }) => (savedAs === undefined ? [] : [[url, savedAs] as const])),
  );
}

function commentData({ comment, gap }: ShownComment, quoting: Quoter, assignedAt: Instant = Number.POSITIVE_INFINITY) {
  const { author, createdAt, editedAt, url, body } = comment;
  const source = { by: `comment by ${cleanLogin(author)}`, at: createdAt, url };
  return {
    author: cleanLogin(author),
    createdAt: toRfc3339(createdAt),
    editedAt: editedAt === null ? null : toRfc3339(editedAt),
    isEditedAfterAssignment: editedAt !== null && editedAt > assignedAt,
    /** So many comments in front of this one are not shown. */
    gap,
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

function attachmentsOf({ attachments, comments }: FullIssue): string {
  const line = ({ name, size, url, savedAs }: Attachment, where: string): string => {
    const saved = savedAs === undefined ? '' : `, saved as ${savedAs}`;
    return `- ${cleanLine(name, 200)} (${size} bytes${where}): ${url}${saved}`;
  };
  return [
    ...attachments.map((each) => line(each, '')),
    ...comments.flatMap((comment) =>
      comment.attachments.map((each) => line(each, `, in a comment by ${cleanLogin(comment.author)}`)),
    ),
  ].join('\n');
}

function blockersOf({ blockers }: FullIssue): string {
  return blockers
    .filter((blocker) => blocker.open)
    .map(({ ref, title, url }) => `- ${ref ?? 'unreadable'}: ${cleanLine(title)}${url === null ? '' : ` (${url})`}`)
    .join('\n');
}

interface ShownComment {
  readonly comment: Comment;
  readonly gap: number;
}

// The first ones say what it is about, the newest what was decided.
function shownComments(comments: readonly Comment[]): readonly ShownComment[] {
  const sizeOf = ({ body }: Comment): number => Math.min(body.length, COMMENT_LIMIT);
  const first = comments.slice(0, FIRST_COMMENTS);
  let size = first.reduce((sum, comment) => sum + sizeOf(comment), 0);
  let from = comments.length;
  while (from > first.length && first.length + comments.length - from < COMMENTS_LIMIT) {
    const next = comments[from - 1];
    size += next ? sizeOf(next) : 0;
    if (size > DISCUSSION_LIMIT) break;
    from -= 1;
  }
  return [
    ...first.map((comment) => ({ comment, gap: 0 })),
    ...comments.slice(from).map((comment, index) => ({ comment, gap: index === 0 ? from - first.length : 0 })),
  ];
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
