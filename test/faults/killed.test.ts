// Killed anywhere: SIGKILL at every system call of a pass that can change or tell anything, by strace's fault injection.
// What it reads in between changes nothing: being killed there is being killed at the call before.

import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import type { Workspace } from '../support/command.ts';
import { brokenAfterwards, conclude, office, type Point, pointsOf, together, traced } from './experiment.ts';

const canTrace = spawnSync('strace', ['-qq', '-e', 'trace=none', 'true']).status === 0;

/** What a pass does to the disk, to other processes and to the network. */
const CALLS = 'mkdir,openat,write,pwrite64,fsync,link,rename,unlink,flock,connect,sendto,writev';

interface Kind {
  readonly kind: string;
  readonly args: readonly string[];
  /** Puts an office into the situation in which the command is killed. */
  readonly arrange: (at: Workspace) => Promise<void>;
  readonly forced: boolean;
}

const KINDS: readonly Kind[] = [
  { kind: 'a dispatching pass', args: [], arrange: async () => {}, forced: false },
  {
    kind: 'a quiet pass that archives',
    args: [],
    arrange: async (at) => {
      await at.run([]);
      await at.run([]);
      at.gitea.editIssue('acme/app#1', { state: 'closed' });
    },
    forced: false,
  },
  {
    kind: 'a forced dispatch that replaces a file',
    args: ['dispatch', '--issue', '1', '--force'],
    arrange: async (at) => void (await at.run([])),
    forced: true,
  },
];

// Skipped where no process may look at another one, as in most containers.
describe.skipIf(!canTrace)('killed anywhere', () => {
  test.for(KINDS)('$kind', async ({ kind, args, arrange, forced }, context) => {
    const whole = await office();
    await arrange(whole);
    const { calls } = await traced(whole, args, CALLS, null);
    const points = pointsOf(whole, calls);
    const deeds = points.flatMap(({ deed }) => deed ?? []);
    const interrupted = new Set<string | null>();
    let kills = 0;
    const killedAt = async ({ name, nth }: Point): Promise<readonly string[]> => {
      const at = await office();
      await arrange(at);
      const killed = await traced(at, args, CALLS, `${name}:signal=KILL:when=${nth}`);
      const last = pointsOf(at, killed.calls).at(-1);
      if (killed.code === null) {
        kills += 1;
        interrupted.add(last?.deed ?? null);
      }
      const broken = await brokenAfterwards(at, [killed], { allowed: ['trace'], forced });
      return broken.map((what) => `killed at ${last?.call.slice(0, 80)}: ${what}`);
    };
    const found = [...(await together(points.toReversed(), killedAt, 6))];
    // What Node writes for itself, to wake its threads, is not the same in each run and shifts the count.
    for (const shift of [-1, 1, 0, -2, 2, 0, -3, 3, 0, -4, 4, 0, -5, 5, 0, -6, 6]) {
      if (found.length > 0) break;
      const missed = points.filter(({ deed, nth }) => deed !== null && !interrupted.has(deed) && nth + shift > 0);
      const shifted = missed.map((point) => ({ ...point, nth: point.nth + shift }));
      found.push(...(await together(shifted, killedAt, 6)));
    }
    conclude(context, `killed at every call: ${kind}`, kills, found);
    expect(deeds.filter((deed) => !interrupted.has(deed))).toEqual([]);
    expect(deeds.length).toBeGreaterThan(20);
  });
});
