// Which file is the configuration. The first one that is found is all of it.

import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** The file of the configuration; null: there is none, and the environment tells. One that is named need not exist. */
export function configFile(explicit: string | undefined, environment: NodeJS.ProcessEnv, cwd: string): string | null {
  if (explicit !== undefined) return resolve(cwd, explicit);
  const named = environment['DISPATCHER_CONFIG'];
  if (named) return resolve(cwd, named);
  const home = environment['XDG_CONFIG_HOME'] || join(environment['HOME'] || homedir(), '.config');
  const places = [join(cwd, 'dispatcher.yaml'), join(home, 'dispatcher', 'config.yaml'), '/etc/dispatcher/config.yaml'];
  return places.find((place) => existsSync(place)) ?? null;
}
