import type { StoreDeps } from '../commands/store.ts';
import type { Config } from '../core/config/config.ts';
import { machinesOf } from '../core/store/machines.ts';
import type { Overview } from '../core/store/overview.ts';
import type { DispatchDeps } from '../pass/pass-deps.ts';
import type { Movers } from '../pass/enter-store.ts';
import { actAsOwner } from '../io/acting.ts';
import { loadConfig } from '../io/config-file.ts';
import { readPauses, removePause, writePause } from '../io/state/pauses.ts';
import { terminalWidth } from '../views/terminal.ts';
import { dispatchDeps } from './dispatch.ts';
import { openShared, optionsFor } from './store.ts';
import { commandLine, type GlobalOptions, now, printer, type World } from './world.ts';

/** The real dependencies of `store init`, `migrate` and `status`. */
export function storeDeps(world: World, options: GlobalOptions): StoreDeps {
  const config = loadConfig(options.config, world);
  // Root may read the address, and the owner of the office perhaps not.
  const opening = optionsFor(world, config, false);
  return {
    schema: opening.schema,
    make: async () => (await import('#store')).makeStore(opening),
    machines: async () => machinesOf(await overviewOf(world, config), opening.host, now()),
    now,
    isTerminal: world.stdout.isTTY,
    width: terminalWidth(world),
    commandLine: commandLine(options),
    print: world.stdout.write,
    say: printer(world, options),
  };
}

/** The real dependencies of `store import` and `export`. */
export async function moverDeps(
  world: World,
  options: GlobalOptions,
): Promise<{ readonly deps: DispatchDeps; readonly movers: Movers }> {
  const config = loadConfig(options.config, world);
  const { host } = optionsFor(world, config, false);
  const { stateDirectory } = config;
  const deps = await dispatchDeps(world, options);
  actAsOwner(config);
  return {
    deps,
    movers: {
      host,
      filePauses: () => readPauses(stateDirectory),
      writeFilePause: (pause) => writePause(stateDirectory, pause),
      removeFilePause: (agent) => removePause(stateDirectory, agent),
      overview: async () => overviewOf(world, config),
    },
  };
}

async function overviewOf(world: World, config: Config): Promise<Overview> {
  const store = await openShared(world, config, false);
  try {
    return await store.overview();
  } finally {
    await store.close();
  }
}
