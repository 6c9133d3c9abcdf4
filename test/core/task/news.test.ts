import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { FullIssue } from '../../../src/core/issue/issue.ts';
import { newsIn, type Reading, seenOf } from '../../../src/core/task/news.ts';
import { aComment, aFullIssue } from '../../support/builders.ts';

const reading: Reading = {
  sha256: (text) => createHash('sha256').update(text).digest('hex'),
  isHeard: ({ author }) => author !== 'bot',
  ownLabels: ['dispatched'],
};
const BEFORE = aFullIssue({ labels: ['a', 'b'], milestone: '1.0', due: '2026-04-30', comments: [aComment()] });
const newsOf = (change: Partial<FullIssue>) => newsIn(seenOf(BEFORE, reading), { ...BEFORE, ...change }, reading);

describe('news', () => {
  test.for<[string, Partial<FullIssue>]>([
    ['title', { title: 'Another' }],
    ['body', { body: 'Another.' }],
    ['labels', { labels: ['a'] }],
    ['milestone', { milestone: null }],
    ['due', { due: '2026-05-01' }],
  ])('is another %s, by that word', ([word, change]) => {
    expect(newsOf(change)).toEqual({ changed: [word], comments: [], pulls: [] });
  });

  test.for<[string, Partial<FullIssue>]>([
    ['another date alone', { updatedAt: 1 }],
    ['another order of the labels', { labels: ['b', 'a'] }],
    ['a label of the dispatcher itself, in any case', { labels: ['a', 'b', 'Dispatched'] }],
    ['a comment by somebody who is not heard', { comments: [aComment(), aComment({ author: 'bot', body: 'built' })] }],
    ['a comment that was deleted', { comments: [] }],
    ['who it is assigned to', { assignees: ['greta'] }],
  ])('is not %s', ([, change]) => {
    expect(newsOf(change)).toBeNull();
  });

  test('is each new comment, and only those', () => {
    const fresh = aComment({ body: 'And one more.' });
    expect(newsOf({ comments: [aComment(), fresh] })).toEqual({ changed: ['comments'], comments: [fresh], pulls: [] });
    expect(newsOf({ title: 'x', comments: [aComment(), fresh] })?.changed).toEqual(['title', 'comments']);
  });

  test('what is remembered are short hashes, and of comments only those that are heard', () => {
    const seen = seenOf({ ...BEFORE, comments: [aComment(), aComment({ author: 'bot' })] }, reading);
    expect(seen.updatedAt).toBe('2026-04-09T11:30:00.000Z');
    expect(seen.comments).toHaveLength(1);
    for (const hash of [seen.title, seen.body, seen.labels, seen.milestone, seen.due, ...seen.comments]) {
      expect(hash).toMatch(/^\w{12}$/u);
    }
  });
});
