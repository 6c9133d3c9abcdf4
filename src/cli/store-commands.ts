// The database that several machines share.

import type { Command } from 'commander';
import type { World } from '../deps/world.ts';
import type { Runner } from './runner.ts';

/** `store init`, `migrate`, `status`, `import`, `export`. */
export function addStore(program: Command, world: World, runs: Runner): void {
  const group = program
    .command('store')
    .helpCommand(false)
    .description('the PostgreSQL database that several machines of one office share');
  const makes = {
    init: 'makes its tables: once, from one machine',
    migrate: 'brings its tables to the form of this version',
  };
  for (const [name, description] of Object.entries(makes)) {
    group
      .command(name)
      .description(description)
      .action(
        runs(async (options) => {
          const [{ makeTables }, { storeDeps }] = await loaded();
          return makeTables(storeDeps(world, options));
        }),
      );
  }
  group
    .command('status')
    .description('the machines: when each was seen, who asked Gitea last, what each has')
    .option('--json', 'one JSON document (schemaVersion 1)')
    .action(
      runs(async (options) => {
        const [{ storeStatus }, { storeDeps }] = await loaded();
        return storeStatus(storeDeps(world, options), options);
      }),
    );
  const moves = {
    import: ['brings the tasks and pauses of this machine to it, none twice', 'importFiles'],
    export: ['brings back to the files what only the database knows', 'exportToFiles'],
  } as const;
  for (const [name, [description, act]] of Object.entries(moves)) {
    group
      .command(name)
      .description(description)
      .action(
        runs(async (options) => {
          const [moving, { moverDeps }] = await Promise.all([
            import('../pass/enter-store.ts'),
            import('../deps/store-command.ts'),
          ]);
          const { deps, movers } = await moverDeps(world, options);
          return moving[act](deps, movers);
        }),
      );
  }
}

async function loaded() {
  return Promise.all([import('../commands/store.ts'), import('../deps/store-command.ts')]);
}
