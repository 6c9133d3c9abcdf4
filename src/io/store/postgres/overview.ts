// All machines at one look: for `status`, `explain`, the page and the metrics of any of them.

import type { Ask, Row } from './connection.ts';
import { ago, readPauses } from './look.ts';
import { stageIn, termsIn } from './parse.ts';
import { numberIn, textIn } from './office.ts';
import { type HostView, type Overview, PassSchema } from '../../../core/store/overview.ts';

/** Reads what there is to see of all machines. */
export async function overview(ask: Ask, leaseMs: number): Promise<Overview> {
  const hosts = await ask(
    `select name, version, agents, last_pass, ${ago('seen_at')} as seen_ago, ${ago('listed_at')} as listed_ago from host order by name`,
  );
  const tasks = await ask(
    `select host, agent, repository || '#' || number as ref, title, priority, stage, attempt, ${ago('since')} as age
     from task where state = 'held' and stage in ('new', 'doing', 'blocked') order by host, agent, since, key`,
  );
  const finished = await ask(
    "select host, count(*)::int as count from task where state = 'held' and stage = 'done' group by host",
  );
  const done = new Map(finished.map((row) => [textIn(row, 'host'), numberIn(row, 'count')]));
  const offered = await ask(
    `select agent, repository || '#' || number as ref, priority, ${ago('since')} as age from task where state = 'offered'`,
  );
  const [office] = await ask('select decision, decided_by from office');
  const [slot] = await ask(`select ref, ${ago('at')} as last_ago from slot where scope = '' and at > '-infinity'`);
  return {
    poller: pollerOf(hosts),
    slot: slot ? { ref: textIn(slot, 'ref'), lastAgo: Math.max(0, numberIn(slot, 'last_ago')) } : null,
    pauses: await readPauses(ask),
    decision: office?.['decision'] ?? null,
    decidedBy: textIn(office, 'decided_by'),
    offered: offered.map((row) => ({
      ref: textIn(row, 'ref') ?? '',
      agent: textIn(row, 'agent') ?? '',
      priority: textIn(row, 'priority') ?? '',
      age: numberIn(row, 'age'),
    })),
    hosts: hosts.map((row) => {
      const name = textIn(row, 'name') ?? '';
      const own = tasks.filter((task) => task['host'] === name);
      return { ...hostIn(row, leaseMs), name, tasks: own.map(taskIn), done: done.get(name) ?? 0 };
    }),
  };
}

function pollerOf(hosts: readonly Row[]): string | null {
  const listing = hosts.filter((row) => row['listed_ago'] !== null);
  const last = listing.toSorted((a, b) => numberIn(a, 'listed_ago') - numberIn(b, 'listed_ago')).at(0);
  return textIn(last, 'name');
}

function hostIn(row: Row, leaseMs: number): Omit<HostView, 'name' | 'tasks' | 'done'> {
  const seenAgo = Math.max(0, numberIn(row, 'seen_ago'));
  const terms = termsIn(row);
  return {
    version: textIn(row, 'version') ?? '',
    agents: terms && Object.keys(terms).toSorted(),
    seenAgo,
    isLost: seenAgo >= leaseMs,
    listedAgo: row['listed_ago'] === null ? null : Math.max(0, numberIn(row, 'listed_ago')),
    lastPass: PassSchema.safeParse(row['last_pass']).data ?? null,
  };
}

function taskIn(row: Row): HostView['tasks'][number] {
  return {
    ref: textIn(row, 'ref') ?? '',
    agent: textIn(row, 'agent') ?? '',
    title: textIn(row, 'title') ?? '',
    priority: textIn(row, 'priority') ?? '',
    stage: stageIn(row),
    attempt: numberIn(row, 'attempt'),
    age: numberIn(row, 'age'),
  };
}
