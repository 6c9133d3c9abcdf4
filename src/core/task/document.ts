// What a template can print. Each text that people wrote on Gitea is made harmless here, before any template sees it:
// one-line texts are cleaned and inert in Markdown, longer ones come as blocks that already stand between markers.

import type { Candidate } from '../issue/candidate.ts';
import { type Instant, toRfc3339 } from '../clock.ts';
import { type FrontMatterValue, renderFrontMatter } from './front-matter.ts';
import { type Comment, type FullIssue, refOf } from '../issue/issue.ts';
import { beginningOf, cleanInline, cleanLine, cleanLogin, cleanText, cut, quoteBetweenMarkers } from './untrusted.ts';

const TASK_SCHEMA = 'dispatcher.task/1';

const BODY_LIMIT = 60_000;
const COMMENT_LIMIT = 10_000;
const COMMENTS_LIMIT = 100;
const DISCUSSION_LIMIT = 200_000;

/** So many times of what is shown is read at most: the rest is for what is invisible in it. */
const READ_FACTOR = 2;

export type Trigger = 'timer' | 'manual' | 'forced';

/** What quoting needs. */
export interface QuotingFacts {
  /** A fresh random word, so that nobody could have written a marker beforehand. */
  readonly marker: string;
  /** Address of the server, for links. */
  readonly serverUrl: string;
  readonly version: string;
}

/** What is known about a dispatch besides the issue. */
export interface DispatchFacts extends QuotingFacts {
  readonly at: Instant;
  readonly trigger: Trigger;
  /** 1 for the first time this issue goes to this agent. */
  readonly attempt: number;
  /** Comments by others are left out, with a note. */
  readonly isTrusted: (login: string) => boolean;
  readonly sha256: (text: string) => string;
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
    dispatch: { at: toRfc3339(dispatch.at), trigger: dispatch.trigger, attempt: dispatch.attempt },
    hidden,
    marker: dispatch.marker,
    version: dispatch.version,
  };
}

/** Everything of an issue that stands between markers, each null when there is nothing; and what was hidden in it. */
export function quotedIssue(issue: FullIssue, facts: QuotingFacts) {
  const quoting = quoter(facts);
  const written = (what: string, limit = BODY_LIMIT): Source => ({
    by: `${what} by ${cleanLogin(issue.author)}`,
    at: issue.createdAt,
    limit,
    url: issue.url,
  });
  const comments = shownComments(issue).map((comment) => commentData(comment, quoting));
  return {
    body: quoting.block(issue.body, written('issue body')),
    acceptanceCriteria: quoting.block(acceptanceCriteria(issue.body), written('acceptance criteria')),
    summary: quoting.block(summaryOf(issue), written('title and labels')),
    comments,
    commentsOmitted: issue.comments.length - comments.length,
    attachments: quoting.block(attachmentsOf(issue), written('attachments')),
    blockers: quoting.block(blockersOf(issue), written('blockers')),
    hidden: quoting.hidden,
  };
}

// Without the comments of those who are not to be heard.
function heard(issue: FullIssue, { isTrusted }: Pick<DispatchFacts, 'isTrusted'>): FullIssue {
  return { ...issue, comments: issue.comments.filter(({ author }) => isTrusted(author)) };
}

interface Source {
  readonly by: string;
  readonly at: Instant;
  readonly limit: number;
  readonly url: string;
}

interface Quoter {
  /** What was hidden in the texts quoted so far. */
  readonly hidden: { comments: number; characters: number; any: boolean };
  /** The text between its markers, or null when nothing visible is in it. */
  readonly block: (raw: string, source: Source) => string | null;
}

function quoter({ marker, serverUrl }: QuotingFacts): Quoter {
  const hidden = { comments: 0, characters: 0, any: false };
  const block = (raw: string, { by, at, limit, url }: Source): string | null => {
    const read = cut(raw, limit * READ_FACTOR);
    const { text, removed } = cleanText(read.text);
    hidden.comments += removed.comments;
    hidden.characters += removed.invisible;
    hidden.any ||= removed.comments + removed.invisible > 0;
    if (text.trim() === '') return null;
    const shown = cut(withAbsoluteLinks(text.trimEnd(), serverUrl), limit);
    const quoted = quoteBetweenMarkers(shown.text, marker, `${by}, ${toRfc3339(at)}`);
    const more = shown.cut + read.cut;
    return more === 0 ? quoted : `${quoted}\n\n(Cut here. ${more} more characters: ${url})`;
  };
  return { hidden, block };
}

function commentData(comment: Comment, quoting: Quoter) {
  const { author, createdAt, url, body } = comment;
  const source = { by: `comment by ${cleanLogin(author)}`, at: createdAt, limit: COMMENT_LIMIT, url };
  return {
    author: cleanLogin(author),
    createdAt: toRfc3339(createdAt),
    url,
    body: quoting.block(body, source),
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

const CRITERIA = /^(?:acceptance criteria|acceptance|definition of done|done when)\s*:?$/iu;
const CHECKBOX = /^\s*(?:[-*+]|\d+[.)])\s+\[[ xX]\]\s/u;
/** No heading that is looked for is longer. */
const LONGEST_HEADING = 200;

/** The section of a body under such a heading, else its checkbox lines, else nothing. */
export function acceptanceCriteria(body: string): string {
  const lines = cleanText(beginningOf(body)).text.split('\n');
  const start = lines.findIndex((line) => CRITERIA.test(headingOf(line)?.text ?? ''));
  if (start < 0) return lines.filter((line) => CHECKBOX.test(line.slice(0, LONGEST_HEADING))).join('\n');
  const level = headingOf(lines[start] ?? '')?.level ?? 0;
  const length = lines.slice(start + 1).findIndex((line) => (headingOf(line)?.level ?? 9) <= level);
  return lines
    .slice(start + 1, length < 0 ? undefined : start + 1 + length)
    .join('\n')
    .trim();
}

// Without an expression for all of it: how blanks and signs are shared out would be tried in every way, and a line of
// 20,000 blanks took a pass its whole life.
function headingOf(line: string): { readonly level: number; readonly text: string } | undefined {
  const [signs] = line.startsWith('#') ? (/^#{1,6}(?=\s)/u.exec(line) ?? []) : [];
  if (signs === undefined) return undefined;
  const rest = line.slice(signs.length, LONGEST_HEADING).trim();
  let end = rest.length;
  while (rest[end - 1] === '#') end -= 1;
  return { level: signs.length, text: rest.slice(0, end).trimEnd() };
}

// Gitea writes links to its own pages and attachments without the host. An agent reads the text somewhere else.
function withAbsoluteLinks(text: string, serverUrl: string): string {
  const { origin, pathname } = new URL(serverUrl);
  const prefix = pathname.replace(/\/$/u, '');
  return text.replaceAll(/(\]\(\s{0,4})(\/(?!\/)[^\s)]*)/gu, (_, open: string, path: string) =>
    prefix !== '' && path.startsWith(`${prefix}/`) ? `${open}${origin}${path}` : `${open}${serverUrl}${path}`,
  );
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
