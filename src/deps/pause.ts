import type { PauseDeps } from '../commands/pause.ts';
import { actAsOwner } from '../io/acting.ts';
import { loadConfig } from '../io/config-file.ts';
import { storeFor } from './store.ts';
import { type GlobalOptions, logOf, now, type World } from './world.ts';

/** The real dependencies of `pause` and `resume`. */
export function pauseDeps(world: World, options: GlobalOptions): PauseDeps {
  const config = loadConfig(options.config, world);
  // Root may read its address, and the owner of the office perhaps not.
  const store = storeFor(world, config, false);
  actAsOwner(config);
  return {
    config,
    now,
    user: world.environment['SUDO_USER'] || world.environment['USER'] || null,
    store,
    log: logOf(world, config, options),
    print: world.stdout.write,
  };
}
