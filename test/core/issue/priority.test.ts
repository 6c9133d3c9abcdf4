import { expect, test } from 'vitest';
import { priorityNamed, ratePriority } from '../../../src/core/issue/priority.ts';

const NONE = new Map<string, never>();

test.for([
  { labels: ['Priority/Critical'], title: '', priority: 'CRITICAL', source: 'label:Priority/Critical' },
  { labels: ['priority: high'], title: '', priority: 'HIGH', source: 'label:priority: high' },
  { labels: ['critical'], title: '', priority: 'CRITICAL', source: 'label:critical' },
  { labels: ['Priority/Medium'], title: '', priority: 'NORMAL', source: 'label:Priority/Medium' },
  { labels: ['P0'], title: '', priority: 'CRITICAL', source: 'label:P0' },
  { labels: ['p1'], title: '', priority: 'HIGH', source: 'label:p1' },
  { labels: ['P2'], title: '', priority: 'NORMAL', source: 'label:P2' },
  { labels: ['P3'], title: '', priority: 'LOW', source: 'label:P3' },
  { labels: ['low', 'Priority/High', 'P2'], title: '', priority: 'HIGH', source: 'label:Priority/High' },
  { labels: ['low'], title: 'CRITICAL: down', priority: 'LOW', source: 'label:low' },
  { labels: ['Kind/Bug'], title: 'CRITICAL: down', priority: 'CRITICAL', source: 'title' },
  { labels: [], title: '[HIGH] slow', priority: 'HIGH', source: 'title' },
  { labels: [], title: 'A critical: not at the start', priority: 'NORMAL', source: 'default' },
  {
    labels: ['highlight', 'lowlands', 'not critical'],
    title: 'Higher',
    priority: 'NORMAL',
    source: 'default',
  },
])('labels $labels and title "$title" make $priority by $source', ({ labels, title, priority, source }) => {
  expect(ratePriority(labels, title, NONE)).toEqual({ priority, source });
});

test('a label of the configuration counts in any case, and wins over the built-in spellings', () => {
  const extra = new Map([
    ['sev/1', 'CRITICAL' as const],
    ['low', 'HIGH' as const],
  ]);
  expect(ratePriority(['SEV/1'], '', extra)).toEqual({ priority: 'CRITICAL', source: 'label:SEV/1' });
  expect(ratePriority(['low'], '', extra)).toEqual({ priority: 'HIGH', source: 'label:low' });
});

test('white space around a label, a word or a title does not matter; an empty one is nothing', () => {
  expect(ratePriority([' Priority/High '], '', NONE).priority).toBe('HIGH');
  expect(ratePriority([' SEV '], '', new Map([['sev', 'LOW' as const]])).priority).toBe('LOW');
  expect(ratePriority([''], '', NONE)).toEqual({ priority: 'NORMAL', source: 'default' });
  expect(ratePriority([], '  [ high ] x', NONE).priority).toBe('HIGH');
  expect(priorityNamed(' Normal ')).toBe('NORMAL');
  expect(priorityNamed('')).toBeUndefined();
});
