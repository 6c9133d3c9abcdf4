// What is wrong with a list of servers although each of them is well-formed.

import { serverOf } from '../issue/identity.ts';
import type { ConfigProblem } from './cross-check.ts';
import type { RawConfig } from './schema.ts';
import { splitServer } from './servers.ts';

/** Whether a configuration has more than one server. */
export function isSeveral(gitea: RawConfig['gitea']): boolean {
  return Array.isArray(gitea) && gitea.length > 1;
}

/** Names and addresses that stand twice, and names of servers that there are not. */
export function serverProblems(raw: RawConfig): readonly ConfigProblem[] {
  const { gitea } = raw;
  const list = Array.isArray(gitea) ? gitea : [];
  const problems: ConfigProblem[] = [];
  const byName = new Map<string, number>();
  const byAddress = new Map<string, number>();
  for (const [index, { name, url, formerUrls = [] }] of list.entries()) {
    const namesake = byName.get(name);
    if (namesake === undefined) byName.set(name, index);
    else problems.push({ path: ['gitea', index, 'name'], message: `is the name of gitea[${namesake}] as well` });
    for (const [at, address] of [url, ...formerUrls].entries()) {
      const other = byAddress.get(serverOf(address)) ?? index;
      const path = ['gitea', index, ...(at === 0 ? ['url'] : ['formerUrls', at - 1])];
      if (other === index) byAddress.set(serverOf(address), index);
      else problems.push({ path, message: `is the server of gitea[${other}]: what is on it belongs into one entry` });
    }
  }
  return [...problems, ...strayNames(raw, isSeveral(gitea) ? [...byName.keys()] : [])];
}

// Settings of repositories may say of which server.
function strayNames({ instructions, rateLimits }: RawConfig, names: readonly string[]): readonly ConfigProblem[] {
  const settings = [
    { path: ['instructions', 'repositories'], keys: instructions?.repositories },
    { path: ['rateLimits', 'repositories'], keys: rateLimits?.repositories },
  ];
  return settings.flatMap(({ path, keys = {} }) =>
    Object.keys(keys).flatMap((key) => {
      const { server } = splitServer(key);
      if (server === null || names.includes(server)) return [];
      const known = names.length > 0 ? `they are called ${names.join(', ')}` : 'there is only one';
      return [{ path: [...path, key], message: `names a server ${server}, and ${known}` }];
    }),
  );
}
