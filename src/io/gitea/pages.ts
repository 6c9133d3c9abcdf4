// The pages of a listing, one after the other: each is parsed and handed over as it comes, and none is kept. A page whose
// texts are too long is asked for in smaller ones.

import { messageOf, UserError } from '../../core/errors.ts';
import type { Cursor, Listed } from '../../core/listing/scope-state.ts';
import type { JsonAnswer } from './answer.ts';
import type { GiteaClient } from './client.ts';
import { badAnswer, TOO_LARGE } from './outage.ts';
import { parseListed } from './wire-row.ts';

/** What is listed: a repository, or all of an owner's. */
export interface List {
  readonly name: string;
  /** Up to where its parameters begin. */
  readonly path: string;
  /** The repository that elements without one belong to. */
  readonly repository: string | null;
}

export interface Page {
  readonly listed: readonly Listed[];
  /** What is left out: an issue that is longer than what is read, and where it is found. */
  readonly left: string | null;
  /** Elements of the whole listing, as the server counts them. */
  readonly total: number | null;
  /** The server's clock. */
  readonly date: number | null;
  /** Where the next one begins. */
  readonly next: Cursor;
}

/** A page of several is read up to here: 160 kB an issue. One alone may be as long as any answer. */
const MAX_PAGE_BYTES = 8 * 1024 * 1024;
const CONCURRENCY = 4;

/**
 * Reads the pages of a listing from a place on. `take` gets each in its turn, and answers whether to go on. Ends where the
 * total says so, or at an empty page; never at a short one, since a server may be set to smaller pages than asked for.
 * `missing`: there is no such list for this token.
 */
export async function readPages(
  client: GiteaClient,
  list: List,
  query: string,
  start: Cursor,
  take: (page: Page) => boolean,
): Promise<'ended' | 'stopped' | 'missing'> {
  let cursor: Cursor = start;
  let size = start.most;
  let total: number | null = null;
  for (;;) {
    const { from, most } = cursor;
    // Only ordinary pages are asked for several at once: four of the longest would fill the memory.
    const left: number = size === most && total !== null ? Math.ceil((total - from) / size) : 1;
    const starts: readonly number[] = Array.from(
      { length: Math.max(1, Math.min(left, CONCURRENCY)) },
      (_, index) => from + index * size,
    );
    const reads = await Promise.allSettled(starts.map(async (at) => readPage(client, list, query, at, { size, most })));
    for (const [index, read] of reads.entries()) {
      // The page before was shorter than it was asked to be.
      if (starts[index] !== cursor.from) break;
      if (read.status === 'rejected') throw read.reason;
      if (read.value === null) return 'missing';
      const { page, used } = read.value;
      size = Math.min(page.next.most, used === size ? size * 2 : used);
      cursor = page.next;
      total = page.total ?? total;
      const goesOn = take(page);
      if (page.listed.length === 0 || cursor.from >= (page.total ?? Infinity)) return 'ended';
      if (!goesOn) return 'stopped';
    }
  }
}

interface Size {
  readonly size: number;
  readonly most: number;
}

// The page that the element `from` is on; it may begin before. Null: there is no such list.
async function readPage(
  client: GiteaClient,
  list: List,
  query: string,
  from: number,
  wanted: Size,
): Promise<{ readonly page: Page; readonly used: number } | null> {
  for (let { size } = wanted; ; size = Math.floor(size / 2)) {
    const number = Math.floor(from / size) + 1;
    const path = `${list.path}${query}&limit=${size}&page=${number}`;
    try {
      const answer = await client(path, ...(size > 1 ? [{ maxBytes: MAX_PAGE_BYTES }] : []));
      return answer.status === 200 ? { page: pageOf(answer, list, number, { ...wanted, size }), used: size } : null;
    } catch (error) {
      if (!(error instanceof UserError && error.code === TOO_LARGE)) throw error;
      if (size > 1) continue;
      const page: Page = {
        listed: [{ kind: 'bad', id: null }],
        left: `${messageOf(error)}: it is number ${number} of ${list.name}, newest first, and left out`,
        total: null,
        date: null,
        next: { from: from + 1, most: wanted.most },
      };
      return { page, used: 1 };
    }
  }
}

function pageOf(answer: JsonAnswer, list: List, number: number, { size, most }: Size): Page {
  const { body, totalCount: total, date } = answer;
  if (!Array.isArray(body)) throw badAnswer(`Gitea sent something other than a list of issues for ${list.name}`);
  const listed = body.map((element) => parseListed(element, list.repository));
  // A short first page before the end: the server counts in such pages, whatever is asked for.
  const isClamped = number === 1 && body.length > 0 && body.length < Math.min(size, total ?? Infinity);
  const counted = isClamped ? body.length : size;
  return { listed, left: null, total, date, next: { from: number * counted, most: isClamped ? counted : most } };
}
