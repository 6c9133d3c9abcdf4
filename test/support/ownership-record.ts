// Writes down who holds which task, in the database and by its clock: triggers of the test's own on the tables of the store,
// so that nothing is taken from what the store says about itself.

import type { Cluster } from './postgres.ts';
import type { OwnershipEvent } from './ownership.ts';

const SCHEMA = 'dispatcher';

const TRIGGERS = `
create schema witness;
create table witness.seen (
  id bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  event text not null, host text, task text, attempt int, session int not null default pg_backend_pid()
);
create function witness.task() returns trigger language plpgsql security definer as $$
declare
  was_held boolean := tg_op <> 'INSERT' and old.state = 'held';
  is_held boolean := tg_op <> 'DELETE' and new.state = 'held';
  is_same boolean := was_held and is_held and old.host = new.host and old.attempt = new.attempt;
begin
  if was_held and not is_same then
    insert into witness.seen (event, host, task, attempt) values
      (case when tg_op = 'DELETE' then 'ended' else 'freed' end, old.host, old.agent || ' ' || old.number, old.attempt);
  end if;
  if is_held and not is_same then
    insert into witness.seen (event, host, task, attempt) values ('taken', new.host, new.agent || ' ' || new.number, new.attempt);
  end if;
  if is_held and new.stage in ('done', 'blocked') and (not is_same or old.stage is distinct from new.stage) then
    insert into witness.seen (event, host, task, attempt) values ('finished', new.host, new.agent || ' ' || new.number, new.attempt);
  end if;
  return null;
end $$;
create function witness.host() returns trigger language plpgsql security definer as $$
begin
  insert into witness.seen (event, host, task, attempt)
    select case when new.seen_at < old.seen_at then 'expired' else 'renewed' end, host, agent || ' ' || number, attempt from ${SCHEMA}.task
    where host = new.name and state = 'held' and stage is distinct from 'done' and stage is distinct from 'blocked';
  return null;
end $$;
create trigger witness after insert or update or delete on ${SCHEMA}.task for each row execute function witness.task();
create trigger witness after update of seen_at on ${SCHEMA}.host for each row execute function witness.host();
`;

/** Lets a machine not have been there for so long, by the tables. */
export function age(cluster: Cluster, database: string, host: string, minutes: number): void {
  cluster.sql(
    `update ${SCHEMA}.host set seen_at = seen_at - interval '${minutes} min' where name = '${host}'`,
    database,
  );
}

/** Begins to write down. The tables of the store must be there. */
export function witness(cluster: Cluster, database: string): void {
  cluster.sql(TRIGGERS, database);
}

interface Seen {
  readonly at: number;
  readonly event: string;
  readonly host: string;
  readonly task: string;
  readonly attempt: number;
  readonly session: number;
}

/** What was written down so far, as the model takes it; a task is its agent and the number of its issue. */
export function witnessed(cluster: Cluster, database: string): readonly OwnershipEvent[] {
  const columns = `(extract(epoch from at) * 1000)::numeric(20, 3) || E'\\x1f' || concat_ws(E'\\x1f', event, host, task, attempt, session)`;
  const seen = cluster.sql(`select ${columns} from witness.seen order by id`, database).map((row): Seen => {
    const [at = '', event = '', host = '', task = '', attempt = '', session = ''] = row.split('\x1f');
    return { at: Number(at), event, host, task, attempt: Number(attempt), session: Number(session) };
  });
  const takenIn = new Map<string, number>();
  return seen.flatMap(({ at, event, host, task, attempt, session }): OwnershipEvent[] => {
    const holding = `${task} ${attempt}`;
    if (event === 'taken') takenIn.set(holding, session);
    // A holder frees a task in the conversation in which it took it; whoever frees it in another one takes it from the holder.
    const meant = event === 'freed' ? (takenIn.get(holding) === session ? 'returned' : 'lapsed') : event;
    return isEvent(meant) ? [{ at, host, task, attempt, event: meant }] : [];
  });
}

const isEvent = (name: string): name is OwnershipEvent['event'] =>
  ['taken', 'renewed', 'finished', 'returned', 'ended', 'expired', 'lapsed'].includes(name);
