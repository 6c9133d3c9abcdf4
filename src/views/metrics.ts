// The state of the dispatcher in the text format of Prometheus (version 0.0.4).

import { fromRfc3339 } from '../core/clock.ts';
import type { DispatchTotal } from '../core/state/dispatch-record.ts';
import type { Health } from '../core/health/health.ts';
import { PRIORITIES } from '../core/issue/priority.ts';
import type { AgentStatus, Snapshot } from '../core/health/snapshot.ts';
import type { TaskStatus } from '../core/task/status.ts';
import { cleanLine } from '../core/task/untrusted.ts';

interface Metric {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  readonly samples: readonly Sample[];
}
interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

const HEALTHS: readonly Health[] = ['ok', 'late', 'stale', 'failing', 'paused', 'never_run'];

/** The metrics of a snapshot, and of all dispatches that the journal knows. Unknown times are left out. */
export function metricsText(snapshot: Snapshot, totals: readonly DispatchTotal[]): string {
  const { lastPass, agents } = snapshot;
  const metrics: readonly Metric[] = [
    gauge('dispatcher_build_info', 'Always 1; the label tells the version.', [
      { labels: { version: snapshot.version }, value: 1 },
    ]),
    gauge(
      'dispatcher_health',
      '1 for the state that the passes are in, 0 for the others.',
      HEALTHS.map((health) => ({ labels: { state: health }, value: health === snapshot.health ? 1 : 0 })),
    ),
    gauge('dispatcher_last_pass_timestamp_seconds', 'When the last pass ended.', time(lastPass?.finishedAt)),
    gauge('dispatcher_last_success_timestamp_seconds', 'When the last good pass ended.', time(snapshot.lastSuccessAt)),
    gauge(
      'dispatcher_last_pass_duration_seconds',
      'How long the last pass took.',
      lastPass ? [{ value: lastPass.durationMs / 1000 }] : [],
    ),
    gauge('dispatcher_consecutive_failures', 'Passes that failed since the last good one.', [
      { value: snapshot.consecutiveFailures },
    ]),
    gauge('dispatcher_waiting_tasks', 'Tasks that wait for their slot.', perPriority(agents, isWaiting)),
    gauge(
      'dispatcher_dispatched_tasks',
      'Task files that are not done.',
      perPriority(agents, (task) => task.state === 'dispatched'),
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
    gauge('dispatcher_skipped_tasks', 'Candidates that the last pass passed over.', [
      { value: snapshot.counts.skipped },
    ]),
    {
      name: 'dispatcher_dispatches_total',
      type: 'counter',
      help: 'Task files written, as the journal tells.',
      samples: totals.map(({ agent, priority, count }) => ({ labels: { agent, priority }, value: count })),
    },
  ];
  return metrics.map((metric) => metricText(metric)).join('');
}

function isWaiting(task: TaskStatus): boolean {
  return task.state === 'waiting' || task.state === 'next';
}

function gauge(name: string, help: string, samples: readonly Sample[]): Metric {
  return { name, type: 'gauge', help, samples };
}

function time(at: string | null | undefined): readonly Sample[] {
  const instant = fromRfc3339(at ?? '');
  return instant === undefined ? [] : [{ value: instant / 1000 }];
}

// Zeros as well: a series that comes and goes cannot be alerted on.
function perPriority(agents: readonly AgentStatus[], counts: (task: TaskStatus) => boolean): readonly Sample[] {
  return agents.flatMap(({ name, tasks }) => {
    const found = tasks.filter((task) => counts(task));
    return PRIORITIES.map((priority) => ({
      labels: { agent: name, priority },
      value: found.filter((task) => task.priority === priority).length,
    }));
  });
}

function metricText({ name, type, help, samples }: Metric): string {
  const lines = samples.map(({ labels = {}, value }) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
    return `${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}`;
  });
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines, ''].join('\n');
}

function escaped(text: string): string {
  return cleanLine(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"');
}
