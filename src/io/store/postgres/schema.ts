// The tables of the store. No pass makes or changes them: `store init` and `store migrate` do, once, from one machine.

import { EXIT, UserError } from '../../../core/errors.ts';
import type { Ask, Connection } from './connection.ts';

/** The form of the tables that this version works with. */
export const VERSION = 1;

// Each brings the tables from the form before it to its own. What was released is never changed, only followed.
const MIGRATIONS: readonly string[] = [
  `
  create table office (
    one boolean primary key default true check (one),
    version int not null,
    server text,
    -- Another one after each change that a choice looks at.
    revision bigint not null default 0,
    decision jsonb,
    decided_by text,
    -- Which database this was for the last pass, and when it was another one all at once.
    incarnation text,
    failed_over_at timestamptz,
    made_at timestamptz not null default clock_timestamp()
  );
  insert into office (version) values (1);
  -- When the last file appeared, or is about to: of all (the empty scope), of an agent, of a repository.
  create table slot (
    scope text primary key,
    at timestamptz not null,
    ref text,
    host text,
    key text,
    attempt int
  );
  create table host (
    name text primary key,
    -- Tells a machine from another one that calls itself the same.
    instance text not null,
    version text not null,
    agents jsonb,
    rate_limit_ms bigint not null default 0,
    seen_at timestamptz not null,
    listed_at timestamptz,
    listed_scope text,
    last_pass jsonb
  );
  create table task (
    key text primary key,
    server text not null,
    issue_id bigint not null,
    repository text not null,
    number bigint not null,
    agent text not null,
    title text not null default '',
    priority text not null default 'NORMAL',
    state text not null check (state in ('free', 'offered', 'held')),
    host text check ((host is null) = (state <> 'held')),
    -- Grows whenever the task goes to somebody or is taken from somebody: whoever comes with an older one has lost it.
    attempt int not null default 0,
    stage text,
    dispatches int not null default 0,
    file text,
    issue jsonb,
    since timestamptz not null default clock_timestamp(),
    wait_until timestamptz,
    wait_reason text
  );
  create index task_host on task (host) where host is not null;
  create index task_offered on task (agent) where state = 'offered';
  create index task_waits on task (wait_until) where wait_until is not null;
  create index task_free on task (since) where state = 'free';
  create table pause (
    agent text primary key,
    record jsonb not null
  );
  -- Who had what, and when: append-only, by the clock of the database.
  create table event (
    id bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    kind text not null,
    host text not null,
    key text,
    ref text,
    agent text,
    attempt int,
    detail jsonb
  );
  create index event_at on event (at);
  create index event_history on event (id) where kind = 'history';
  `,
];

/** A name as SQL has it, whatever is in it. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Lets the statements of a connection mean the tables of a schema. */
export async function useSchema(ask: Ask, schema: string): Promise<void> {
  await ask("select set_config('search_path', $1, false)", [`${quoted(schema)}, pg_catalog`]);
}

/** The form that the tables have; null: there are none. */
export async function versionOf(ask: Ask, schema: string): Promise<number | null> {
  const [there] = await ask('select to_regclass($1) is not null as found', [`${quoted(schema)}.office`]);
  if (there?.['found'] !== true) return null;
  const [row] = await ask(`select version from ${quoted(schema)}.office`);
  return Number(row?.['version'] ?? 0);
}

/** Brings the tables to the form of this version; answers the form before it, or null. Two machines at once do it once. */
export async function migrate({ atOnce, ask }: Connection, schema: string): Promise<number | null> {
  return atOnce(async () => {
    await ask('select pg_advisory_xact_lock(hashtext($1))', [`dispatcher migrate ${schema}`]);
    const before = await versionOf(ask, schema);
    if (before !== null && before > VERSION) throw newer(before);
    // Made by an administrator it need not be ours to make.
    const [there] = await ask('select to_regnamespace($1) is not null as found', [quoted(schema)]);
    if (there?.['found'] !== true) await ask(`create schema ${quoted(schema)}`);
    await ask("select set_config('search_path', $1, true)", [`${quoted(schema)}, pg_catalog`]);
    for (const [index, text] of MIGRATIONS.entries()) if (index >= (before ?? 0)) await ask(text);
    if (before !== VERSION) await ask('update office set version = $1', [VERSION]);
    return before;
  });
}

/** Throws exit 78 unless the tables have the form of this version. */
export function checkVersion(found: number | null, schema: string): void {
  if (found === VERSION) return;
  if (found !== null && found > VERSION) throw newer(found);
  throw new UserError(
    found === null
      ? `the database of the store has no tables of the dispatcher in schema ${schema}`
      : `the tables of the store have form ${found}, and this version works with form ${VERSION}`,
    {
      exitCode: EXIT.invalid,
      code: found === null ? 'store_uninitialised' : 'store_outdated',
      hint: `once, from one machine: dispatcher store ${found === null ? 'init' : 'migrate'}`,
    },
  );
}

function newer(found: number): UserError {
  return new UserError(`the tables of the store were made by a newer dispatcher (form ${found})`, {
    exitCode: EXIT.invalid,
    code: 'store_newer',
    hint: 'install that version here as well',
  });
}
