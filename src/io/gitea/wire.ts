// Gitea's JSON as it is sent, parsed once. Everything behind this file works with checked values.

import * as z from 'zod/mini';
import { fromRfc3339 } from '../../core/clock.ts';
import { type Attachment, type Blocker, type Comment, type FullIssue, issueUrl } from '../../core/issue/issue.ts';
import { FULL_NAME, issueOf, LONGEST_LOGIN, rowIn, shortened } from './wire-row.ts';

/** RFC 3339; read as epoch milliseconds. */
export const instant = z.pipe(
  z.string().check(z.refine((text) => fromRfc3339(text) !== undefined)),
  z.transform((text) => fromRfc3339(text) ?? 0),
);
const text = z.string();
/** A title or a name; one that is longer than any of Gitea's is cut (`shortened`). */
export const short = z.pipe(text, z.transform(shortened));
/** Of an account, its login. */
export const User = z.object({ login: text.check(z.minLength(1), z.maxLength(LONGEST_LOGIN)) });
const list = <T extends z.core.$ZodType>(item: T) =>
  z.pipe(
    z.nullish(z.array(item)),
    z.transform((items) => items ?? []),
  );

const WireAsset = z.object({
  name: short,
  size: z.number(),
  uuid: z.nullish(short),
  browser_download_url: z.nullish(text),
});
// What one issue has besides what a listing has of it.
const WireDetails = z.object({
  body: z.nullish(text),
  ref: z.nullish(short),
  milestone: z.nullish(z.object({ title: short })),
  due_date: z.nullish(instant),
  assets: list(WireAsset),
});
const WireComment = z.object({
  id: z.int(),
  body: z.nullish(text),
  user: z.nullish(User),
  created_at: instant,
  updated_at: z.nullish(instant),
  assets: list(WireAsset),
});
const WireBlocker = z.object({
  number: z.int(),
  title: short,
  state: text,
  repository: z.nullish(z.object({ full_name: text.check(z.regex(FULL_NAME)) })),
});

/** Reads the answers about one issue; undefined when the issue itself is not readable. Bad comments are left out. */
export function parseFullIssue(
  raw: {
    readonly issue: unknown;
    readonly comments: readonly unknown[];
    readonly blockers: readonly unknown[];
  },
  repository: string,
  serverUrl: string,
): FullIssue | undefined {
  const row = rowIn(raw.issue);
  const result = WireDetails.safeParse(raw.issue);
  if (!row || !result.success) return undefined;
  const wire = result.data;
  const issue = issueOf(row, row.repository?.name ?? repository);
  // Not the html_url of the answer: the server builds that from its ROOT_URL, which may be wrong.
  const url = issueUrl(serverUrl, issue.repository, issue.number);
  return {
    ...issue,
    state: row.state,
    isPullRequest: row.isPullRequest,
    url,
    body: wire.body ?? '',
    branch: wire.ref?.replace(/^refs\/(?:heads|tags)\//u, '') || null,
    milestone: wire.milestone?.title ?? null,
    due: dueDay(raw.issue),
    comments: raw.comments
      .flatMap((comment) => parseComment(comment, url, serverUrl))
      .toSorted((a, b) => a.createdAt - b.createdAt),
    attachments: wire.assets.flatMap((asset) => toAttachment(asset, serverUrl)),
    blockers: raw.blockers.map((blocker) => parseBlocker(blocker, serverUrl)),
  };
}

/** Reads a comment; empty when it is not readable. */
export function parseComment(raw: unknown, issueUrl: string, serverUrl: string): Comment[] {
  const result = WireComment.safeParse(raw);
  if (!result.success) return [];
  const { id, body, user, created_at: createdAt, updated_at: updatedAt, assets } = result.data;
  return [
    {
      author: user?.login ?? 'unknown',
      createdAt,
      editedAt: updatedAt && updatedAt > createdAt ? updatedAt : null,
      url: `${issueUrl}#issuecomment-${id}`,
      body: body ?? '',
      attachments: assets.flatMap((asset) => toAttachment(asset, serverUrl)),
    },
  ];
}

function toAttachment(asset: z.infer<typeof WireAsset>, serverUrl: string): Attachment[] {
  const url =
    asset.uuid && /^[\w-]+$/u.test(asset.uuid)
      ? `${serverUrl}/attachments/${asset.uuid}`
      : httpUrl(asset.browser_download_url);
  return url === null ? [] : [{ name: asset.name, size: asset.size, url }];
}

/** An address on the web, of any host (Forgejo's external attachments): shown, never followed. Null: it is none. */
export function httpUrl(address: string | null | undefined): string | null {
  if (!address || !URL.canParse(address)) return null;
  const { protocol, href } = new URL(address);
  return protocol === 'https:' || protocol === 'http:' ? href : null;
}

// A blocker that the token may not read comes without repository and with number 0: it still blocks.
function parseBlocker(raw: unknown, serverUrl: string): Blocker {
  const result = WireBlocker.safeParse(raw);
  const repository = result.success ? result.data.repository?.full_name : undefined;
  if (!result.success || !repository)
    return { ref: null, title: 'an issue that the token cannot read', open: true, url: null };
  const { number, title, state } = result.data;
  return {
    ref: `${repository}#${number}`,
    title,
    open: state !== 'closed',
    url: issueUrl(serverUrl, repository, number),
  };
}

// A due date is a day, stored as its last second in the server's own zone: the day is what the text says.
function dueDay(raw: unknown): string | null {
  const due = typeof raw === 'object' && raw !== null && 'due_date' in raw ? raw.due_date : null;
  return typeof due === 'string' ? due.slice(0, 10) : null;
}
