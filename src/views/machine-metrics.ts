import type { Machines } from '../core/store/machines.ts';
import { gauge, type Metric, time } from './gauge.ts';
import { STAGES } from '../core/mailbox/place.ts';
import { countOf } from './store.ts';

/** The metrics of all machines, as this one saw them last: each of them tells the same, and one that is lost tells nothing. */
export function machineMetrics({ hosts, poller, offered }: Machines): readonly Metric[] {
  return [
    gauge(
      'dispatcher_host_last_seen_timestamp_seconds',
      'When a machine last came to the shared store.',
      hosts.flatMap(({ name, seenAt }) => time(seenAt).map((sample) => ({ ...sample, labels: { host: name } }))),
    ),
    gauge(
      'dispatcher_host_lost',
      '1 for a machine that has not come for longer than store.lease.',
      hosts.map(({ name, isLost }) => ({ labels: { host: name }, value: isLost ? 1 : 0 })),
    ),
    gauge(
      'dispatcher_host_polls',
      '1 for the machine that asked Gitea last.',
      hosts.map(({ name }) => ({ labels: { host: name }, value: name === poller ? 1 : 0 })),
    ),
    gauge(
      'dispatcher_host_tasks',
      'Task files by the machine that has them, and how far their agent is.',
      hosts.flatMap((host) =>
        STAGES.map((state) => ({ labels: { host: host.name, state }, value: countOf(host, state) })),
      ),
    ),
    gauge('dispatcher_offered_tasks', 'Tasks that are offered to another machine.', [{ value: offered.length }]),
  ];
}
