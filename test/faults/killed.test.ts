// Killed anywhere: SIGKILL at every system call of a pass that can change or tell anything, by strace's fault injection.
// What it reads in between changes nothing: being killed there is being killed at the call before.

import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import type { Workspace } from '../support/command.ts';
import { brokenAfterwards, conclude, office, pointsOf, together, traced } from './experiment.ts';

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
    const points = pointsOf(calls);
    let kills = 0;
    const found = await together(
      points,
      async ({ call, name, nth }) => {
        const at = await office();
        await arrange(at);
        const killed = await traced(at, args, CALLS, `${name}:signal=KILL:when=${nth}`);
        // Node does not make quite the same calls each time: the last ones of a kind may not come.
        if (killed.code === null) kills += 1;
        const broken = await brokenAfterwards(at, [killed], { allowed: ['trace'], forced });
        return broken.map((what) => `killed at ${call.slice(0, 80)}: ${what}`);
      },
      6,
    );
    conclude(context, `killed at every call: ${kind}`, kills, found);
    expect(kills).toBeGreaterThan(points.length * 0.75);
  });
});
