import type { ReportDeps } from '../commands/report.ts';
import { loadConfig } from '../io/config-file.ts';
import { readPast } from '../io/state/past.ts';
import { type GlobalOptions, now, type World } from './world.ts';

/** The real dependencies of `report`: local files only. Throws when the configuration cannot be had. */
export function reportDeps(world: World, options: GlobalOptions): ReportDeps {
  const config = loadConfig(options.config, world);
  return {
    config,
    now,
    readPast: () => readPast(config.stateDirectory),
    environment: world.environment,
    stdout: world.stdout,
  };
}
