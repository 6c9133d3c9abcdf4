// Which file is the configuration. The first one that is found is all of it.

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { configHome } from './home.ts';

/** The file of the configuration; null: there is none, and the environment tells. One that is named need not exist. */
export function configFile(explicit: string | undefined, environment: NodeJS.ProcessEnv, cwd: string): string | null {
  if (explicit !== undefined) return resolve(cwd, explicit);
  const named = environment['DISPATCHER_CONFIG'];
  if (named) return resolve(cwd, named);
  const own = configHome(environment);
  const places = [
    join(cwd, 'dispatcher.yaml'),
    ...(own === null ? [] : [join(own, 'dispatcher', 'config.yaml')]),
    '/etc/dispatcher/config.yaml',
  ];
  return places.find((place) => existsSync(place)) ?? null;
}
