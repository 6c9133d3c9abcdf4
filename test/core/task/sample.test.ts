import { expect, test } from 'vitest';
import { sampleData } from '../../../src/core/task/sample.ts';

/** The paths of values that a template could not tell from missing ones. */
const emptyIn = (value: unknown, path: string): readonly string[] => {
  if (value === '' || value === null || value === undefined) return [path];
  if (Array.isArray(value) && value.length === 0) return [path];
  return typeof value === 'object'
    ? Object.entries(value).flatMap(([key, each]) => emptyIn(each, `${path}.${key}`))
    : [];
};

test('the sample has everything that an issue can have, so that a template is tried as a whole', () => {
  expect(emptyIn(sampleData(), 'data')).toEqual([]);
  expect(sampleData()).toMatchInlineSnapshot(`
    {
      "agent": {
        "name": "hans",
      },
      "dispatch": {
        "at": "1970-01-01T00:00:00.000Z",
        "attempt": 1,
        "handBack": "mv -n issue-5.md done/issue-5.md",
        "trigger": "timer",
      },
      "hidden": {
        "any": true,
        "characters": 2,
        "collapsed": 2,
        "comments": 2,
        "secrets": 0,
        "texts": 2,
      },
      "issue": {
        "acceptanceCriteria": "<!-- BEGIN GITEA TEXT sample: acceptance criteria by alice, 1970-01-01T00:00:00.000Z -->
    > - [ ] a criterion
    <!-- END GITEA TEXT sample -->",
        "attachments": "<!-- BEGIN GITEA TEXT sample: attachments by alice, 1970-01-01T00:00:00.000Z -->
    > - log.txt (12 bytes): https://git.example.com/attachments/1
    <!-- END GITEA TEXT sample -->",
        "author": "alice",
        "blockers": "<!-- BEGIN GITEA TEXT sample: blockers by alice, 1970-01-01T00:00:00.000Z -->
    > - acme/app#4: Another one (https://git.example.com/acme/app/issues/4)
    <!-- END GITEA TEXT sample -->",
        "body": "<!-- BEGIN GITEA TEXT sample: issue body by alice, 1970-01-01T00:00:00.000Z -->
    > A text.
    >
    > - [ ] a criterion
    <!-- END GITEA TEXT sample -->",
        "comments": [
          {
            "author": "bob",
            "body": "<!-- BEGIN GITEA TEXT sample: comment by bob, 1970-01-01T00:00:00.000Z -->
    > A comment.
    <!-- END GITEA TEXT sample -->",
            "createdAt": "1970-01-01T00:00:00.000Z",
            "url": "https://git.example.com/acme/app/issues/5#issuecomment-1",
          },
        ],
        "commentsOmitted": 0,
        "commentsTotal": 1,
        "commentsUntrusted": 0,
        "createdAt": "1970-01-01T00:00:00.000Z",
        "due": "2026-04-30",
        "labels": [
          "Kind/Bug",
        ],
        "milestone": "1.0",
        "number": 5,
        "ref": "acme/app#5",
        "summary": "<!-- BEGIN GITEA TEXT sample: title and labels by alice, 1970-01-01T00:00:00.000Z -->
    > Title: A sample issue
    > Labels: Kind/Bug
    > Milestone: 1.0
    > Due: 2026-04-30
    <!-- END GITEA TEXT sample -->",
        "title": "A sample issue",
        "updatedAt": "1970-01-01T00:00:00.000Z",
        "url": "https://git.example.com/acme/app/issues/5",
      },
      "marker": "sample",
      "priority": {
        "name": "NORMAL",
        "source": "default",
      },
      "repository": {
        "fullName": "acme/app",
        "name": "app",
        "owner": "acme",
        "url": "https://git.example.com/acme/app",
      },
      "version": "0.0.0",
    }
  `);
});
