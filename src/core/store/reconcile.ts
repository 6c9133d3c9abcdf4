// A machine comes back with what it remembers, and the store knows what became of it meanwhile. Pure, for both to be tried.

import type { Whereabouts } from '../mailbox/place.ts';
import type { Holding, Lease } from './store.ts';

/** What the store knows of a task. */
export interface StoredTask {
  readonly key: string;
  /** `held`: a machine has its file. `offered`: it was chosen. `free`: nobody has it. */
  readonly state: 'held' | 'offered' | 'free';
  readonly host: string | null;
  readonly attempt: number;
  readonly stage: Whereabouts | null;
}

/** What follows for the tasks of a machine. */
export interface Reconciled {
  /** The machine has them, and did something with them since. */
  readonly moved: readonly Holding[];
  /** It has them, and the store did not know, or not any more. */
  readonly adopted: readonly (Holding & { readonly lease: Lease })[];
  /** Others have them, or may: by key, with the words for people. */
  readonly lost: ReadonlyMap<string, string>;
  /** The store thinks that the machine has them, and it has not. */
  readonly ended: readonly Pick<StoredTask, 'key' | 'attempt'>[];
}

/** Compares what machine `me` remembers with what the store knows of these tasks, and of all others that it has for this machine. */
export function reconcile(me: string, holdings: readonly Holding[], stored: readonly StoredTask[]): Reconciled {
  const rows = new Map(stored.map((row) => [row.key, row]));
  const moved: Holding[] = [];
  const adopted: (Holding & { readonly lease: Lease })[] = [];
  const lost = new Map<string, string>();
  for (const holding of holdings) {
    const row = rows.get(holding.key);
    const attempt = attemptOf(me, holding, row);
    if (attempt === null) lost.set(holding.key, lostTo(row));
    else if (attempt !== holding.lease?.attempt || row?.host !== me || row.attempt !== attempt)
      adopted.push({ ...holding, lease: { attempt } });
    else if (row.stage !== holding.stage) moved.push(holding);
  }
  const known = new Set(holdings.map(({ key }) => key));
  const ended = stored.filter(({ key, host, state }) => host === me && state === 'held' && !known.has(key));
  return { moved, adopted, lost, ended };
}

// Null: the machine has lost it.
function attemptOf(me: string, { lease }: Holding, row: StoredTask | undefined): number | null {
  const own = lease?.attempt ?? 0;
  // What the store never heard of, or has forgotten since: a database that was restored, or failed over, is behind the files.
  if (!row) return Math.max(1, own);
  const isHeld = row.state === 'held';
  if (isHeld && row.host === me) return lease === null ? row.attempt : sameOrNewer(own, row.attempt);
  if (isHeld) return null;
  // Nobody has it: given up by others because this machine did not come, unless its attempt is newer than that.
  return lease === null || own >= row.attempt ? Math.max(own, row.attempt + 1) : null;
}

function sameOrNewer(own: number, stored: number): number | null {
  return own >= stored ? own : null;
}

function lostTo(row: StoredTask | undefined): string {
  return row?.state === 'held' && row.host !== null ? `${row.host} has it now` : 'it is to be dispatched again';
}
