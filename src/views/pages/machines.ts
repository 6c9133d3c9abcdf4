// The machines of an office, where there are several.

import type { Instant } from '../../core/clock.ts';
import type { Machines } from '../../core/store/machines.ts';
import { cleanLine } from '../../core/task/untrusted.ts';
import { ageText, countText, passText } from '../store.ts';

/** The rows of the machines; null: there is one, which is not worth a word. */
export function machineRows(machines: Machines | null, now: Instant) {
  return machines === null
    ? null
    : machines.hosts.map((host) => ({
        name: cleanLine(host.name, 63),
        isSelf: host.name === machines.self,
        isPoller: host.name === machines.poller,
        seen: `${ageText(host.seenAt, now)} ago`,
        seenAt: host.seenAt,
        isLost: host.isLost,
        isFailed: host.lastPass !== null && host.lastPass.error !== null,
        pass: passText(host),
        tasks: countText(host),
        agents: host.agents === null ? 'every assignee' : host.agents.map((agent) => cleanLine(agent, 40)).join(', '),
      }));
}
