import { Chalk } from 'chalk';
import { describe, expect, test } from 'vitest';
import { reportOf } from '../../src/core/history/report.ts';
import { reportScreen } from '../../src/views/report.ts';
import { reportTsv } from '../../src/views/report-tsv.ts';
import { sparkline } from '../../src/views/spark.ts';
import { MINUTE, NOON } from '../support/builders.ts';
import { aDispatched, aMove, anOfficeHistory, pastOf } from '../support/history.ts';

const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const chalk = new Chalk({ level: 0 });
const screen = { width: 100, chalk, unicode: true };
const scope = { from: NOON - 6 * DAY, to: NOON + DAY, agent: null };

describe('the report on a terminal', () => {
  const events = [
    aDispatched(),
    aMove('taken', 1),
    aDispatched({ at: NOON + 2 * HOUR, key: '3:hans', ref: 'acme/app#3', priority: 'LOW', since: NOON - DAY }),
    aMove('blocked', 3),
    aMove('released', 4),
    aMove('done', 5),
    { at: NOON + 6 * HOUR, event: 'failed', code: 'gitea_timeout' } as const,
    { at: NOON + 6 * HOUR + MINUTE, event: 'recovered', failures: 1 } as const,
    { at: NOON + 7 * HOUR, event: 'sample', waiting: 'hans=0,2,1,0' } as const,
  ];

  test('is a whole screen', () => {
    const text = reportScreen(reportOf(pastOf(events), scope, ['greta', 'hans']), screen);
    expect(text.replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d/gu, 'DATE AND TIME')).toMatchInlineSnapshot(`
      "The last 7d, from DATE AND TIME (the history begins at DATE AND TIME)
      Dispatched a day         █   2 in all, most 2
      Waiting            █  3 at DATE AND TIME, most 3
      Failed passes      1:
        DATE AND TIME to DATE AND TIME, gitea_timeout

      greta  without work 100 % of the time
        PRIORITY  DISPATCHED  FINISHED  BLOCKED  REPEATED  WAITED  WORKED
        all       0           0         0        0         -       -

      hans  without work 0 % of the time
        PRIORITY  DISPATCHED  FINISHED  BLOCKED  REPEATED  WAITED        WORKED
        CRITICAL  1           1         1        0         1h / 1h / 1h  5h / 5h / 5h
        LOW       1           0         0        0         1d / 1d / 1d  -
        all       2           1         1        0         1h / 1d / 1d  5h / 5h / 5h

      all
        PRIORITY  DISPATCHED  FINISHED  BLOCKED  REPEATED  WAITED        WORKED
        all       2           1         1        0         1h / 1d / 1d  5h / 5h / 5h

      WAITED: from the opening of the issue to its first dispatch; WORKED: from dispatch to end.
      Each is median / 95th percentile / longest.
      "
    `);
  });

  test.for([
    { minutes: 30, says: '3 now, most 3' },
    { minutes: 36, says: /3 at \d{4}-\d\d-\d\d \d\d:\d\d, most 3/u },
  ])('what waited at the last count, $minutes minutes ago: $says', ({ minutes, says }) => {
    const sample = { at: NOON, event: 'sample', waiting: 'hans=0,2,1,0' } as const;
    const to = NOON + minutes * MINUTE;
    const text = reportScreen(reportOf(pastOf([sample]), { ...scope, to }, ['hans']), screen);
    expect(text.split('\n')[2]).toMatch(says);
  });

  test.for([40, 60, 80, 82, 100, 200])('fits %d cells', (width) => {
    const report = reportOf(pastOf(anOfficeHistory({ days: 20, agents: 3 })), { ...scope, to: NOON + 20 * DAY }, []);
    const lines = reportScreen(report, { ...screen, width }).split('\n');
    expect(lines.filter((line) => line.length > width)).toEqual([]);
  });

  test('before there is a history it says so', () => {
    expect(reportScreen(reportOf(pastOf([]), scope, ['hans']), screen)).toContain('There is no history yet');
  });

  test('a title with an escape, an agent with one: nothing steers the terminal', () => {
    const hostile = aDispatched({ agent: 'ha\u001B[31mns', key: '2:x' });
    expect(reportScreen(reportOf(pastOf([hostile]), scope, []), screen)).not.toContain('\u001B');
    expect(reportTsv(reportOf(pastOf([{ ...hostile, agent: 'a\tb\nc' }]), scope, [])).split('\n')).toHaveLength(3);
  });
});

test('in a pipe: a line each agent and priority, durations in seconds, and nothing where there is none', () => {
  const report = reportOf(pastOf([aDispatched(), aMove('done', 5)]), scope, ['greta']);
  expect(reportTsv(report)).toBe(
    [
      'greta\tall\t0\t0\t0\t0\t\t\t\t\t\t\t1.0000',
      'hans\tall\t1\t1\t0\t0\t3600\t3600\t3600\t18000\t18000\t18000\t0.7917',
      'hans\tCRITICAL\t1\t1\t0\t0\t3600\t3600\t3600\t18000\t18000\t18000\t',
      '',
    ].join('\n'),
  );
});

test.for([
  { values: [0, 1, 2, 4, 8], bars: ' ▁▂▄█' },
  { values: [1], bars: '█' },
  { values: [0, 0], bars: '  ' },
  { values: [], bars: '' },
])('$values are $bars', ({ values, bars }) => {
  expect(sparkline(values, true)).toBe(bars);
  expect(sparkline(values, false)).toMatch(/^[ -~]*$/u);
});
