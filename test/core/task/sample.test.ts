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
        "characters": 4,
        "collapsed": 4,
        "comments": 4,
        "secrets": 0,
        "texts": 4,
      },
      "instructions": [
        "Use the test database.",
      ],
      "issue": {
        "acceptanceCriteria": "<!-- BEGIN GITEA TEXT sample: acceptance criteria by alice, 1970-01-01T00:00:00.000Z -->
    > - [ ] a criterion
    <!-- END GITEA TEXT sample -->",
        "assignedAt": "1970-01-01T00:00:00.000Z",
        "assignedBy": "carol",
        "attachments": "<!-- BEGIN GITEA TEXT sample: attachments by alice, 1970-01-01T00:00:00.000Z -->
    > - log.txt (12 bytes): https://git.example.com/attachments/1
    > - shot.png (3 bytes, in a comment by bob): https://git.example.com/attachments/2
    <!-- END GITEA TEXT sample -->",
        "author": "alice",
        "blockers": "<!-- BEGIN GITEA TEXT sample: blockers by alice, 1970-01-01T00:00:00.000Z -->
    > - acme/app#4: Another one (https://git.example.com/acme/app/issues/4)
    <!-- END GITEA TEXT sample -->",
        "body": "<!-- BEGIN GITEA TEXT sample: issue body by alice, 1970-01-01T00:00:00.000Z -->
    > # Steps to reproduce
    > 1. One
    > # Validation
    > Run it.
    > # Test plan
    > Look.
    > # Details
    > A text.
    >
    > - [ ] a criterion
    <!-- END GITEA TEXT sample -->",
        "branch": "next",
        "comments": [
          {
            "author": "bob",
            "body": "<!-- BEGIN GITEA TEXT sample: comment by bob, 1970-01-01T00:00:00.000Z -->
    > A comment.
    <!-- END GITEA TEXT sample -->",
            "createdAt": "1970-01-01T00:00:00.000Z",
            "editedAt": "1970-01-01T00:00:00.001Z",
            "gap": 0,
            "isEditedAfterAssignment": true,
            "url": "https://git.example.com/acme/app/issues/5#issuecomment-1",
          },
        ],
        "commentsOmitted": 0,
        "commentsTotal": 1,
        "commentsUntrusted": 0,
        "createdAt": "1970-01-01T00:00:00.000Z",
        "due": "2026-04-30",
        "hasBackground": true,
        "labels": [
          "Kind/Bug",
        ],
        "lastAttempt": {
          "end": "its task file was deleted",
          "number": 0,
        },
        "milestone": "1.0",
        "number": 5,
        "pullRequests": "<!-- BEGIN GITEA TEXT sample: pull requests and commits that mention it, 1970-01-01T00:00:00.000Z -->
    > - acme/app#9 (open, closes this issue) by hans: A change (https://git.example.com/acme/app/pulls/9)
    > - commit 012345678901
    <!-- END GITEA TEXT sample -->",
        "ref": "acme/app#5",
        "references": [
          {
            "body": "<!-- BEGIN GITEA TEXT sample: acme/app#3 by bob, 1970-01-01T00:00:00.000Z -->
    > Its text.
    <!-- END GITEA TEXT sample -->",
            "ref": "acme/app#3",
            "state": "closed",
            "title": "<!-- BEGIN GITEA TEXT sample: acme/app#3 by bob, 1970-01-01T00:00:00.000Z -->
    > Title: An earlier one
    <!-- END GITEA TEXT sample -->",
            "url": "https://git.example.com/acme/app/issues/3",
          },
        ],
        "review": {
          "at": "1970-01-01T00:00:00.000Z",
          "author": "carol",
          "body": "<!-- BEGIN GITEA TEXT sample: review by carol, 1970-01-01T00:00:00.000Z -->
    > Not yet.
    <!-- END GITEA TEXT sample -->",
          "state": "request changes",
        },
        "stepsToReproduce": "<!-- BEGIN GITEA TEXT sample: steps to reproduce by alice, 1970-01-01T00:00:00.000Z -->
    > 1. One
    <!-- END GITEA TEXT sample -->",
        "summary": "<!-- BEGIN GITEA TEXT sample: title and labels by alice, 1970-01-01T00:00:00.000Z -->
    > Title: A sample issue
    > Labels: Kind/Bug
    > Milestone: 1.0
    > Due: 2026-04-30
    <!-- END GITEA TEXT sample -->",
        "testPlan": "<!-- BEGIN GITEA TEXT sample: test plan by alice, 1970-01-01T00:00:00.000Z -->
    > Look.
    <!-- END GITEA TEXT sample -->",
        "title": "A sample issue",
        "titleChanges": "<!-- BEGIN GITEA TEXT sample: earlier titles, 1970-01-01T00:00:00.000Z -->
    > - carol, 1970-01-01T00:00:00.000Z: "A" became "B"
    <!-- END GITEA TEXT sample -->",
        "unread": [
          "the default branch: no answer",
        ],
        "updatedAt": "1970-01-01T00:00:00.000Z",
        "url": "https://git.example.com/acme/app/issues/5",
        "validation": "<!-- BEGIN GITEA TEXT sample: validation by alice, 1970-01-01T00:00:00.000Z -->
    > Run it.
    <!-- END GITEA TEXT sample -->",
        "waiting": "<!-- BEGIN GITEA TEXT sample: issues that wait for it, 1970-01-01T00:00:00.000Z -->
    > - acme/app#8: A later one (https://git.example.com/acme/app/issues/8)
    <!-- END GITEA TEXT sample -->",
      },
      "marker": "sample",
      "priority": {
        "name": "NORMAL",
        "source": "default",
      },
      "repository": {
        "cloneUrl": "https://git.example.com/acme/app.git",
        "defaultBranch": "main",
        "fullName": "acme/app",
        "name": "app",
        "owner": "acme",
        "url": "https://git.example.com/acme/app",
      },
      "version": "0.0.0",
    }
  `);
});
