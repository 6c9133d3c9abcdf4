// Where things of the user's own lie. A user without an entry in the list of users, as containers start programs, has no such place.

import { homedir } from 'node:os';
import { join } from 'node:path';

/** The home folder of whoever runs this; null when neither `$HOME` nor the list of users tells one. */
export function homeFolder(environment: NodeJS.ProcessEnv): string | null {
  try {
    return environment['HOME'] || homedir();
  } catch {
    return null; // Node throws for a user that has no name
  }
}

/** The folder for configuration of the user's own; null: there is none. */
export function configHome(environment: NodeJS.ProcessEnv): string | null {
  const named = environment['XDG_CONFIG_HOME'];
  if (named) return named;
  const home = homeFolder(environment);
  return home === null ? null : join(home, '.config');
}
