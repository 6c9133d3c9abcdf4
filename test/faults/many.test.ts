// Many at once: commands of every kind, started at the same instant.

import { expect, test } from 'vitest';
import { workspace } from '../support/command.ts';
import { violations } from '../support/invariants.ts';

const ROUNDS = Number(process.env['DISPATCHER_TEST_ROUNDS'] ?? 100);
const COMMANDS: readonly (readonly string[])[] = [
  [],
  [],
  [],
  ['dispatch', '--issue', '1'],
  ['dispatch', '--issue', '2'],
  ['dispatch', '--dry-run'],
  ['status'],
  ['status', '--json'],
  ['explain'],
  ['pause', '--agent', 'nobody'],
];
/** In every other round: what lifts the limit, over and over for the same issue. */
const FORCED: readonly (readonly string[])[] = [
  ...COMMANDS,
  ['dispatch', '--issue', '3', '--force'],
  ['dispatch', '--issue', '4', '--agent', 'hans', '--force'],
];
const AT_ONCE = 50;

test(`${AT_ONCE} commands at the same instant, ${ROUNDS} times`, async ({ task }) => {
  const found: string[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const at = await workspace();
    for (let number = 1; number <= 5; number += 1) {
      at.gitea.addIssue({ repository: 'acme/app', number, title: `Issue ${number}`, assignees: ['hans'] });
    }
    const isForced = round % 2 === 1;
    const commands = isForced ? FORCED : COMMANDS;
    const startedAt = Date.now();
    const all = await Promise.all(
      Array.from({ length: AT_ONCE }, async (_, index) => at.run(commands[(index + round) % commands.length] ?? [])),
    );
    const broken = violations(at, {
      allowed: [],
      // Force lifts the limit; each file must be whole, journalled, and kept all the same.
      rateLimitMs: isForced ? 0 : 60_000,
      startedAt,
      due: [],
      forced: isForced,
      told: null,
      outputs: all.flatMap(({ stdout, stderr }) => [stdout, stderr]),
    });
    found.push(...broken.map(({ invariant, what }) => `${invariant} in round ${round}: ${what}`));
    const dispatched = all.filter(({ stdout }) => stdout.includes('DISPATCHED')).length;
    const files = at.tasks().length;
    if (isForced ? files !== dispatched : files !== 1) {
      found.push(`I3 in round ${round}: ${files} files, ${dispatched} said DISPATCHED`);
    }
    // 5: refused by the limit; 75: another command kept the lock for too long. Nothing else may go wrong.
    const codes = [...new Set(all.map(({ code }) => code))].filter((code) => ![0, 5, 75].includes(code ?? -1));
    const said = all.find(({ code }) => codes.includes(code))?.stderr;
    if (codes.length > 0) found.push(`exit ${codes.join(', ')} in round ${round}: ${said}`);
  }
  task.meta.experiment = { name: `${AT_ONCE} commands at once`, cases: ROUNDS * AT_ONCE, violations: found.length };
  expect(found).toEqual([]);
});
