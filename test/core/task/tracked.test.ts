import { expect, test } from 'vitest';
import { repeatsOf, suspectsOf, TrackedTaskSchema } from '../../../src/core/task/tracked.ts';
import { aConfig, anIssue, aTrackedTask, keyOf } from '../../support/builders.ts';

test('a task that was dispatched once is no repetition, nor is one that nobody knows', () => {
  expect(repeatsOf(undefined)).toBe(0);
  expect(repeatsOf(aTrackedTask())).toBe(0);
  expect(repeatsOf(aTrackedTask({ dispatches: 3 }))).toBe(2);
});

test.for(['none', 'due', 'left'] as const)('a record whose receipt is %s reads back', (receipt) => {
  expect(TrackedTaskSchema.parse(aTrackedTask({ receipt }))).toMatchObject({ receipt });
});

test.for([
  { what: 'is on the list, with its agent', listed: [{ assignees: ['Hans'] }], task: {}, asked: false },
  { what: 'is not on the list', listed: [], task: {}, asked: true },
  { what: 'is on the list, but not with its agent', listed: [{ assignees: ['greta'] }], task: {}, asked: true },
  { what: 'is on the list with nobody', listed: [{ assignees: [] }], task: {}, asked: true },
  {
    what: 'was forced on somebody, and is listed',
    listed: [{ assignees: ['greta'] }],
    task: { isAssigned: false },
    asked: false,
  },
  { what: 'was forced on somebody, and is gone', listed: [], task: { isAssigned: false }, asked: true },
  { what: 'is of another server', listed: [], task: { server: 'git.other.org' }, asked: false },
])('the issue of a task that $what: asked about: $asked', ({ listed, task, asked }) => {
  const issues = [anIssue({ id: 2 }), ...listed.map((issue) => anIssue(issue))];
  expect(suspectsOf({ [keyOf(1)]: aTrackedTask(task) }, aConfig(), { issues })).toEqual(asked ? [keyOf(1)] : []);
});
