// An issue as Gitea lists it, parsed once. In plain code where wire.ts has schemas: each pass reads a page of these, and a schema for
// them, made in each pass and slowest for its first rows, took 7 to 9 ms of it.

import { fromRfc3339, type Instant } from '../../core/clock.ts';
import type { Issue } from '../../core/issue/issue.ts';
import type { Listed } from '../../core/listing/scope-state.ts';
import { cut } from '../../core/task/untrusted.ts';

/** `owner/repository`, both fit to be folder names, which they become when several repositories are configured. */
export const FULL_NAME = /^(?!\.{1,2}\/)[A-Za-z0-9._-]{1,100}\/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/u;
/** The longest name of a user. */
export const LONGEST_LOGIN = 255;

/** What every answer with an issue has of it. */
export interface Row {
  readonly id: number;
  readonly number: number;
  readonly title: string;
  readonly state: 'open' | 'closed';
  readonly labels: readonly string[];
  readonly assignees: readonly string[];
  readonly author: string;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  readonly isPullRequest: boolean;
  /** Null where the endpoint names none. */
  readonly repository: { readonly id: number | null; readonly name: string } | null;
}

/** Reads one element of a listing. `repository` stands in where the endpoint names none. */
export function parseListed(raw: unknown, repository: string | null): Listed {
  const row = rowIn(raw);
  const name = row?.repository?.name ?? repository;
  if (!row || name === null) return { kind: 'bad', id: openId(raw) };
  const { id, number, updatedAt, state } = row;
  if (row.isPullRequest) {
    return { kind: 'pull', pull: { repository: name, number, updatedAt, isOpen: state === 'open' } };
  }
  if (state === 'closed') return { kind: 'closed', id, updatedAt };
  return { kind: 'issue', issue: issueOf(row, name), repositoryId: row.repository?.id ?? null };
}

/** The issue of a row. */
export function issueOf(row: Row, repository: string): Issue {
  const { id, number, title, labels, author, assignees, createdAt, updatedAt } = row;
  // The server has no order for assignees: two passes may see two orders.
  return {
    id,
    repository,
    number,
    title,
    labels,
    author,
    assignees: [...new Set(assignees)].toSorted(),
    createdAt,
    updatedAt,
  };
}

/** Reads what every answer with an issue has; undefined when it is not readable, as where a sub-query failed on the server: id 0. */
export function rowIn(raw: unknown): Row | undefined {
  if (!isRecord(raw)) return undefined;
  const { id, number, state, title } = raw;
  if (!isPositive(id) || !isPositive(number) || (state !== 'open' && state !== 'closed')) return undefined;
  const labels = listIn(raw['labels'], (label) => (isRecord(label) ? textIn(label['name']) : undefined));
  const assignees = listIn(raw['assignees'], loginIn);
  const author = isNone(raw['user']) ? 'unknown' : loginIn(raw['user']);
  const createdAt = instantIn(raw['created_at']);
  const updatedAt = instantIn(raw['updated_at']);
  const repository = isNone(raw['repository']) ? null : repositoryIn(raw['repository']);
  if (typeof title !== 'string' || !labels || !assignees || author === undefined) return undefined;
  if (createdAt === undefined || updatedAt === undefined || repository === undefined) return undefined;
  const isPullRequest = Boolean(raw['pull_request']);
  return {
    id,
    number,
    title: shortened(title),
    state,
    labels,
    assignees,
    author,
    createdAt,
    updatedAt,
    isPullRequest,
    repository,
  };
}

/**
 * Titles and names have at most 255 characters on Gitea. A server, or somebody in its place, that sends more is cut short
 * here, before anything looks at them.
 */
export function shortened(text: string): string {
  return cut(text, 1000).text;
}

// An issue that is shown wrongly counts all the same.
function openId(raw: unknown): number | null {
  if (!isRecord(raw) || raw['state'] !== 'open' || !isNone(raw['pull_request'])) return null;
  return isPositive(raw['id']) ? raw['id'] : null;
}

function repositoryIn(raw: unknown): Row['repository'] | undefined {
  if (!isRecord(raw)) return undefined;
  const { id, full_name: name } = raw;
  if (typeof name !== 'string' || !FULL_NAME.test(name)) return undefined;
  if (isNone(id)) return { id: null, name };
  return Number.isSafeInteger(id) ? { id: Number(id), name } : undefined;
}

function loginIn(raw: unknown): string | undefined {
  const login = isRecord(raw) ? raw['login'] : undefined;
  return typeof login === 'string' && login !== '' && login.length <= LONGEST_LOGIN ? login : undefined;
}

function textIn(raw: unknown): string | undefined {
  return typeof raw === 'string' ? shortened(raw) : undefined;
}

function instantIn(raw: unknown): Instant | undefined {
  return typeof raw === 'string' ? fromRfc3339(raw) : undefined;
}

// All of a list or nothing; none is an empty one.
function listIn(raw: unknown, read: (item: unknown) => string | undefined): readonly string[] | undefined {
  if (isNone(raw)) return [];
  if (!Array.isArray(raw)) return undefined;
  const items = raw.map(read);
  return items.every((item) => item !== undefined) ? items : undefined;
}

function isPositive(raw: unknown): raw is number {
  return Number.isSafeInteger(raw) && Number(raw) > 0;
}

function isNone(raw: unknown): raw is null | undefined {
  return raw === null || raw === undefined;
}

function isRecord(raw: unknown): raw is Readonly<Record<string, unknown>> {
  return typeof raw === 'object' && raw !== null;
}
