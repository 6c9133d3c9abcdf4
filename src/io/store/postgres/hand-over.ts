// How a task goes to a machine: offered by whoever decides, and taken, with the slot, in one transaction by the clock of the database.

import { activePauses, pauseText } from '../../../core/state/pause.ts';
import { shortDuration } from '../../../core/clock.ts';
import type { Claim, Claimed, Store } from '../../../core/store/store.ts';
import type { Ask } from './connection.ts';
import { askOffice, UNSETTLED } from './failover.ts';
import { ago, OFFER_STANDS_MS, readPauses, STALE } from './look.ts';
import { ABSENT_MS, note, numberIn, type Office, textIn } from './office.ts';

/** A file appears within this time of its slot, or not at all: so long the window is counted longer, until it is known. A disk that
 * takes seconds for a write, or a machine with too much to do, must not miss it again and again. */
const APPEARS_WITHIN_MS = 8000;
/** Ticks come in hundredths of a second. */
const TICK_MS = 20;

/** An offer that was not taken in its time is not made again for so long, or it would stand in front of all others again. */
const STALE_WAITS_MS = 5 * 60_000;

/** Offers a task in place of what is offered. */
export async function offer({ connection, host }: Office, offered: Parameters<Store['offer']>[0]): Promise<void> {
  await connection.atOnce(async (ask) => {
    // What a machine that is there did not take waits; one that does not come is offered nothing, and has it at once when it does.
    await ask(
      `with freed as (
         select key, ${ago('since')} > $2 and exists (
           select 1 from host h where ${ago('h.seen_at')} < $3 and (jsonb_typeof(h.agents) = 'null' or h.agents ? agent)) as waits
         from task where state = 'offered' and key is distinct from $1 for update
       )
       update task t set state = 'free', since = clock_timestamp(),
         wait_until = case when waits then clock_timestamp() + $4 * interval '1 ms' else wait_until end,
         wait_reason = case when waits then $5 else wait_reason end
       from freed where t.key = freed.key`,
      [offered?.key ?? null, OFFER_STANDS_MS, ABSENT_MS, STALE_WAITS_MS, STALE],
    );
    if (!offered) return note(ask, host, [{ kind: 'offered', key: '', attempt: null }]);
    const { key, agent, issue, server, priority } = offered;
    const rows = await ask(
      `insert into task as t (key, server, issue_id, repository, number, agent, title, priority, state, issue)
       values ($1, $2, $3, $4, $5, $6, $7, $8, 'offered', $9)
       on conflict (key) do update set state = 'offered', host = null, title = $7, priority = $8, issue = $9, since = clock_timestamp()
       where t.state = 'free' or (t.state = 'held' and t.stage = 'gone')
       returning attempt`,
      [
        key,
        server,
        issue.id,
        issue.repository,
        issue.number,
        agent,
        issue.title,
        priority,
        JSON.stringify({ ...issue, assignees: [agent] }),
      ],
    );
    if (rows.length === 0) return;
    const ref = `${issue.repository}#${issue.number}`;
    await note(ask, host, [{ kind: 'offered', key, agent, ref, attempt: numberIn(rows[0], 'attempt') }]);
  });
}

/** Gives an offer back, not to be made again for so long. */
export async function decline({ connection, host }: Office, key: string, why: string, ms: number): Promise<void> {
  await connection.atOnce(async (ask) => {
    await ask(
      `update task set state = 'free', wait_until = clock_timestamp() + $2 * interval '1 ms', wait_reason = $3
       where key = $1 and state = 'offered'`,
      [key, ms, why],
    );
    await note(ask, host, [{ kind: 'declined', key, attempt: null, detail: { why } }]);
  });
}

/** Takes the slot and the task, or says why not. */
export async function claim(office: Office, wanted: Claim): Promise<Claimed> {
  const { connection, host, ticks } = office;
  const outcome = await connection.atOnce(async (ask) => {
    const why = (await closedWindow(ask, wanted)) ?? (await closedBy(office, ask, wanted));
    return why ?? (await taken(office, ask, wanted));
  });
  if ('why' in outcome) return { kind: 'refused', ...outcome };
  const own = [wanted.key, host, outcome.attempt] as const;
  const ref = `${wanted.repository}#${wanted.number}`;
  const happened = { key: wanted.key, agent: wanted.agent, ref, attempt: outcome.attempt };
  return {
    kind: 'granted',
    lease: { attempt: outcome.attempt },
    mayAppear: () => ticks() - outcome.askedAt < APPEARS_WITHIN_MS - TICK_MS,
    appeared: async () =>
      connection.atOnce(async (ask) => {
        await ask('update slot set at = clock_timestamp() where key = $1 and host = $2 and attempt = $3', own);
        await note(ask, host, [{ kind: 'appeared', ...happened }]);
      }),
    withdrawn: async () =>
      connection.atOnce(async (ask) => {
        await ask(
          `update task set state = 'free', host = null, stage = null, attempt = attempt + 1, dispatches = dispatches - 1
           where key = $1 and host = $2 and attempt = $3`,
          own,
        );
        // Now it is known that none appears any more.
        await ask(
          'update slot set at = clock_timestamp() where key = $1 and host = $2 and attempt = $3 and at > clock_timestamp()',
          own,
        );
        await note(ask, host, [{ kind: 'withdrawn', ...happened }]);
      }),
  };
}

