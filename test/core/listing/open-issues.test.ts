import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openIssues, UNASSIGNED } from '../../../src/core/listing/open-issues.ts';
import { fingerprint, issuesIn, rowOf, updatedIn } from '../../../src/core/listing/row.ts';
import { anIssue } from '../../support/builders.ts';

const id = fc.nat(40);
const change = fc.record({ id, print: fc.option(fc.nat(3), { nil: null }) });

test('issues that open, change and close are those of a map, also after they were written down', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(change, fc.constant('written' as const)), { maxLength: 200 }), (history) => {
      const expected = new Map<number, number>();
      let open = openIssues();
      for (const step of history) {
        if (step === 'written') {
          open = openIssues(open.toBase());
        } else if (step.print === null) {
          expected.delete(step.id);
          open.delete(step.id);
        } else {
          expected.set(step.id, step.print);
          open.set(step.id, step.print);
        }
        expect(open.size()).toBe(expected.size);
      }
      const again = openIssues(openIssues(open.toBase()).toBase(), open.changes);
      for (const each of [open, again]) {
        expect(each.ids()).toEqual([...expected.keys()].toSorted((a, b) => a - b));
        expect(each.ids().map((one) => each.get(one))).toEqual(each.ids().map((one) => expected.get(one)));
        expect(each.count(UNASSIGNED)).toBe([...expected.values()].filter((print) => print === UNASSIGNED).length);
      }
    }),
  );
});

const rows = (...issues: readonly (ReturnType<typeof anIssue> | number)[]) =>
  issues.map((issue) => (typeof issue === 'number' ? String(issue) : rowOf(issue)));
const printOf = (...issues: readonly ReturnType<typeof anIssue>[]) => {
  const prints = new Map(issues.map((issue) => [issue.id, fingerprint(rowOf(issue))]));
  return (each: number) => prints.get(each);
};

test('the last line of an issue counts, and a number takes it back', () => {
  const [first, second] = [anIssue({ id: 1 }), anIssue({ id: 2, title: 'x "y"\n', labels: ['a', 'b'] })];
  const changed = { ...second, title: 'Changed' };
  const lines = rows(first, second, changed, 1);
  expect(issuesIn(lines, printOf(changed))).toEqual([changed]);
  expect(updatedIn(lines, 2)).toBe(second.updatedAt);
  expect(updatedIn(lines, 3)).toBeUndefined();
});

test.for<[string, (line: string) => string]>([
  ['another title', (line: string) => line.replace('Silent', 'Loud')],
  ['a line cut short', (line: string) => line.slice(0, -5)],
  ['no JSON', () => '[1,'],
  ['another form', () => '[1,2,3]'],
])('lines with %s are none that were written', ([, spoil]) => {
  const issue = anIssue();
  const line = spoil(rowOf(issue));
  expect(issuesIn([line], printOf(issue))).toBeUndefined();
  expect(issuesIn([line], () => fingerprint(line)) ?? []).toSatisfy(
    (found: readonly unknown[]) => found.length === 0 || line.endsWith(']'),
  );
});
