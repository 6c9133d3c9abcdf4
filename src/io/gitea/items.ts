// Short lists, such as labels and blockers, page by page. What is long, and what changes while it is read, is pages.ts.

import type { GiteaClient } from './client.ts';
import { badAnswer } from './outage.ts';

const PAGE_SIZE = 50;
const MAX_PAGES = 10;

/**
 * The elements of a list, asked for a page at a time as they are wanted; none when there is no such list (404). It ends after
 * 500. Throws exit 75 when an answer is no list.
 */
export async function* itemsOf(client: GiteaClient, path: string): AsyncGenerator {
  let count = 0;
  for (let page = 1; page <= MAX_PAGES; page += 1) {
    const answer = await client(`${path}?limit=${PAGE_SIZE}&page=${page}`);
    if (answer.status !== 200) return;
    const items = listOf(answer.body, path);
    yield* items;
    count += items.length;
    if (items.length === 0 || count >= (answer.totalCount ?? Infinity)) return;
  }
}

/** All of them at once. */
export async function allItems(client: GiteaClient, path: string): Promise<readonly unknown[]> {
  const items: unknown[] = [];
  for await (const item of itemsOf(client, path)) items.push(item);
  return items;
}

/** The elements of a list; Gitea sends null for some empty ones. Throws exit 75 for anything else. */
export function listOf(body: unknown, path: string): readonly unknown[] {
  if (body === null) return [];
  if (Array.isArray(body)) return body;
  throw badAnswer(`Gitea sent something other than a list for ${path}`);
}
