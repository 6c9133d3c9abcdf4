// The database fails over to a replica that was behind, or is restored from a backup: what was done in its last moments it has
// forgotten, and nobody else can tell. Until each machine said what it has, nothing goes.

import { IS_AHEAD, mendFuture, WAS_AHEAD } from './clock.ts';
import type { Ask, Connection } from './connection.ts';
import { ABSENT_MS, numberIn } from './office.ts';

/** So long it is waited for the machines that came lately: a minute, and what a timer and a pass take besides. */
const SETTLES_MS = 75_000;

/** Which database that is: another one after each failover and restore. Null: it does not say. */
export async function incarnationOf({ ask }: Connection): Promise<string | null> {
  // A service that imitates PostgreSQL may not have it; a line that is lost is noticed by whoever asks next.
  const [row] = await ask(
    'select left(pg_walfile_name(pg_current_wal_lsn()), 8) || system_identifier as name from pg_control_system()',
  ).catch(() => []);
  return typeof row?.['name'] === 'string' ? row['name'] : null;
}

/**
 * Notes, before anything else of a pass, that the database is another one than it was for the pass before, or that its clock is.
 * Answers what people are to be told of that.
 */
export async function noteChange(ask: Ask, name: string | null): Promise<readonly string[]> {
  const [row] = await ask(`select incarnation is distinct from $1 as is_another, ${IS_AHEAD} as is_ahead from office`, [
    name,
  ]);
  if (name !== null && row?.['is_another'] === true) await noteIncarnation(ask, name);
  if (row?.['is_ahead'] !== true) return [];
  await mendFuture(ask);
  return [WAS_AHEAD];
}

async function noteIncarnation(ask: Ask, name: string): Promise<void> {
  await ask(
    `update office set incarnation = $1, revision = revision + 1,
       failed_over_at = case when incarnation is null then null else clock_timestamp() end
     where incarnation is distinct from $1`,
    [name],
  );
}

/**
 * The number of the last change that a choice looks at, and in how many milliseconds all machines that came before have come, or are
 * not waited for any more; at most 0: now.
 */
export async function askOffice(ask: Ask): Promise<{ readonly revision: unknown; readonly settlesIn: number }> {
  const [row] = await ask(
    `select revision, case when exists (
         select 1 from host h where h.seen_at < o.failed_over_at and h.seen_at > o.failed_over_at - $2 * interval '1 ms')
       then (extract(epoch from o.failed_over_at - clock_timestamp()) * 1000)::float8 + $1 else 0 end as left
     from office o`,
    [SETTLES_MS, ABSENT_MS],
  );
  return { revision: row?.['revision'], settlesIn: numberIn(row, 'left') };
}

/** Why nothing goes, for people. */
export const UNSETTLED =
  'the database of the store failed over or was restored: every machine is to tell first what it has';
