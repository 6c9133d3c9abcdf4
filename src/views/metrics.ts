// The state of the dispatcher for Prometheus: its text format (version 0.0.4), or OpenMetrics (1.0.0).

import { fromRfc3339 } from '../core/clock.ts';
import { BOUNDS, type Histogram } from '../core/history/histogram.ts';
import type { DispatchTotal } from '../core/state/dispatch-record.ts';
import type { Health } from '../core/health/health.ts';
import { PRIORITIES } from '../core/issue/priority.ts';
import { type AgentStatus, countIn, isWaiting } from '../core/health/agent-status.ts';
import type { RestRecord } from '../core/state/decision-record.ts';
import type { Snapshot } from '../core/health/snapshot.ts';
import type { TaskStatus } from '../core/task/status.ts';
import { cleanLine } from '../core/task/untrusted.ts';
import { gauge, type Metric, type Sample, time } from './gauge.ts';
import { machineMetrics } from './machine-metrics.ts';

/** What the metrics tell besides the snapshot. */
export interface MetricsSources {
  /** Tells several dispatchers apart that one exporter serves. */
  readonly office: string;
  /** All dispatches that the journal knows. */
  readonly totals: readonly DispatchTotal[];
  readonly waited: readonly Histogram[];
  readonly worked: readonly Histogram[];
}

const HEALTHS: readonly Health[] = ['ok', 'late', 'stale', 'failing', 'paused', 'never_run'];

/** The metrics of a snapshot. Unknown times are left out. */
export function metricsText(snapshot: Snapshot, sources: MetricsSources, isOpenMetrics = false): string {
  const machines = snapshot.hosts ? machineMetrics(snapshot.hosts) : [];
  const metrics = [...passMetrics(snapshot), ...taskMetrics(snapshot), ...machines, ...countedMetrics(sources)];
  const texts = metrics.map((metric) => metricText(metric, sources.office, isOpenMetrics));
  return texts.join('') + (isOpenMetrics ? '# EOF\n' : '');
}

function passMetrics(snapshot: Snapshot): readonly Metric[] {
  const { lastPass } = snapshot;
  return [
    gauge('dispatcher_build_info', 'Always 1; the label tells the version.', [
      { labels: { version: snapshot.version }, value: 1 },
    ]),
    gauge(
      'dispatcher_health',
      '1 for the state that the passes are in, 0 for the others. In a metrics file it is that of the last pass: alert on the time of the last success.',
      HEALTHS.map((health) => ({ labels: { state: health }, value: health === snapshot.health ? 1 : 0 })),
    ),
    gauge('dispatcher_last_pass_timestamp_seconds', 'When the last pass ended.', time(lastPass?.finishedAt)),
    gauge('dispatcher_last_success_timestamp_seconds', 'When the last good pass ended.', time(snapshot.lastSuccessAt)),
    gauge(
      'dispatcher_last_pass_duration_seconds',
      'How long the last pass took.',
      lastPass ? [{ value: lastPass.durationMs / 1000 }] : [],
    ),
    ...(snapshot.servers
      ? [
          gauge(
            'dispatcher_server_up',
            '1 for a server that answered the last pass, 0 for one that is away; only where there are several.',
            snapshot.servers.map(({ name, away }) => ({ labels: { server: name }, value: away === null ? 1 : 0 })),
          ),
        ]
      : []),
    gauge('dispatcher_consecutive_failures', 'Passes that failed since the last good one.', [
      { value: snapshot.consecutiveFailures },
    ]),
  ];
}

function taskMetrics({ agents, counts, rest: allRest }: Snapshot): readonly Metric[] {
  const rest = allRest.filter((each) => isWaiting(each));
  const isUnfinished = (task: TaskStatus): boolean => task.state === 'dispatched';
  return [
    gauge('dispatcher_waiting_tasks', 'Tasks that wait for their slot.', perPriority(agents, isWaitingTask, rest)),
    gauge(
      'dispatcher_oldest_waiting_timestamp_seconds',
      'When the issue was opened that waits longest for its slot; left out where none waits.',
      PRIORITIES.flatMap((priority) => {
        const waiting = agents
          .flatMap(({ tasks }) => tasks)
          .filter((task) => isWaitingTask(task) && task.priority === priority);
        const others = rest.flatMap((each) => (each.priority === priority ? [each.oldest] : []));
        return earliest(
          [...waiting, ...others].map(({ createdAt }) => createdAt),
          { priority },
        );
      }),
    ),
    gauge('dispatcher_dispatched_tasks', 'Task files that are not done.', [
      ...perPriority(agents, isUnfinished),
      ...withoutPriority(agents, isUnfinished),
    ]),
    gauge(
      'dispatcher_oldest_task_timestamp_seconds',
      'When the task was dispatched that an agent has had longest, neither done nor blocked; left out where it has none.',
      agents.flatMap(({ name, tasks }) =>
        earliest(
          tasks
            .filter((task) => isUnfinished(task) && task.stage !== 'blocked')
            .map(({ dispatchedAt }) => dispatchedAt),
          { agent: name },
        ),
      ),
    ),
    gauge(
      'dispatcher_agent_tasks',
      'Task files by how far their agent is; a stalled one is taken, and nobody works on it.',
      agents.flatMap(({ name, counts }) =>
        (['new', 'doing', 'stalled', 'blocked', 'done'] as const).map((state) => ({
          labels: { agent: name, state },
          value: state === 'doing' ? counts.doing - counts.stalled : counts[state],
        })),
      ),
    ),
    gauge('dispatcher_skipped_tasks', 'Candidates that the last pass passed over.', [{ value: counts.skipped }]),
  ];
}

