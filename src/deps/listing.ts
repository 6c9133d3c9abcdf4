import { createHash } from 'node:crypto';
import type { Config } from '../core/config/config.ts';
import { bareName, nameOn, type Server, splitServer } from '../core/config/servers.ts';
import { UserError } from '../core/errors.ts';
import { joined, type Part } from '../core/listing/joined.ts';
import type { Listing, ListingMode } from '../core/listing/listing.ts';
import { scopesOf } from '../core/listing/scope.ts';
import type { GiteaClient } from '../io/gitea/client.ts';
import type { ListingOptions } from '../io/gitea/listing.ts';
import type { Token } from '../io/token.ts';
import { giteaClient, withProgress } from './gitea.ts';
import { type GlobalOptions, now, type World } from './world.ts';

/** A listing ends within this time, whatever a scope does: the rest of the pass is for what is dispatched. */
const LISTING_BUDGET_MS = 20_000;
/** A long one goes on in the next pass after this time. */
const LONG_MS = 15_000;

/** Lists the open issues of a configuration, of all servers at once. */
export function issueLister(
  world: World,
  config: Config,
  options: GlobalOptions,
  tokenOf: (server: Server) => Token,
): (mode: ListingMode, watched?: readonly string[]) => Promise<Listing> {
  const { servers } = config;
  const caches = cachesOf(config, tokenOf);
  return async (mode, watched = []) =>
    withProgress(world, async (progress) => {
      const list = async (server: Server, ofServer: readonly string[]): Promise<Listing> => {
        const { listOpenIssues } = await import('../io/gitea/listing.ts');
        const began = now();
        const client = await giteaClient(world, server, options, tokenOf(server), began + LISTING_BUDGET_MS);
        return listOpenIssues(client, server, {
          ...(progress && { progress: (name, ...counts) => progress(nameOn(server.name, name), ...counts) }),
          watched: ofServer,
          hasTime: () => now() - began < LONG_MS,
          ...(await caches(server, mode)),
        });
      };
      if (servers.length === 1) return list(servers[0], watched);
      return joined(
        await Promise.all(
          servers.map(async (server): Promise<Part> => {
            const name = server.name ?? '';
            const ofServer = watched.filter((repository) => splitServer(repository).server === name).map(bareName);
            try {
              return { server: name, listing: await list(server, ofServer) };
            } catch (error) {
              if (!(error instanceof UserError) || world.interrupted.aborted) throw error;
              return { server: name, error };
            }
          }),
        ),
      );
    });
}

// What is remembered of each scope, under the server, its token and the name of the scope.
function cachesOf({ servers, stateDirectory }: Config, tokenOf: (server: Server) => Token) {
  const identityOf = (server: Server, name: string): string =>
    [server.url, createHash('sha256').update(tokenOf(server).value).digest('hex'), name].join('\n');
  return async (server: Server, mode: ListingMode): Promise<Pick<ListingOptions, 'cacheOf' | 'forget'>> => {
    const { forgetOtherScopes, openScopeCache, unsavedScope } = await import('../io/state/listing-cache.ts');
    return {
      cacheOf: ({ name }) => {
        if (mode === 'all') return unsavedScope();
        const cache = openScopeCache(stateDirectory, identityOf(server, name), server.name);
        return mode === 'keep' ? cache : { ...cache, save: () => {} };
      },
      forget: () => {
        if (mode !== 'keep') return;
        try {
          const known = servers.flatMap((each) =>
            scopesOf(each.repositories).map(({ name }) => identityOf(each, name)),
          );
          forgetOtherScopes(stateDirectory, known);
        } catch (error) {
          // Of a server without a token nobody knows what is its own: nothing is forgotten then.
          if (!(error instanceof UserError)) throw error;
        }
      },
    };
  };
}

/** Every open issue of the configured repositories, unassigned ones too, from the beginning. */
export async function listAll(
  client: GiteaClient,
  server: Pick<Server, 'repositories' | 'url'>,
): Promise<Pick<Listing, 'issues' | 'warnings'>> {
  const [{ listOpenIssues }, { unsavedScope }] = await Promise.all([
    import('../io/gitea/listing.ts'),
    import('../io/state/listing-cache.ts'),
  ]);
  return listOpenIssues(client, server, { cacheOf: unsavedScope });
}
