import { createHash } from 'node:crypto';
import type { Config } from '../core/config/config.ts';
import type { Listing, ListingMode } from '../core/listing/listing.ts';
import type { GiteaClient } from '../io/gitea/client.ts';
import type { Token } from '../io/token.ts';
import { giteaClient, withProgress } from './gitea.ts';
import { type GlobalOptions, now, type World } from './world.ts';

/** A listing ends within this time, whatever a scope does: the rest of the pass is for what is dispatched. */
const LISTING_BUDGET_MS = 20_000;
/** A long one goes on in the next pass after this time. */
const LONG_MS = 15_000;

/** Lists the open issues of a configuration. */
export function issueLister(
  world: World,
  config: Config,
  options: GlobalOptions,
  readToken: () => Token,
): (mode: ListingMode, watched?: readonly string[]) => Promise<Listing> {
  return async (mode, watched = []) => {
    const [{ listOpenIssues }, { forgetOtherScopes, openScopeCache, unsavedScope }] = await Promise.all([
      import('../io/gitea/listing.ts'),
      import('../io/state/listing-cache.ts'),
    ]);
    const token = readToken();
    const began = now();
    const client = await giteaClient(world, config, options, token, began + LISTING_BUDGET_MS);
    const identityOf = (name: string): string =>
      [config.url, createHash('sha256').update(token.value).digest('hex'), name].join('\n');
    return withProgress(world, async (progress) =>
      listOpenIssues(client, config, {
        ...(progress ? { progress } : {}),
        watched,
        hasTime: () => now() - began < LONG_MS,
        cacheOf: ({ name }) => {
          if (mode === 'all') return unsavedScope();
          const cache = openScopeCache(config.stateDirectory, identityOf(name));
          return mode === 'keep' ? cache : { ...cache, save: () => {} };
        },
        forget: (names) => {
          if (mode === 'keep')
            forgetOtherScopes(
              config.stateDirectory,
              names.map((name) => identityOf(name)),
            );
        },
      }),
    );
  };
}

/** Every open issue of the configured repositories, unassigned ones too, from the beginning. */
export async function listAll(
  client: GiteaClient,
  config: Pick<Config, 'repositories' | 'url'>,
): Promise<Pick<Listing, 'issues' | 'warnings'>> {
  const [{ listOpenIssues }, { unsavedScope }] = await Promise.all([
    import('../io/gitea/listing.ts'),
    import('../io/state/listing-cache.ts'),
  ]);
  return listOpenIssues(client, config, { cacheOf: unsavedScope });
}
