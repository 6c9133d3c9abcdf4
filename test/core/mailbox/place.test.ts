import { describe, expect, test } from 'vitest';
import { isClaim, isCompanion, pathIn, placeOf, type TaskNames } from '../../../src/core/mailbox/place.ts';
import { taskNames } from '../../../src/core/mailbox/settings.ts';

const single = taskNames({ taskFile: 'issue-{number}.md' });
const several = taskNames({ taskFile: '{owner}/{repo}/issue-{number}.md' });

describe('where a file lies says how far its work is', () => {
  test.for<[path: string, names: TaskNames, place: ReturnType<typeof placeOf>]>([
    ['issue-5.md', single, { stage: 'new', home: 'issue-5.md' }],
    ['issue-5.2.md', single, { stage: 'new', home: 'issue-5.2.md' }],
    ['doing/issue-5.md', single, { stage: 'doing', home: 'issue-5.md' }],
    ['archive/issue-5.md', single, null],
    ['blocked/acme/app/issue-5.md', several, { stage: 'blocked', home: 'acme/app/issue-5.md' }],
    ['acme/app/done/issue-5.md', several, { stage: 'done', home: 'acme/app/issue-5.md' }],
    // Moved by hand without the folders of its repository: its reference tells where it belongs.
    ['done/issue-5.md', several, { stage: 'done', home: 'acme/app/issue-5.md' }],
    // In a folder of the agent's own making it is that task, and somebody's.
    ['later/issue-5.md', single, { stage: 'doing', home: 'issue-5.md' }],
  ])('%s', ([path, names, place]) => {
    expect(placeOf(path, 'acme/app#5', names)).toEqual(place);
  });

  test.for(['../greta/x#5', '../..#5', 'acme/..#5', 'acme/app', 'acme/app#5/../../x', '/etc#1', ''])(
    'a file that says it is %s is given no place by that',
    (ref) => {
      expect(placeOf('doing/odd.md', ref, several)).toEqual({ stage: 'doing', home: 'odd.md' });
    },
  );

  test('a task has the same path in each stage, so that no two can have one name', () => {
    const home = 'acme/app/issue-5.md';
    expect((['new', 'doing', 'blocked', 'done'] as const).map((stage) => pathIn(stage, home))).toEqual([
      home,
      `doing/${home}`,
      `blocked/${home}`,
      `done/${home}`,
    ]);
  });
});

test('what belongs to a task is known by its name, and is no other task', () => {
  const names = [
    'issue-5.update-1.md',
    'issue-5.attachments',
    'issue-5.work.json',
    'issue-5.output-12.txt',
    'issue-5.md',
    'issue-55.update-1.md',
    'issue-5.other.md',
    '.issue-5.md.taken-abc',
  ];
  expect(names.filter((name) => isCompanion(name, 'issue-5.md'))).toEqual(names.slice(0, 4));
  expect(names.filter((name) => isClaim(name, 'issue-5.md'))).toEqual(['.issue-5.md.taken-abc']);
});
