// A lane for each agent with its tasks over time, and the table that stands behind it.

import { type Instant, shortDuration } from '../../core/clock.ts';
import { splitServer } from '../../core/config/servers.ts';
import type { Report } from '../../core/history/report.ts';
import type { Run } from '../../core/history/runs.ts';
import type { Period } from '../../core/history/tally.ts';
import type { Snapshot } from '../../core/health/snapshot.ts';
import { issueUrl } from '../../core/issue/issue.ts';
import { cleanLine } from '../../core/task/untrusted.ts';
import { endText, laneOf } from '../charts/lanes.ts';
import type { TimeAxis } from '../charts/time-axis.ts';
import { hrefFor, type HistorySources } from './history-sources.ts';
import { agentHref, type Frame, localTime, nullIfEmpty, priorityData, safeUrl, taskHrefs } from './parts.ts';

/** Of more agents only those are drawn that had most to do. */
const LANES_SHOWN = 20;
const ROWS_SHOWN = 400;

interface LanesSources extends HistorySources {
  readonly axis: TimeAxis;
  readonly period: Period;
}

/** The lanes of those who had most to do, with a table each. */
export function lanesData(
  runs: readonly Run[],
  report: Report,
  { snapshot, axis, period, range }: LanesSources,
  frame: Frame,
) {
  const byAgent = new Map<string, Run[]>();
  for (const { name } of report.agents) byAgent.set(name, []);
  for (const run of runs) byAgent.get(run.agent)?.push(run);
  const busiest = [...byAgent].toSorted(([, a], [, b]) => b.length - a.length).slice(0, LANES_SHOWN);
  const lanes = busiest.toSorted(([a], [b]) => (a < b ? -1 : 1));
  const fileHref = taskHrefs(snapshot);
  const localTimeOf = (at: Instant): string => localTime(at, frame.timeZone);
  const hrefOf = ({ agent, ref }: Run): string | null => fileHref(agent, ref) ?? issueHref(snapshot, ref);
  const each = Math.max(10, Math.floor(ROWS_SHOWN / Math.max(1, lanes.length)));
  return {
    others: byAgent.size - lanes.length,
    lanes: nullIfEmpty(
      lanes.map(([name, own]) => ({
        name: cleanLine(name, 100),
        href: hrefFor(range, name),
        page: agentHref(name),
        idle: `${Math.round((report.agents.find((agent) => agent.name === name)?.idle ?? 1) * 100)} %`,
        ...laneOf(own, { ...period, axis, hrefOf, localTime: localTimeOf }),
        more: Math.max(0, own.length - each),
        rows: nullIfEmpty(
          own
            .slice(-each)
            .toReversed()
            .map((run) => runRow(run, hrefOf, period.to, frame)),
        ),
      })),
    ),
  };
}

function issueHref({ server, servers = [] }: Snapshot, ref: string): string | null {
  const { server: name, rest } = splitServer(ref);
  const [, repository, number] = /^([\w.-]{1,100}\/[\w.-]{1,100})#(\d{1,15})$/u.exec(rest) ?? [];
  const url = name === null ? server : servers.find((each) => each.name === name)?.url;
  return repository === undefined || url === undefined ? null : safeUrl(issueUrl(url, repository, Number(number)));
}

function runRow(run: Run, hrefOf: (run: Run) => string | null, now: Instant, frame: Frame) {
  return {
    key: `${run.key} ${run.from}`,
    ref: cleanLine(run.ref, 200),
    url: hrefOf(run),
    title: cleanLine(run.title, 300),
    priority: priorityData(run.priority),
    from: localTime(run.from, frame.timeZone),
    waited: run.waitedMs === null ? '' : shortDuration(run.waitedMs),
    length: shortDuration((run.to ?? now) - run.from),
    end: endText(run),
  };
}
