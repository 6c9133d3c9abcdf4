// Commands that tell later passes something.

import type { Command } from 'commander';
import type { World } from '../deps/world.ts';
import { durationMs } from './arguments.ts';
import type { Runner } from './runner.ts';

/** `pause`, `resume`. */
export function addOrders(program: Command, world: World, runs: Runner): void {
  program
    .command('pause')
    .description('dispatch nothing, to anybody or to one agent, until resumed')
    .option('--agent <login>', 'only this agent')
    .option('--reason <text>', 'why; status and dashboard show it')
    .option('--for <duration>', 'end by itself after 30m, 2h, ...', durationMs)
    .action(
      runs(async (options) => {
        const [{ pause }, { pauseDeps }] = await Promise.all([
          import('../commands/pause.ts'),
          import('../deps/pause.ts'),
        ]);
        return pause(pauseDeps(world, options), options);
      }),
    );
  program
    .command('resume')
    .description('take back every pause, or that of one agent')
    .option('--agent <login>', 'only this agent')
    .action(
      runs(async (options) => {
        const [{ resume }, { pauseDeps }] = await Promise.all([
          import('../commands/pause.ts'),
          import('../deps/pause.ts'),
        ]);
        return resume(pauseDeps(world, options), options);
      }),
    );
}
