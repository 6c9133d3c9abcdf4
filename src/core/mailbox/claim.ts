// Who took a task, as it is written beside it, and whether there still is anybody.

import { fieldsOf, objectIn } from './fields.ts';
import { type Instant, fromRfc3339, toRfc3339 } from '../clock.ts';
import { cleanLine } from '../task/untrusted.ts';

/** A process, so that a later one with the same number is not taken for it. */
export interface ProcessId {
  readonly pid: number;
  /** Clock ticks after the machine's start at which it began; null where nobody tells. */
  readonly startedAt: number | null;
}

/** Where numbers of processes mean something: this run of this machine, in this namespace of processes. */
export interface Machine {
  readonly host: string;
  readonly bootId: string;
  readonly pidNamespace: string;
}

export interface Claim {
  readonly at: string;
  readonly user: string;
  readonly machine: Machine;
  /** As long as it lives, so does the claim. Null: whoever took the task lets nobody know whether he lives. */
  readonly holder: ProcessId | null;
  /** The leader of the process group that works on the task. */
  readonly group: ProcessId | null;
}

/** What a machine can tell of its processes. `isGroup`: whether any process of the group that it leads is left. */
export interface Processes {
  readonly machine: Machine;
  readonly isAlive: (process: ProcessId, isGroup: boolean) => boolean;
}

const SCHEMA = 'dispatcher.claim/1';

/** The claim as the text of its file. */
export function claimText(claim: Claim): string {
  return `${JSON.stringify({ schema: SCHEMA, ...claim })}\n`;
}

/** Reads a claim's file, which its agent may have written by hand; null when it says nothing that can be used. */
export function parseClaim(text: string): Claim | null {
  const fields = objectIn(text);
  const machine = fieldsOf(fields['machine']);
  const at = fromRfc3339(lineOf(fields['at']));
  if (fields['schema'] !== SCHEMA || at === undefined) return null;
  return {
    at: toRfc3339(at),
    user: lineOf(fields['user']),
    machine: {
      host: lineOf(machine['host']),
      bootId: lineOf(machine['bootId']),
      pidNamespace: lineOf(machine['pidNamespace']),
    },
    holder: processOf(fields['holder']),
    group: processOf(fields['group']),
  };
}

/** `hans@builder, process 4711` */
export function takerText({ user, machine, holder }: Claim): string {
  return `${user}@${machine.host}${holder === null ? '' : `, process ${holder.pid}`}`;
}

/** Whether nobody is left, for certain: what ran on another machine or in another container, nobody here can tell. */
function isGone(claim: Claim, { machine, isAlive }: Processes): boolean {
  if (claim.holder === null) return false;
  if (claim.machine.host !== machine.host) return false;
  if (claim.machine.bootId !== machine.bootId) return true; // the machine was started again
  if (claim.machine.pidNamespace !== machine.pidNamespace) return false;
  return !isAlive(claim.holder, false) && (claim.group === null || !isAlive(claim.group, true));
}

/** Who has a task, as far as anybody wrote it down. */
export interface Taken {
  readonly claims: readonly Claim[];
  /** When the file came where it is. */
  readonly movedAt: Instant;
}

/** `gone`: nobody is left who works on it. `overdue`: it is taken for longer than allowed. */
export type Stall = 'gone' | 'overdue';

/**
 * Why a taken task is stalled, or null while it is not. Several claims lie beside it when one was just lost or its taker
 * was killed: any that holds keeps the task. `movedAt`: when the file came there, which is all that plain `mv` tells.
 */
export function stallOf(
  claims: readonly Claim[],
  movedAt: Instant,
  { processes, now, stalledAfterMs }: { processes: Processes; now: Instant; stalledAfterMs: number },
): Stall | null {
  const isOverdue = (at: Instant): boolean => now - Math.min(at, now) > stalledAfterMs;
  if (claims.length === 0) return isOverdue(movedAt) ? 'overdue' : null;
  const here = claims.filter((claim) => !isGone(claim, processes));
  if (here.length === 0) return 'gone';
  return here.every(({ at }) => isOverdue(fromRfc3339(at) ?? movedAt)) ? 'overdue' : null;
}

function processOf(value: unknown): ProcessId | null {
  const { pid, startedAt } = fieldsOf(value);
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid < 1) return null;
  return { pid, startedAt: typeof startedAt === 'number' ? startedAt : null };
}

function lineOf(value: unknown): string {
  return typeof value === 'string' ? cleanLine(value.slice(0, 1000), 200) : '';
}
