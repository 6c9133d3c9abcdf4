// An office of several hosts, while everything is done to them: what its agents do, what is written down of it, and what of
// its promises is broken over all hosts.

import { lstatSync, mkdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseFrontMatter } from '../../src/core/task/front-matter.ts';
import type { Finished } from '../support/command.ts';
import { DATABASE, type Host, leaks } from '../support/hosts.ts';
import { violations } from '../support/invariants.ts';
import { type OwnershipEvent, type OwnershipRules, ownershipViolations } from '../support/ownership.ts';
import { witnessed } from '../support/ownership-record.ts';
import type { Cluster } from '../support/postgres.ts';

const TASK =
  /^\.agent-tasks\/(?<agent>[^/]+)\/(?:(?<place>doing|blocked|done|archive)\/)?(?:.*\/)?issue-(?<number>\d+)(?:\.\d+)?\.md$/u;

interface TaskFile {
  readonly name: string;
  readonly agent: string;
  readonly number: number;
  readonly place: string;
}

/** The task files of a host, wherever their agents have moved them. */
export function taskFiles(host: Host): readonly TaskFile[] {
  return host.tasks().flatMap((name) => {
    const { agent = '', place = 'new', number = '' } = TASK.exec(name)?.groups ?? {};
    return agent === '' ? [] : [{ name, agent, place, number: Number(number) }];
  });
}

/** Everything that is written down of an office. */
export interface OfficeRecord {
  /** To be called after each pass of a host, and before its agents do anything: a file that is moved has another time. */
  readonly look: (host: Host) => void;
  readonly appeared: readonly OwnershipEvent[];
}

/** Begins with an office in which no file has appeared. */
export function officeRecord(): OfficeRecord {
  const known = new Set<string>();
  const appeared: OwnershipEvent[] = [];
  return {
    appeared,
    look: (host) => {
      for (const { name, agent, place, number } of taskFiles(host)) {
        if (place !== 'new') continue;
        const fields = parseFrontMatter(host.read(name));
        const id = [host.name, agent, number, String(fields?.get('dispatchedAt'))].join(' ');
        if (known.has(id)) continue;
        known.add(id);
        const at = lstatSync(join(host.folder, name)).ctimeMs;
        appeared.push({ at, event: 'appeared', host: host.name, task: `${agent} ${number}` });
      }
    },
  };
}

/** An agent that goes on with one of its tasks: it takes a new one, and finishes what it has. Rarely it is stuck. */
export function agentsWork(host: Host, record: OfficeRecord, chance: (probability: number) => boolean): void {
  record.look(host);
  for (const { name, place, agent } of taskFiles(host)) {
    const to =
      place === 'new' && chance(0.5)
        ? 'doing'
        : place === 'doing' && chance(0.5)
          ? chance(0.1)
            ? 'blocked'
            : 'done'
          : null;
    if (to === null) continue;
    const below = name.slice(`.agent-tasks/${agent}/`.length).replace(/^doing\//u, '');
    const target = join(host.folder, '.agent-tasks', agent, to, below);
    mkdirSync(dirname(target), { recursive: true });
    renameSync(join(host.folder, name), target);
  }
}

/** What is broken when everything has come to rest. */
export function brokenInOffice(
  hosts: readonly Host[],
  outputs: ReadonlyMap<Host, readonly Finished[]>,
  { rateMs, record, due }: { readonly rateMs: number; readonly record: OfficeRecord; readonly due: readonly string[] },
): readonly string[] {
  const each = hosts.flatMap((host) => {
    const printed = (outputs.get(host) ?? []).flatMap(({ stdout, stderr }) => [stdout, stderr]);
    const expected = {
      allowed: ['store-url'],
      rateLimitMs: 0,
      startedAt: Date.now(),
      due: [],
      forced: true,
      told: null,
    };
    const broken = violations(host, { ...expected, outputs: printed });
    return [...broken.map(({ invariant, what }) => `${invariant} ${host.name}: ${what}`), ...leaks(host, printed)];
  });
  return [...each, ...tooClose(record, rateMs), ...elsewhereToo(hosts), ...forgotten(hosts, due)];
}

// I2 over all hosts: at most one new file in any window.
function tooClose({ appeared }: OfficeRecord, rateMs: number): readonly string[] {
  const sorted = appeared.toSorted((a, b) => a.at - b.at);
  return sorted.flatMap(({ at, host, task }, index) => {
    const before = sorted[index - 1];
    return before && at - before.at < rateMs
      ? [`I2 ${task} at ${host} appeared ${(at - before.at).toFixed(1)} ms after ${before.task} at ${before.host}`]
      : [];
  });
}

// I3 over all hosts: a task lies in one place.
function elsewhereToo(hosts: readonly Host[]): readonly string[] {
  const places = new Map<string, string[]>();
  for (const host of hosts)
    for (const { name, agent, place, number } of taskFiles(host)) {
      if (place === 'archive') continue;
      const key = `${agent} ${number}`;
      places.set(key, [...(places.get(key) ?? []), `${host.name}:${name}`]);
    }
  return [...places]
    .filter(([, all]) => all.length > 1)
    .map(([task, all]) => `I3 ${task} lies in ${all.join(' and ')}`);
}

// I4 over all hosts: each task is somewhere.
function forgotten(hosts: readonly Host[], due: readonly string[]): readonly string[] {
  const out = new Set(
    hosts
      .flatMap(taskFiles)
      .filter(({ place }) => place !== 'archive')
      .map(({ agent, number }) => `${agent} ${number}`),
  );
  return due.filter((task) => !out.has(task)).map((task) => `I4 ${task} was forgotten`);
}

/** What the model says to the history that was witnessed in the database, with the files as they appeared. */
export function brokenHistory(
  cluster: Cluster,
  record: Pick<OfficeRecord, 'appeared'>,
  wanted: readonly OwnershipEvent[],
  rules: OwnershipRules,
): readonly string[] {
  const held = witnessed(cluster, DATABASE);
  const appeared = record.appeared.map((event) => asTaken(held, event));
  const all = [...wanted, ...held, ...appeared];
  return ownershipViolations(all, rules).map(({ rule, what }) => `${RULES[rule]} ${rule}: ${what}`);
}

const RULES = {
  'single owner': 'I3',
  limit: 'I2',
  'late finish': 'I3',
  'without an owner': 'I4',
  twice: 'I3',
  lost: 'I4',
} as const;

/** The kernel's times of files are so much behind the clock. */
const COARSE_MS = 10;

// A file says nothing of the attempt: it is the one at which its host took the task last.
function asTaken(held: readonly OwnershipEvent[], event: OwnershipEvent): OwnershipEvent {
  const { at, host, task } = event;
  const taken = held.findLast(
    (each) => each.event === 'taken' && each.host === host && each.task === task && each.at <= at + COARSE_MS,
  );
  return { ...event, at: Math.max(at, taken?.at ?? 0), attempt: taken?.attempt ?? 0 };
}
