// The machines of an office, for people.

import { fromRfc3339, type Instant, shortDuration } from '../core/clock.ts';
import type { Machine, Machines } from '../core/store/machines.ts';
import { cleanLine } from '../core/task/untrusted.ts';
import { columns } from './columns.ts';
import { type Stage, STAGES } from '../core/mailbox/place.ts';

/** A table of the machines, and what each of them has. */
export function machineLines(
  { hosts, poller, self, offered }: Machines,
  now: Instant,
  width: number,
): readonly string[] {
  if (hosts.length === 0) return ['No machine has come yet: the first pass on one does.'];
  const heads = ['MACHINE', 'SEEN', 'LAST PASS', 'TASKS'].map((header) => ({ header }));
  const rows = hosts.map((host) => [
    `${cleanLine(host.name, 63)}${host.name === poller ? ' *' : ''}${host.name === self ? ' (this one)' : ''}`,
    seenText(host, now),
    passText(host),
    countText(host),
    host.agents === null ? 'every assignee' : host.agents.map((agent) => cleanLine(agent, 40)).join(', '),
  ]);
  const waiting = offered.map(
    ({ ref, agent, since }) => `${cleanLine(ref, 100)} is offered to ${agent} since ${ageText(since, now)}`,
  );
  return [
    ...columns([...heads, { header: 'AGENTS', shrinks: true }], rows, width),
    ...(poller === null ? [] : ['* asked Gitea last']),
    ...waiting,
  ];
}

/** The same for scripts: a line a machine, ages in seconds. */
export function machinesTsv({ hosts, poller }: Machines, now: Instant): string {
  return hosts
    .map((host) =>
      [
        host.name,
        Math.round((now - (fromRfc3339(host.seenAt) ?? 0)) / 1000),
        host.isLost ? 'lost' : 'lives',
        host.name === poller ? 'poller' : '-',
        host.lastPass?.outcome ?? '-',
        host.tasks.length + host.done,
        host.agents?.join(',') ?? '*',
      ]
        .map((cell) => cleanLine(String(cell), 1000))
        .join('\t'),
    )
    .map((line) => `${line}\n`)
    .join('');
}

/** `12s ago`, `7m ago, lost` */
function seenText({ seenAt, isLost }: Machine, now: Instant): string {
  return `${ageText(seenAt, now)} ago${isLost ? ', lost' : ''}`;
}

/** How its last pass ended. */
export function passText({ lastPass }: Machine): string {
  if (lastPass === null) return '-';
  return lastPass.error === null ? lastPass.outcome : `failed: ${cleanLine(lastPass.error.code, 40)}`;
}

/** `2 new, 1 doing` */
export function countText(machine: Machine): string {
  const parts = STAGES.map((stage) => [countOf(machine, stage), stage] as const);
  return parts.flatMap(([count, stage]) => (count > 0 ? [`${count} ${stage}`] : [])).join(', ') || '-';
}

/** How many tasks of a stage a machine has. */
export function countOf({ tasks, done }: Machine, stage: Stage): number {
  return stage === 'done' ? done : tasks.filter((task) => task.stage === stage).length;
}

/** `12s`: how long ago a moment was. */
export function ageText(at: string, now: Instant): string {
  return shortDuration(now - (fromRfc3339(at) ?? now));
}
