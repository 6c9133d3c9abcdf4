import type { Examined } from '../commands/doctor-store.ts';
import type { Config } from '../core/config/config.ts';
import { EXIT, UserError } from '../core/errors.ts';
import type { Overview } from '../core/store/overview.ts';
import type { Store } from '../core/store/store.ts';
import type { StoreConfig } from '../core/store/store-config.ts';
import { type Address, hostName, readAddress } from '../io/store/address.ts';
import { fileStore } from '../io/store/files.ts';
import { readPauses, removePause } from '../io/state/pauses.ts';
import { ticks } from '../io/uptime.ts';
import { readInstance } from '../io/store/instance.ts';
import type { Options, SharedStore } from '#store';
import { lazily, now, tried, type World } from './world.ts';

type Needed = Pick<Config, 'stateDirectory' | 'historyKeepMs' | 'store'>;

/**
 * What is one over all machines: the files of this one, or the database that is configured, opened when it is first asked. A pause
 * that was written before there was a store holds all the same, here, until it is taken back or brought there.
 */
export function storeFor(world: World, config: Needed, mayWrite: boolean): Store {
  if (config.store === null) return fileStore(config.stateDirectory);
  // Root may read it, and the owner of the office perhaps not.
  const address = tried(() => readAddress(configured(config), world.environment));
  let wasAsked = false;
  const open = lazily(async () => {
    wasAsked = true;
    const { openStore } = await import('#store');
    return openStore(optionsFrom(config, address(), mayWrite));
  });
  const { stateDirectory } = config;
  const self = hostName(config.store);
  // Whoever looks reads it here, and needs no database.
  const keep = async (overview: Overview): Promise<void> => {
    const [{ machinesOf }, { writeMachines }] = await Promise.all([
      import('../core/store/machines.ts'),
      import('../io/state/machines.ts'),
    ]);
    writeMachines(stateDirectory, machinesOf(overview, self, now()), overview.pauses);
  };
  return {
    meet: async (report, isDry) => {
      const meeting = await (await open()).meet(report, isDry);
      return { ...meeting, pauses: [...meeting.pauses, ...readPauses(stateDirectory)] };
    },
    offer: async (offer) => (await open()).offer(offer),
    decline: async (key, why, ms) => (await open()).decline(key, why, ms),
    claim: async (claim) => (await open()).claim(claim),
    leave: async (parting) => {
      const overview = await (await open()).leave(parting);
      if (overview) await keep(overview);
      return overview;
    },
    share: async (lines, after, isAgain) => (await open()).share(lines, after, isAgain),
    pauses: async () => [...(await (await open()).pauses()), ...readPauses(stateDirectory)],
    pause: async (pause) => {
      const store = await open();
      await store.pause(pause);
      await keep(await store.overview());
    },
    resume: async (agent) => {
      const store = await open();
      const wasThere = await store.resume(agent);
      await keep(await store.overview());
      return removePause(stateDirectory, agent) || wasThere;
    },
    close: async () => {
      // What could not be opened need not be closed.
      if (wasAsked)
        await open().then(
          async (store) => store.close(),
          () => {},
        );
    },
  };
}

/** The shared store. Throws exit 78 when none is configured, or it cannot be used; 75 when it cannot be reached. */
export async function openShared(world: World, config: Needed, mayWrite: boolean): Promise<SharedStore> {
  const { openStore } = await import('#store');
  return openStore(optionsFor(world, config, mayWrite));
}

/** What the shared store is opened with. Throws exit 78 when none is configured, or its address cannot be had. */
export function optionsFor(world: World, config: Needed, mayWrite: boolean): Options {
  return optionsFrom(config, readAddress(configured(config), world.environment), mayWrite);
}

function optionsFrom(config: Needed, { value }: Address, mayWrite: boolean): Options {
  const store = configured(config);
  return {
    address: value,
    caFile: store.caFile,
    schema: store.schema,
    host: hostName(store),
    instance: readInstance(config.stateDirectory, mayWrite),
    leaseMs: store.leaseMs,
    listedForAllMs: LISTED_FOR_ALL_MS,
    keepMs: config.historyKeepMs,
    ticks,
  };
}

/** Machines whose timers go off together ask Gitea once. */
const LISTED_FOR_ALL_MS = 20_000;

function configured({ store }: Needed): StoreConfig {
  if (store !== null) return store;
  throw new UserError('no store is configured: this machine works alone, with files', {
    exitCode: EXIT.invalid,
    code: 'store_not_configured',
    hint: 'for several machines, put into the configuration: store: { urlFile: /etc/dispatcher/store-url }',
  });
}

/** What `doctor` wants to know of it. Throws what is wrong with it. */
export async function examineStore(world: World, config: Needed): Promise<Examined> {
  const store = configured(config);
  const { source, warning } = readAddress(store, world.environment);
  const shared = await openShared(world, config, false);
  try {
    const { serverTime, ...found } = await shared.examine();
    const overview = await shared.overview();
    return { source, warning, ...found, clockAhead: now() - serverTime, host: hostName(store), overview };
  } finally {
    await shared.close();
  }
}
