import { expect, test } from 'vitest';
import { repeatsOf, suspectsOf, TrackedTaskSchema } from '../../../src/core/task/tracked.ts';
import { aCandidate, anIssue, aTrackedTask, SERVER } from '../../support/builders.ts';

test('a task that was dispatched once is no repetition, nor is one that nobody knows', () => {
  expect(repeatsOf(undefined)).toBe(0);
  expect(repeatsOf(aTrackedTask())).toBe(0);
  expect(repeatsOf(aTrackedTask({ dispatches: 3 }))).toBe(2);
});

test.for(['none', 'due', 'left'] as const)('a record whose receipt is %s reads back', (receipt) => {
  expect(TrackedTaskSchema.parse(aTrackedTask({ receipt }))).toMatchObject({ receipt });
});

test.for([
  { what: 'is on the list, with its agent', listed: [1], candidates: ['1:hans'], task: {}, asked: false },
  { what: 'is not on the list', listed: [], candidates: [], task: {}, asked: true },
  { what: 'is on the list, but not with its agent', listed: [1], candidates: [], task: {}, asked: true },
  {
    what: 'was forced on somebody, and is listed',
    listed: [1],
    candidates: [],
    task: { isAssigned: false },
    asked: false,
  },
  { what: 'was forced on somebody, and is gone', listed: [], candidates: [], task: { isAssigned: false }, asked: true },
  { what: 'is of another server', listed: [], candidates: [], task: { server: 'git.other.org' }, asked: false },
])('the issue of a task that $what: asked about: $asked', ({ listed, candidates, task, asked }) => {
  const issues = listed.map((id) => anIssue({ id }));
  const known = candidates.map((key) => ({ ...aCandidate(), key }));
  expect(suspectsOf({ '1:hans': aTrackedTask(task) }, SERVER, issues, known)).toEqual(asked ? ['1:hans'] : []);
});
