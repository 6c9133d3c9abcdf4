// A pass begins: the machine says that it is there and what it has, gives back what it has no more, takes note of what it lost,
// and learns what holds for all. One transaction: it happened, or it did not.

import { EXIT, UserError } from '../../../core/errors.ts';
import { reconcile, type Reconciled } from '../../../core/store/reconcile.ts';
import type { Holding, Meeting, Report } from '../../../core/store/store.ts';
import type { Ask } from './connection.ts';
import { incarnationOf, noteChange } from './failover.ts';
import { look } from './look.ts';
import { type Happening, note, type Office } from './office.ts';
import { tasksIn } from './parse.ts';

/** Meets the others. `isDry`: only looks. */
export async function meet(office: Office, report: Report, isDry: boolean): Promise<Meeting> {
  const isDecider = !isDry && (await hasTheChair(office));
  const incarnation = isDry ? null : await incarnationOf(office.connection);
  return office.connection.atOnce(async (ask) => {
    if (isDry) return look(office, ask, report, { isDecider: true, result: NOTHING });
    const told = await noteChange(ask, incarnation);
    await signIn(office, ask, report);
    const result = report.holdings === null ? NOTHING : await reconciled(office, ask, report.holdings);
    await takeFromVanished(office, ask);
    await forgetLongAgo(office, ask);
    const meeting = await look(office, ask, report, { isDecider, result });
    return { ...meeting, warnings: [...told, ...meeting.warnings] };
  });
}

const NOTHING: Reconciled = { moved: [], adopted: [], lost: new Map(), ended: [] };

// Whoever has it decides. It is the session's: whatever ends the machine, the others can have it.
async function hasTheChair({ connection }: Office): Promise<boolean> {
  const [row] = await connection.ask(
    "select pg_try_advisory_lock(hashtext('dispatcher decides'), hashtext(current_schema())) as taken",
  );
  return row?.['taken'] === true;
}

async function signIn({ host, instance, leaseMs }: Office, ask: Ask, report: Report): Promise<void> {
  const rows = await ask(
    `insert into host as h (name, instance, version, agents, rate_limit_ms, seen_at) values ($1, $2, $3, $4, $6, clock_timestamp())
     on conflict (name) do update set instance = $2, version = $3, agents = $4, rate_limit_ms = $6, seen_at = clock_timestamp()
     where h.instance = $2 or h.seen_at < clock_timestamp() - $5 * interval '1 ms'
     returning name`,
    [host, instance, report.version, JSON.stringify(report.agents), leaseMs, report.rateLimitMs],
  );
  if (rows.length === 0) {
    throw new UserError(`another machine calls itself ${host} at the store, and was there a moment ago`, {
      exitCode: EXIT.invalid,
      code: 'store_same_name',
      hint: `give each machine a name of its own: store.host. After its state folder was lost the same machine may come again in ${Math.ceil(leaseMs / 1000)} s`,
    });
  }
  if (report.lastFileAgo === null) return;
  // A database that was restored, or failed over, may have forgotten it.
  await ask(
    `insert into slot as s (scope, at) values ('', clock_timestamp() - $1 * interval '1 ms')
     on conflict (scope) do update set at = excluded.at where s.at < excluded.at - interval '1 s'`,
    [report.lastFileAgo],
  );
}

async function reconciled({ host }: Office, ask: Ask, holdings: readonly Holding[]): Promise<Reconciled> {
  const rows = await ask(
    `select key, state, host, attempt, stage from task where host = $1 or key = any($2) order by key for update`,
    [host, holdings.map(({ key }) => key)],
  );
  const result = reconcile(host, holdings, tasksIn(rows));
  const { moved, adopted, lost, ended } = result;
  if (moved.length > 0) {
    await ask(
      `update task set stage = x.stage, since = clock_timestamp()
       from jsonb_to_recordset($1::jsonb) as x (key text, stage text) where task.key = x.key`,
      [JSON.stringify(moved)],
    );
  }
  if (adopted.length > 0) {
    await ask(
      `insert into task (key, server, issue_id, repository, number, agent, state, host, attempt, stage, dispatches, file)
       select key, server, "issueId", repository, number, agent, 'held', $1, (lease->>'attempt')::int, stage, dispatches, file
       from jsonb_to_recordset($2::jsonb) as x (key text, server text, "issueId" bigint, repository text, number bigint,
         agent text, lease jsonb, stage text, dispatches int, file text)
       on conflict (key) do update set state = 'held', host = $1, attempt = excluded.attempt, stage = excluded.stage,
         file = excluded.file, since = clock_timestamp()`,
      [host, JSON.stringify(adopted)],
    );
  }
  if (ended.length > 0) await ask('delete from task where key = any($1)', [ended.map(({ key }) => key)]);
  const known = new Map(holdings.map((holding) => [holding.key, holding]));
  const told = (kind: Happening['kind'], key: string, attempt: number | null): Happening => {
    const holding = known.get(key);
    if (!holding) return { kind, key, attempt };
    const { agent, stage, repository, number } = holding;
    return { kind, key, attempt, agent, ref: `${repository}#${number}`, detail: { stage } };
  };
  await note(ask, host, [
    ...moved.map(({ key, lease }) => told('moved', key, lease?.attempt ?? null)),
    ...adopted.map(({ key, lease }) => told('adopted', key, lease.attempt)),
    ...[...lost.keys()].map((key) => told('late', key, known.get(key)?.lease?.attempt ?? null)),
    ...ended.map(({ key, attempt }) => told('ended', key, attempt)),
  ]);
  return result;
}

// What others have in hand at this moment they may be about to use: whoever comes later forgets it, and nobody waits.
async function forgetLongAgo({ keepMs }: Office, ask: Ask): Promise<void> {
  const isLongAgo = (column: string): string => `${column} < clock_timestamp() - $1 * interval '1 ms'`;
  await ask(
    `delete from event where id in (select id from event where ${isLongAgo('at')} limit 500 for update skip locked)`,
    [keepMs],
  );
  // Whoever had one so long ago, and comes back, is told by Gitea what became of it.
  await ask(
    `delete from task where key in
       (select key from task where state = 'free' and ${isLongAgo('since')} limit 500 for update skip locked)`,
    [keepMs],
  );
  await ask(
    `delete from host where name in (
       select name from host h where ${isLongAgo('seen_at')} and not exists (select 1 from task t where t.host = h.name)
       for update skip locked)`,
    [keepMs],
  );
}

// A machine that does not come loses what its agents have not handed back. Nobody waits for a row that another one has in hand: a
// machine whose own row is locked is just coming back, and what it was told then must stay true.
async function takeFromVanished({ host, leaseMs }: Office, ask: Ask): Promise<void> {
  const rows = await ask(
    `with vanished as (
       select t.key, t.host from task t join host h on h.name = t.host
       where t.stage in ('new', 'doing') and h.seen_at < clock_timestamp() - $1 * interval '1 ms'
       order by t.key for update of t skip locked for share of h skip locked
     )
     update task t set state = 'free', host = null, attempt = t.attempt + 1, stage = null, since = clock_timestamp()
     from vanished v where t.key = v.key
     returning t.key, t.agent, t.repository || '#' || t.number as ref, t.attempt, v.host as holder`,
    [leaseMs],
  );
  await note(
    ask,
    host,
    rows.map((row) => ({
      kind: 'lost',
      key: String(row['key']),
      attempt: Number(row['attempt']) - 1,
      agent: String(row['agent']),
      ref: String(row['ref']),
      detail: { holder: row['holder'] },
    })),
  );
}