type Refusal = Omit<Extract<Claimed, { kind: 'refused' }>, 'kind'>;

// The rows are locked, one after the other in one order: whoever comes at the same time waits, and then sees what was taken.
async function closedWindow(ask: Ask, { limits, isForced }: Claim): Promise<Refusal | null> {
  const scopes = limits.map(({ scope }) => scope);
  await ask(`insert into slot (scope, at) select unnest($1::text[]), '-infinity' on conflict do nothing`, [scopes]);
  await ask('select 1 from slot where scope = any($1) order by scope for update', [scopes]);
  // By the time after the wait for them.
  const rows = await ask(
    `select scope, at, ${ago('at')} as last_ago from slot where scope = any($1) and at > '-infinity'`,
    [scopes],
  );
  if (isForced) return null;
  const { settlesIn } = await askOffice(ask);
  if (settlesIn > 0) return { why: UNSETTLED, opensIn: settlesIn };
  for (const { scope, ms } of limits) {
    const row = rows.find((each) => each['scope'] === scope);
    const left = row ? ms - numberIn(row, 'last_ago') : 0;
    const of = scope === '' ? '' : ` of ${scope}`;
    if (left > 0) return { why: `the slot${of} opens in ${shortDuration(left)}`, opensIn: left };
  }
  return null;
}

async function closedBy({ host }: Office, ask: Ask, wanted: Claim): Promise<Refusal | null> {
  await ask(
    `insert into task (key, server, issue_id, repository, number, agent, state) values ($1, $2, $3, $4, $5, $6, 'free')
     on conflict do nothing`,
    [wanted.key, wanted.server, wanted.issueId, wanted.repository, wanted.number, wanted.agent],
  );
  const [row] = await ask('select state, host, stage from task where key = $1 for update', [wanted.key]);
  if (wanted.isForced) return null;
  const holder = textIn(row, 'host');
  if (holder !== null && holder !== host && row?.['stage'] !== 'gone')
    return { why: `${holder} has it`, opensIn: null };
  // Whether a pause is over the clock of this machine does not decide.
  const [clock] = await ask('select (extract(epoch from clock_timestamp()) * 1000)::float8 as now');
  const pauses = activePauses(await readPauses(ask), numberIn(clock, 'now'));
  const pause = pauses.find(({ agent }) => agent === null || agent === wanted.agent);
  return pause ? { why: pauseText(pause), opensIn: null } : null;
}

interface Taken {
  readonly attempt: number;
  /** By the ticks of this machine, before the database set the slot: it cannot be over there before it is over here. */
  readonly askedAt: number;
}

async function taken({ host, ticks }: Office, ask: Ask, wanted: Claim): Promise<Taken> {
  const [row] = await ask(
    `update task set state = 'held', host = $2, attempt = attempt + 1, stage = 'new', dispatches = $3, file = $4, title = $5,
       priority = $6, repository = $7, number = $8, issue = null, wait_until = null, wait_reason = null, since = clock_timestamp()
     where key = $1 returning attempt`,
    [wanted.key, host, wanted.attempts, wanted.file, wanted.title, wanted.priority, wanted.repository, wanted.number],
  );
  const attempt = numberIn(row, 'attempt');
  const ref = `${wanted.repository}#${wanted.number}`;
  await ask('update host set seen_at = clock_timestamp() where name = $1', [host]);
  // As late as can be: over a slow line each statement is time in which the file cannot appear.
  const askedAt = ticks();
  await ask(
    `update slot set at = clock_timestamp() + $2 * interval '1 ms', ref = $3, host = $4, key = $5, attempt = $6
     where scope = any($1)`,
    [wanted.limits.map(({ scope }) => scope), APPEARS_WITHIN_MS, ref, host, wanted.key, attempt],
  );
  await note(ask, host, [{ kind: 'taken', key: wanted.key, agent: wanted.agent, ref, attempt }]);
  return { attempt, askedAt };
}
