import { describe, expect, test } from 'vitest';
import { MINUTE } from './builders.ts';
import { type OwnershipEvent, type OwnershipRules, ownershipViolations } from './ownership.ts';

const RULES: OwnershipRules = { rateLimitMs: MINUTE, leaseMs: 5 * MINUTE, patienceMs: 2 * MINUTE, until: 30 * MINUTE };

/** One event a line: `minutes event task host attempt`; `file` is a task that is taken, and whose file appears at once. */
function history(lines: string): readonly OwnershipEvent[] {
  return lines
    .trim()
    .split('\n')
    .flatMap((line) =>
      line.includes('file') ? [line.replace('file', 'taken'), line.replace('file', 'appeared')] : [line],
    )
    .map((line) => {
      const [at = '', event = '', task = '', host, attempt] = line.trim().split(/\s+/u);
      // Whoever writes a test knows the names of events.
      return {
        at: Number(at) * MINUTE,
        event,
        task,
        ...(host ? { host, attempt: Number(attempt) } : {}),
      } as OwnershipEvent;
    });
}

const rulesBroken = (lines: string, rules: Partial<OwnershipRules> = {}): readonly string[] => [
  ...new Set(ownershipViolations(history(lines), { ...RULES, ...rules }).map(({ rule }) => rule)),
];

/** Two hosts; the second one is lost with its task, which goes to the first one; it comes back and is refused. */
const GOOD = `
  0 wanted #1
  0 wanted #2
  1 file #1 a 1
  2 file #2 b 1
  3 renewed #1 a 1
  4 finished #1 a 1
  4 renewed #2 b 1
  9 lapsed #2
  10 file #2 a 2
  14 renewed #2 a 2
  15 finished #2 a 2`;

describe('a recorded history', () => {
  test('of a host that is lost and comes back is accepted', () => {
    expect(ownershipViolations(history(GOOD), RULES)).toEqual([]);
  });

  test.for<readonly [what: string, from: string, to: string, rules: readonly string[]]>([
    ['is taken while its holder is alive', '9 lapsed #2', '5 file #2 a 2', ['single owner', 'twice']],
    ['is taken from who renewed it', '9 lapsed #2', '8 lapsed #2', ['single owner']],
    ['is renewed by who lost it', '14 renewed #2 a 2', '13 renewed #2 b 1', ['single owner']],
    ['appears too early after another one', '2 file #2 b 1', '1.99 file #2 b 1', ['limit']],
    [
      'appears with an attempt that was used',
      '10 file #2 a 2',
      '10 file #2 a 1',
      ['single owner', 'late finish', 'lost', 'twice'],
    ],
    ['is finished by who lost it', '15 finished #2 a 2', '13 finished #2 b 1', ['late finish', 'lost']],
    [
      'is finished after it lapsed, before anybody else had it',
      '10 file #2 a 2',
      '9.5 finished #2 b 1',
      ['late finish', 'single owner', 'lost'],
    ],
    ['appears after it was finished', '15 finished #2 a 2', '15 file #1 a 2', ['twice', 'lost']],
    ['lies for too long when it is lost', '10 file #2 a 2', '11.1 file #2 a 2', ['without an owner']],
    ['lies for too long when it is new', '2 file #2 b 1', '3.9 file #2 b 1', []],
    ['appears where it is not held', '14 renewed #2 a 2', '14 appeared #2 b 1', ['single owner']],
    ['is taken twice with one slot', '3 renewed #1 a 1', '2.5 appeared #1 a 1', ['limit']],
    ['is never there', '2 file #2 b 1\n', '', ['single owner', 'without an owner']],
  ])('in which a task %s', ([, from, to, rules]) => {
    expect(GOOD).toContain(from);
    expect(rulesBroken(GOOD.replace(from, to)).toSorted()).toEqual([...rules].toSorted());
  });

  test('in which a task was never taken, or not again after its holder was gone, ends with one that is lost', () => {
    expect(rulesBroken('0 wanted #1')).toEqual(['lost']);
    expect(rulesBroken('0 wanted #1\n1 file #1 a 1')).toEqual(['lost']);
    expect(rulesBroken('0 wanted #1\n1 file #1 a 1', { until: 7 * MINUTE })).toEqual([]);
    expect(rulesBroken('0 wanted #1\n1 unwanted #1')).toEqual([]);
    expect(rulesBroken('0 wanted #1\n2.1 file #1 a 1\n2.2 finished #1 a 1')).toEqual(['without an owner']);
    // It lapsed without anybody saying so, until much later.
    expect(rulesBroken('0 wanted #1\n1 file #1 a 1\n10 lapsed #1\n10.1 unwanted #1')).toEqual(['without an owner']);
    expect(rulesBroken('0 wanted #1\n3 unwanted #1')).toEqual(['without an owner']);
  });

  test('in which tasks wait for the slot is accepted: what is occupied counts for nobody', () => {
    const queue = Array.from({ length: 10 }, (_, index) => `0 wanted #${index}\n${index + 1} file #${index} a 1`);
    expect(rulesBroken(queue.join('\n'), { until: 5.9 * MINUTE, leaseMs: 60 * MINUTE })).toEqual([]);
  });

  test('in which a holder gives a task back at once is accepted: its slot is lost, and nobody waits for its lease', () => {
    expect(
      rulesBroken('0 wanted #1\n1 taken #1 a 1\n1 returned #1 a 1\n3.9 file #1 b 2', { until: 5 * MINUTE }),
    ).toEqual([]);
    expect(
      rulesBroken('0 wanted #1\n1 taken #1 a 1\n1 returned #1 a 1\n4.1 file #1 b 2', { until: 5 * MINUTE }),
    ).toEqual(['without an owner']);
  });

  test('in which nobody takes a task while there is no database is accepted', () => {
    const history = '0 wanted #1\n4 file #1 a 1';
    const rules = { until: 5 * MINUTE, leaseMs: 60 * MINUTE };
    expect(rulesBroken(history, rules)).toEqual(['without an owner']);
    const away = (from: number, to: number) => ({ ...rules, outages: [{ from: from * MINUTE, to: to * MINUTE }] });
    expect(rulesBroken(history, away(1, 3))).toEqual([]);
    expect(rulesBroken(history, away(3.5, 9))).toEqual(['without an owner']);
  });

  test('in which a lease is over early, as an experiment wants it, is accepted', () => {
    const early = GOOD.replace('9 lapsed #2', '8.5 expired #2\n9 lapsed #2').replace(
      '4 renewed #2 b 1',
      '5 renewed #2 b 1',
    );
    expect(rulesBroken(early)).toEqual([]);
    expect(rulesBroken(early.replace('8.5 expired #2\n', ''))).toEqual(['single owner']);
  });

  test('in which a task is forgotten by who had it begins anew', () => {
    const anew = '0 wanted #1\n1 file #1 a 3\n1.5 ended #1 a 3\n2 file #1 b 1\n3 finished #1 b 1';
    expect(rulesBroken(anew)).toEqual([]);
    expect(rulesBroken(anew.replace('ended', 'returned'))).toEqual(['twice']);
    expect(rulesBroken(anew.replace('ended #1 a', 'ended #1 b'))).toContain('single owner');
  });

  test('in which a finished task is wanted once more, or one by force, is accepted', () => {
    const again = `${GOOD}\n16 wanted #1\n17 file #1 b 2\n20 finished #1 b 2`;
    expect(ownershipViolations(history(again), RULES)).toEqual([]);
  });
});
