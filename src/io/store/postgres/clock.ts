// The clock of the database is the one that counts. When it was ahead, and is set right, what it wrote down lies in the future: no
// slot would open, no machine be lost and no offer be made again, before that time has come once more.

import type { Ask } from './connection.ts';

/** More than this, which is what a slot is ahead of its file, nothing is ahead by itself. */
const AHEAD = "interval '10 s'";
/** As long as anything has to wait. */
const LONGEST_WAIT = "interval '5 min'";

/** Whether anything lies in the future, as an expression of SQL. */
export const IS_AHEAD = `(exists (select 1 from host where seen_at > clock_timestamp() + ${AHEAD})
  or exists (select 1 from slot where at > clock_timestamp() + ${AHEAD}))`;

/** What people are told. */
export const WAS_AHEAD = 'the clock of the database of the store was set back: what was in its future counts as now';

/** Lets what lies in the future be now. Rows that others have in hand are theirs: the next pass comes by. */
export async function mendFuture(ask: Ask): Promise<void> {
  await ask(
    `update host set seen_at = clock_timestamp(), listed_at = least(listed_at, clock_timestamp())
     where name in (select name from host where seen_at > clock_timestamp() + ${AHEAD} for update skip locked)`,
  );
  await ask(
    `update slot set at = clock_timestamp()
     where scope in (select scope from slot where at > clock_timestamp() + ${AHEAD} for update skip locked)`,
  );
  await ask(
    `update task set since = least(since, clock_timestamp()), wait_until = least(wait_until, clock_timestamp() + ${LONGEST_WAIT})
     where key in (select key from task where since > clock_timestamp() + ${AHEAD}
       or wait_until > clock_timestamp() + ${LONGEST_WAIT} + ${AHEAD} for update skip locked)`,
  );
  await ask('update office set failed_over_at = null where failed_over_at > clock_timestamp()');
}
