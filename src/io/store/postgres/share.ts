// What happened to tasks, from each machine to all: lines of the history, in one order for everybody.

import type { Shared, Store } from '../../../core/store/store.ts';
import type { Ask } from './connection.ts';
import { numberIn, type Office } from './office.ts';

/** So many are taken over in a pass; a new machine needs a few. */
const MOST = 1000;

/** Adds lines, and answers those of others that came after one. `isAgain`: some may be there. */
export async function share(
  { connection, host }: Office,
  ...[lines, after, isAgain]: Parameters<Store['share']>
): Promise<Shared> {
  if (lines.length > 0) await connection.atOnce(async (ask) => added(ask, host, lines, isAgain));
  const rows = await connection.ask(
    `with since as (${SINCE})
     select since.id::float8 as since, event.id::float8 as id, host = $1 as own, detail #>> '{}' as line
     from since left join event on kind = 'history' and event.id > since.id order by event.id limit ${MOST}`,
    [host, after],
  );
  const others = rows.filter((row) => row['own'] === false).map((row) => String(row['line']));
  const last = rows.at(-1);
  return { lines: others, last: last ? numberIn(last, last['id'] === null ? 'since' : 'id') : after };
}

// A database that was restored, failed over or made anew counts from less than it did: there it goes on with what was told since then.
const SINCE = `select case when $2 <= (select coalesce(max(id), 0) from event) then $2
  else (select coalesce(max(event.id), 0) from event, office where at < failed_over_at) end as id`;

// One machine after the other, or a line with a smaller number could be there later than one that was read.
async function added(ask: Ask, host: string, lines: readonly string[], isAgain: boolean): Promise<void> {
  await ask('select pg_advisory_xact_lock(hashtext(current_schema()), 1)');
  // By itself, not as one of two conditions: so it is one pass over both, and not one over the history for each line.
  const isNew = isAgain
    ? `where not exists (select 1 from event where kind = 'history' and detail = to_jsonb(line))`
    : '';
  await ask(
    `insert into event (kind, host, detail) select 'history', $1, to_jsonb(line) from unnest($2::text[]) line ${isNew}`,
    [host, [...lines]],
  );
}
