import { visibleMarkdown } from '../../../src/core/task/visible/markdown.ts';
import { describe, expect, test } from 'vitest';
import type { News } from '../../../src/core/task/news.ts';
import { updateData, updateFrontMatter } from '../../../src/core/task/update.ts';
import { aComment, aFullIssue, aTrackedTask, NOON } from '../../support/builders.ts';

const FACTS = {
  at: NOON,
  marker: 'k7Qd',
  serverUrl: 'https://git.example.com',
  version: '1.0.0',
  markdown: visibleMarkdown,
};
const issue = aFullIssue({ number: 5, id: 77, comments: [aComment(), aComment({ body: 'New.' })] });
const dataOf = (changed: News['changed'], comments: News['comments'] = [], updates = 0) =>
  updateData(issue, aTrackedTask({ updates }), { changed, comments, pulls: [] }, FACTS);

test('the front matter of a file with news', () => {
  const news = { changed: ['title', 'comments'], comments: [], pulls: [] };
  expect(updateFrontMatter(issue, aTrackedTask({ updates: 1 }), news, NOON)).toMatchInlineSnapshot(`
    "---
    schema: "dispatcher.update/1"
    ref: "acme/app#5"
    issue: 5
    repository: "acme/app"
    url: "https://git.example.com/acme/app/issues/1"
    agent: "hans"
    task: "issue-1.md"
    update: 2
    changed: ["title","comments"]
    updatedAt: "2026-04-09T11:30:00.000Z"
    writtenAt: "2026-04-09T12:00:00.000Z"
    issueId: 77
    ---
    "
  `);
});

describe('what a template of news may print', () => {
  test('is what changed, and nothing else of the issue', () => {
    const fresh = aComment({ body: 'New.' });
    const data = dataOf(['comments'], [fresh]);
    expect(data).toMatchObject({
      issue: { ref: 'acme/app#5', number: 5, url: issue.url, summary: null, body: null, isBodyEmpty: false },
      agent: { name: 'hans' },
      update: { number: 1, isLast: false, changed: 'comments', at: '2026-04-09T12:00:00.000Z' },
      marker: 'k7Qd',
      version: '1.0.0',
    });
    expect(data.issue.comments.map(({ body }) => body)).toEqual([expect.stringContaining('> New.')]);
    expect(data.issue.commentsOmitted).toBe(0);
  });

  test.for(['title', 'labels', 'milestone', 'due'])('another %s shows the short texts', (word) => {
    const data = dataOf([word]);
    expect(data.issue.summary).toContain('> Title: Silent database errors');
    expect(data.issue.body).toBeNull();
  });

  test('another body shows it, and says when there is none any more', () => {
    expect(dataOf(['title', 'body']).issue).toMatchObject({
      body: expect.stringContaining('> Errors vanish.'),
      isBodyEmpty: false,
    });
    const emptied = updateData(
      { ...issue, body: '' },
      aTrackedTask(),
      { changed: ['body'], comments: [], pulls: [] },
      FACTS,
    );
    expect(emptied.issue).toMatchObject({ summary: null, body: null, isBodyEmpty: true });
    const still = updateData(
      { ...issue, body: '' },
      aTrackedTask(),
      { changed: ['title'], comments: [], pulls: [] },
      FACTS,
    );
    expect(still.issue.isBodyEmpty).toBe(false);
  });

  test('the twentieth one is the last, and says so', () => {
    expect(dataOf(['title', 'due'], [], 19).update).toMatchObject({ number: 20, isLast: true, changed: 'title, due' });
    expect(dataOf(['title'], [], 18).update).toMatchObject({ number: 19, isLast: false });
  });
});
