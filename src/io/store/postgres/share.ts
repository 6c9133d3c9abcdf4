// What happened to tasks, from each machine to all: lines of the history, in one order for everybody.

import type { Shared } from '../../../core/store/store.ts';
import type { Ask } from './connection.ts';
import { numberIn, type Office } from './office.ts';

/** So many are taken over in a pass; a new machine needs a few. */
const MOST = 1000;

/** Adds lines, and answers those of others that came after one. */
export async function share({ connection, host }: Office, lines: readonly string[], after: number): Promise<Shared> {
  if (lines.length > 0) await connection.atOnce(async (ask) => added(ask, host, lines));
  const rows = await connection.ask(
    `select id::float8 as id, host = $1 as own, detail #>> '{}' as line from event
     where kind = 'history' and id > $2 order by id limit ${MOST}`,
    [host, after],
  );
  const others = rows.filter((row) => row['own'] !== true).map((row) => String(row['line']));
  return { lines: others, last: rows.length > 0 ? numberIn(rows.at(-1), 'id') : after };
}

// One machine after the other, or a line with a smaller number could be there later than one that was read.
async function added(ask: Ask, host: string, lines: readonly string[]): Promise<void> {
  await ask('select pg_advisory_xact_lock(hashtext(current_schema()), 1)');
  await ask(
    `insert into event (kind, host, detail) select 'history', $1, to_jsonb(line) from unnest($2::text[]) line`,
    [host, [...lines]],
  );
}
