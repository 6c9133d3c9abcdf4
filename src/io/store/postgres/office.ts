// What the parts of the store share: who asks, over which connection, and what is written down of it.

import type { Ask, Connection, Row } from './connection.ts';

/** This machine, at the store. */
export interface Office {
  readonly connection: Connection;
  /** Its name among the others. */
  readonly host: string;
  /** Tells it from another machine that calls itself the same. */
  readonly instance: string;
  readonly leaseMs: number;
  /** Who lists the same so short a time after another need not: that one has decided for all. */
  readonly listedForAllMs: number;
  /** How long it is remembered who had what. */
  readonly keepMs: number;
  /** Milliseconds that go on evenly, whatever the clock is set to. */
  readonly ticks: () => number;
}

/** A machine that left out two passes takes nothing that it is offered, whatever it may still hold. */
export const ABSENT_MS = 150_000;

/** What happened to a task, for the record of who had what. */
export interface Happening {
  readonly kind:
    | 'offered'
    | 'declined'
    | 'taken'
    | 'appeared'
    | 'withdrawn'
    | 'adopted'
    | 'moved'
    | 'ended'
    | 'lost'
    | 'late';
  readonly key: string;
  readonly attempt: number | null;
  readonly agent?: string;
  readonly ref?: string;
  readonly detail?: unknown;
}

/** Writes down what happened, and that a choice has something new to look at. */
export async function note(ask: Ask, host: string, happenings: readonly Happening[]): Promise<void> {
  if (happenings.length === 0) return;
  const rows = happenings.map((each) => ({ ref: null, agent: null, detail: null, ...each }));
  await ask(
    `with noted as (
       insert into event (kind, host, key, ref, agent, attempt, detail)
       select kind, $1, key, ref, agent, attempt, detail
       from jsonb_to_recordset($2::jsonb) as x (kind text, key text, ref text, agent text, attempt int, detail jsonb)
     )
     update office set revision = revision + 1`,
    [host, JSON.stringify(rows)],
  );
}

/** A number of a row. The database gives large ones as text. */
export function numberIn(row: Row | undefined, name: string): number {
  return Number(row?.[name]);
}

/** A text of a row; null when it has none. */
export function textIn(row: Row | undefined, name: string): string | null {
  const value = row?.[name];
  return typeof value === 'string' ? value : null;
}
