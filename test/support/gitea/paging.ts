import type { Context } from './server.ts';

/** The size of a page, clamped as the server does it, and where it begins. */
export function paging(
  { maxItems }: Context,
  query: URLSearchParams,
  byDefault: number,
): { size: number; from: number } {
  const size = Math.min(Number(query.get('limit')) || byDefault, maxItems);
  return { size, from: (Math.max(1, Number(query.get('page'))) - 1) * size };
}
