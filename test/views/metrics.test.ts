import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { BOUNDS, type Histogram, withDuration } from '../../src/core/history/histogram.ts';
import { metricsText, type MetricsSources } from '../../src/views/metrics.ts';
import { aPass, aRest, aRow, aSnapshot, aTaskFile, iso, NOON } from '../support/builders.ts';

const HANS = { agent: 'hans', priority: 'HIGH' } as const;
const sources = (overrides: Partial<MetricsSources> = {}): MetricsSources => ({
  office: '/srv/acme',
  totals: [],
  waited: [],
  worked: [],
  ...overrides,
});
const waited = [30, 60, 61, 5000, 1_000_000].reduce<readonly Histogram[]>(
  (all, seconds) => withDuration(all, HANS, seconds * 1000),
  [],
);
const whole = (isOpenMetrics: boolean): string =>
  metricsText(
    aSnapshot({ lastPass: aPass(), lastSuccessAt: iso(NOON) }, [aTaskFile()]),
    sources({ waited, totals: [{ agent: 'hans', priority: 'LOW', count: 2 }] }),
    isOpenMetrics,
  );

test('an agent cannot break out of its label, and what is unknown is left out', () => {
  const hostile = aSnapshot({ lastPass: aPass({ rows: [aRow({ agent: 'a"b\\c\nd' })] }) });
  const text = metricsText(
    hostile,
    sources({ office: 'o"\n', totals: [{ agent: 'x"} 1\ny', priority: 'LOW', count: 2 }] }),
  );
  for (const line of text.trim().split('\n')) {
    expect(line).toMatch(
      /^(?:# (?:HELP|TYPE) \w+ .+|\w+\{\w+="(?:[^"\\\n]|\\.)*"(?:,\w+="(?:[^"\\\n]|\\.)*")*\} -?[\d.e+]+)$/u,
    );
  }
  expect(metricsText(aSnapshot({}), sources())).not.toMatch(
    /^dispatcher_(?:last_pass|oldest_\w+)_timestamp_seconds\{/mu,
  );
});

test('a task file that tells no priority is counted all the same: the sum is what status says', () => {
  const snapshot = aSnapshot({}, [aTaskFile(), aTaskFile({ priority: null, ref: null, file: '/x/hans/other.md' })]);
  const values = metricsText(snapshot, sources()).matchAll(/^dispatcher_dispatched_tasks\{.*\} (\d+)$/gmu);
  expect([...values].reduce((sum, [, value]) => sum + Number(value), 0)).toBe(snapshot.counts.dispatched);
});

test('every line carries the office, so that two do not collide in one exporter', () => {
  const lines = whole(false)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  expect(lines.filter((line) => !line.includes('{office="/srv/acme"'))).toEqual([]);
  expect(new Set(lines.map((line) => line.split(' ')[0])).size).toBe(lines.length);
});

test('a histogram adds up: each bucket holds those below it, the last one all', () => {
  const text = whole(false);
  const buckets = [...text.matchAll(/^dispatcher_wait_seconds_bucket\{.*le="(.+)"\} (\d+)$/gmu)].map(
    ([, le, count]) => [le, Number(count)],
  );
  expect(buckets.map(([le]) => le)).toEqual([...BOUNDS.map((bound) => `${bound}.0`), '+Inf']);
  expect(buckets.map(([, count]) => count)).toEqual([2, 3, 3, 3, 4, 4, 4, 4, 4, 5]);
  expect(text).toContain('dispatcher_wait_seconds_sum{office="/srv/acme",agent="hans",priority="HIGH"} 1005151\n');
  expect(text).toContain('dispatcher_wait_seconds_count{office="/srv/acme",agent="hans",priority="HIGH"} 5\n');
});

test('OpenMetrics names a counter without its ending, tells the unit, and ends', () => {
  expect(whole(true)).toMatch(/^# TYPE dispatcher_dispatches counter\ndispatcher_dispatches_total\{/mu);
  expect(whole(true)).toMatch(/^# UNIT dispatcher_wait_seconds seconds$/mu);
  expect(whole(true)).toMatch(/\n# EOF\n$/u);
  expect(whole(false)).toMatch(/^# TYPE dispatcher_dispatches_total counter$/mu);
  expect(whole(false)).not.toContain('# EOF');
});

test('the oldest that waits and the oldest that is not done are told by their times', () => {
  const text = whole(false);
  expect(text).toMatch(/^dispatcher_oldest_waiting_timestamp_seconds\{office="\/srv\/acme",priority="HIGH"\} \d+$/mu);
  expect(text).toMatch(/^dispatcher_oldest_task_timestamp_seconds\{office="\/srv\/acme",agent="hans"\} \d+$/mu);
});

test('what the rows leave out of a long backlog is counted, and its oldest found', () => {
  const snapshot = aSnapshot({ lastPass: aPass({ rest: [aRest({ priority: 'LOW' })] }) });
  const text = metricsText(snapshot, { office: 'o', totals: [], waited: [], worked: [] });
  expect(text).toContain('dispatcher_waiting_tasks{office="o",agent="hans",priority="LOW"} 4800\n');
  expect(text).toContain(
    `dispatcher_oldest_waiting_timestamp_seconds{office="o",priority="LOW"} ${Date.parse(aRest().oldest.createdAt) / 1000}\n`,
  );
});

describe('deploy/grafana', () => {
  const path = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));
  const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

  test.for(['deploy/grafana/dashboard.json', 'deploy/grafana/alerts.yaml'])(
    '%s asks for metrics that there are',
    (name) => {
      const asked = readFileSync(path(name), 'utf8').matchAll(/\bdispatcher_\w+/gu);
      const known = new Set([...whole(false).matchAll(/^(?:# TYPE )?(dispatcher_\w+)/gmu)].map(([, metric]) => metric));
      const missing = [...new Set([...asked].map(([metric]) => metric))].filter(
        (metric) => !known.has(metric.replace('_work_', '_wait_')),
      );
      expect(missing).toEqual([]);
    },
  );

  test('promtool accepts rules and metrics, and the rules ring when they should', ({ skip }) => {
    if (!hasPromtool) skip('promtool is not installed (apt-get install prometheus)');
    const ran = [
      spawnSync('promtool', ['check', 'rules', path('deploy/grafana/alerts.yaml')], { encoding: 'utf8' }),
      spawnSync('promtool', ['test', 'rules', path('test/grafana/alerts.yaml')], { encoding: 'utf8' }),
      spawnSync('promtool', ['check', 'metrics'], { encoding: 'utf8', input: whole(false) }),
    ];
    expect(ran.map(({ status, stderr }) => [status, stderr])).toEqual(ran.map(() => [0, '']));
  });
});
