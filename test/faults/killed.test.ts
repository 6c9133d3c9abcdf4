// Killed anywhere: SIGKILL at every system call of a pass that can change or tell anything, by strace's fault injection.
// What it reads in between changes nothing: being killed there is being killed at the call before.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Workspace } from '../support/command.ts';
import { brokenAfterwards, conclude, office, sampled, together } from './experiment.ts';
import { aimedAt, isChange, lookedAt, type Point, pointsOf, traced } from './trace.ts';

const canTrace = spawnSync('strace', ['-qq', '-e', 'trace=none', 'true']).status === 0;

/** What a pass does to the disk, to other processes and to the network. */
const CALLS = 'mkdir,openat,write,pwrite64,ftruncate,fsync,link,rename,unlink,clone,clone3,vfork,connect,sendto,writev';

interface Kind {
  readonly kind: string;
  readonly args: readonly string[];
  /** Puts an office into the situation in which the command is killed. */
  readonly arrange: (at: Workspace) => Promise<void>;
  readonly forced: boolean;
}

/** Adds to the configuration. */
const configure = (at: Workspace, more: string): void => at.write('dispatcher.yaml', at.read('dispatcher.yaml') + more);

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
  {
    kind: 'a pass that saves attachments',
    args: [],
    arrange: async (at) => {
      configure(at, 'attachments: { save: true }\n');
      const attachments = [
        { name: 'shot.png', size: 100_000 },
        { name: 'notes.md', size: 20 },
      ];
      at.gitea.editIssue('acme/app#1', { attachments });
    },
    forced: false,
  },
  {
    kind: 'a pass that starts onDispatch',
    args: [],
    arrange: async (at) => {
      const line = `echo "$DISPATCHER_DISPATCH" >> ${join(at.folder, 'told')}`;
      configure(at, `onDispatch: { command: [/bin/sh, -c, '${line}'] }\n`);
    },
    forced: false,
  },
];

/** What the program was told by now. Null: there is none. */
const toldIn = (at: Workspace): readonly string[] | null => {
  if (!at.read('dispatcher.yaml').includes('onDispatch')) return null;
  return existsSync(join(at.folder, 'told')) ? at.read('told').trim().split('\n') : [];
};

// Skipped where no process may look at another one, as in most containers.
describe.skipIf(!canTrace)('killed anywhere', () => {
  test.for(KINDS)('$kind', async ({ kind, args, arrange, forced }, context) => {
    const whole = await office();
    await arrange(whole);
    const { calls } = await traced(whole, args, CALLS);
    const all = pointsOf(whole, calls).filter((point) => isChange(point));
    const points = sampled(
      lookedAt(all),
      KINDS.findIndex((each) => each.kind === kind),
    );
    const deeds = points.flatMap(({ deed }) => deed ?? []);
    const interrupted = new Set<string | null>();
    let kills = 0;
    const killedAt = async (point: Point): Promise<readonly string[]> => {
      const at = await office();
      await arrange(at);
      const killed = await traced(at, args, CALLS, aimedAt(at, point, 'signal=KILL'));
      const last = pointsOf(at, killed.calls).at(-1);
      if (killed.code === null) {
        kills += 1;
        interrupted.add(last?.deed ?? null);
      }
      const broken = await brokenAfterwards(at, [killed], { allowed: ['trace', 'told'], forced, told: toldIn });
      return broken.map((what) => `killed at ${last?.call.slice(0, 80)}: ${what}`);
    };
    const found = [...(await together(points.toReversed(), killedAt, 6))];
    // What Node writes for itself, to wake its threads, is not the same in each run and shifts the count.
    for (const shift of [-2, 2, 0, -1, 1, 0, -3, 3, 0, -4, 4, 0, -5, 5, 0, -6, 6]) {
      const missed = points.filter(({ deed, nth }) => deed !== null && !interrupted.has(deed) && nth + shift > 0);
      if (found.length > 0 || missed.length === 0) break;
      const shifted = missed.map((point) => ({ ...point, nth: point.nth + shift }));
      found.push(...(await together(shifted, killedAt, 6)));
    }
    conclude(context, `killed at every call: ${kind}`, kills, found);
    expect(deeds.filter((deed) => !interrupted.has(deed))).toEqual([]);
    expect(all.length).toBeGreaterThan(40);
  });
});
