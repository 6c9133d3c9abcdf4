// What this machine tells of its processes: whether one is still there, and is the same one.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { systemCode } from '../core/errors.ts';
import type { Machine, ProcessId, Processes } from '../core/mailbox/claim.ts';

/** The processes of the machine that this one runs on. */
export function processesHere(): Processes {
  return { machine: machineHere(), isAlive };
}

/** A process of this machine, to be known again; null when there is none of that number. */
export function processOf(pid: number): ProcessId | null {
  const stat = statOf(pid);
  if (stat === null && !exists(pid)) return null;
  return { pid, startedAt: stat?.startedAt ?? null };
}

function machineHere(): Machine {
  return {
    host: hostname(),
    bootId: attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    pidNamespace: attempt(() => readlinkSync('/proc/self/ns/pid')),
  };
}

function isAlive({ pid, startedAt }: ProcessId, isGroup: boolean): boolean {
  const stat = statOf(pid);
  if (stat !== null && startedAt !== null && stat.startedAt !== startedAt) return false;
  if (isGroup) return isGroupAlive(pid);
  // Ended, and its parent has not asked how: nobody works there.
  return stat?.state !== 'Z' && exists(pid);
}

/** Whether any process of a group still runs. */
export function isGroupAlive(group: number): boolean {
  if (!exists(-group)) return false;
  // Only ended ones that nobody asked for may be left of it: in a container there is often nobody who would.
  const states = readdirSync('/proc').flatMap((name) => {
    const stat = /^\d+$/u.test(name) ? statOf(Number(name)) : null;
    return stat?.group === group ? [stat.state] : [];
  });
  // None that this user may see: then it is others who run.
  return states.length === 0 || states.some((state) => state !== 'Z');
}

// Where /proc hides what belongs to other users (hidepid), only this tells.
function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) !== 'ESRCH';
  }
}

// The name stands in brackets and may hold anything, so what follows is counted from the last one.
function statOf(pid: number): { readonly state: string; readonly group: number; readonly startedAt: number } | null {
  const text = attempt(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields.length < 20
    ? null
    : { state: fields[0] ?? '', group: Number(fields[2]), startedAt: Number(fields[19]) };
}

function attempt(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