function countedMetrics({ totals, waited, worked }: MetricsSources): readonly Metric[] {
  return [
    {
      name: 'dispatcher_dispatches',
      type: 'counter',
      help: 'Task files written, as the journal tells.',
      samples: totals.map(({ agent, priority, count }) => ({
        suffix: '_total',
        labels: { agent, priority },
        value: count,
      })),
    },
    histogram('dispatcher_wait_seconds', 'From the opening of an issue to its first dispatch.', waited),
    histogram('dispatcher_work_seconds', 'From dispatch to end, of the tasks that were finished.', worked),
  ];
}

function earliest(times: readonly (string | null)[], labels: Sample['labels'] & object): readonly Sample[] {
  const known = times.flatMap((at) => fromRfc3339(at ?? '') ?? []);
  return known.length > 0 ? [{ labels, value: known.reduce((a, b) => Math.min(a, b)) / 1000 }] : [];
}

// Each bucket holds what those below it hold; the last one, without an end, is the count.
function histogram(name: string, help: string, all: readonly Histogram[]): Metric {
  const samples = all.flatMap(({ agent, priority, counts, sum }): readonly Sample[] => {
    const labels = { agent, priority };
    let reached = 0;
    const buckets = counts.map((count, index): Sample => {
      reached += count;
      const bound = BOUNDS[index];
      return {
        suffix: '_bucket',
        labels: { ...labels, le: bound === undefined ? '+Inf' : `${bound}.0` },
        value: reached,
      };
    });
    return [...buckets, { suffix: '_sum', labels, value: sum }, { suffix: '_count', labels, value: reached }];
  });
  return { name, type: 'histogram', help, samples };
}

function isWaitingTask(task: TaskStatus): boolean {
  return task.state === 'waiting' || task.state === 'next';
}

// Zeros as well: a series that comes and goes cannot be alerted on.
function perPriority(
  agents: readonly AgentStatus[],
  counts: (task: TaskStatus) => boolean,
  rest: readonly RestRecord[] = [],
): readonly Sample[] {
  return agents.flatMap(({ name, tasks }) => {
    const found = tasks.filter((task) => counts(task));
    return PRIORITIES.map((priority) => ({
      labels: { agent: name, priority },
      value:
        found.filter((task) => task.priority === priority).length +
        countIn(rest.filter((each) => each.agent === name && each.priority === priority)),
    }));
  });
}

// A file that somebody else put there, or spoiled. Only where there is one: it is looked for in no table.
function withoutPriority(agents: readonly AgentStatus[], counts: (task: TaskStatus) => boolean): readonly Sample[] {
  return agents.flatMap(({ name, tasks }) => {
    const value = tasks.filter((task) => counts(task) && task.priority === null).length;
    return value > 0 ? [{ labels: { agent: name, priority: 'unknown' }, value }] : [];
  });
}

function metricText({ name, type, help, samples }: Metric, office: string, isOpenMetrics: boolean): string {
  const lines = samples.map(({ suffix = '', labels = {}, value }) => {
    const pairs = Object.entries({ office, ...labels }).map(([label, text]) => `${label}="${escaped(text)}"`);
    return `${name}${suffix}{${pairs.join(',')}} ${value}`;
  });
  // The older format names a counter with its ending.
  const family = type === 'counter' && !isOpenMetrics ? `${name}_total` : name;
  const unit = isOpenMetrics && name.endsWith('_seconds') ? [`# UNIT ${family} seconds`] : [];
  return [`# HELP ${family} ${help}`, `# TYPE ${family} ${type}`, ...unit, ...lines, ''].join('\n');
}

function escaped(text: string): string {
  return cleanLine(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"');
}
