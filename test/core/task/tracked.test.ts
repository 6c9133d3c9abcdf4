import { expect, test } from 'vitest';
import { repeatsOf, suspectsOf, TrackedTaskSchema, trackedRef } from '../../../src/core/task/tracked.ts';
import { aCandidate, anIssue, aTrackedTask, iso, NOON } from '../../support/builders.ts';

test('a task that was dispatched once is no repetition, nor is one that nobody knows', () => {
  expect(repeatsOf(undefined)).toBe(0);
  expect(repeatsOf(aTrackedTask())).toBe(0);
  expect(repeatsOf(aTrackedTask({ dispatches: 3 }))).toBe(2);
});

test('its name is that of its issue', () => {
  expect(trackedRef(aTrackedTask({ number: 5 }))).toBe('acme/app#5');
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
  { what: 'was asked about just now', listed: [], candidates: [], task: { recheckAt: iso(NOON + 1) }, asked: false },
  { what: 'was to be asked about now', listed: [], candidates: [], task: { recheckAt: iso(NOON) }, asked: true },
  { what: 'has an unreadable time', listed: [], candidates: [], task: { recheckAt: 'soon' }, asked: true },
])('the issue of a task that $what: asked about: $asked', ({ listed, candidates, task, asked }) => {
  const issues = listed.map((id) => anIssue({ id }));
  const known = candidates.map((key) => ({ ...aCandidate(), key }));
  expect(suspectsOf({ '1:hans': aTrackedTask(task) }, issues, known, NOON)).toEqual(asked ? ['1:hans'] : []);
});
