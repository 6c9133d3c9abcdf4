// The listings of several servers as one. A server that cannot be read is away, and keeps back nobody else's issues.

import { bareName, nameOn, splitServer } from '../config/servers.ts';
import { errorRecord, EXIT, messageOf, UserError } from '../errors.ts';
import { issueOn, movedOn } from '../issue/on-server.ts';
import type { Listing } from './listing.ts';

/** What became of a server's listing. */
export type Part = { readonly server: string } & ({ readonly listing: Listing } | { readonly error: UserError });

/** One listing of all that were read. Throws when none was: what weighs most of why. */
export function joined(parts: readonly Part[]): Listing {
  const read = parts.flatMap((part) => ('listing' in part ? [part] : []));
  const away = parts.flatMap((part) => ('error' in part ? [part] : []));
  if (read.length === 0) throw failureOf(away);
  const listingOf = (repository: string): Listing | undefined => {
    const { server: name } = splitServer(repository);
    return read.find(({ server }) => server === name)?.listing;
  };
  return {
    get issues() {
      return read.flatMap(({ server, listing }) => listing.issues.map((issue) => issueOn(server, issue)));
    },
    find: (ids) =>
      read.flatMap(({ server, listing }) => {
        const found = listing.find?.(ids) ?? listing.issues.filter(({ id }) => ids.has(id));
        return found.map((issue) => issueOn(server, issue));
      }),
    warnings: [
      ...away.map(({ server, error }) => `${server} is away, the other servers go on: ${messageOf(error)}`),
      ...read.flatMap(({ server, listing }) => listing.warnings.map((warning) => `${server}: ${warning}`)),
    ],
    pulls: {
      moved: read.flatMap(({ server, listing }) => movedOn(server, listing.pulls?.moved ?? [])),
      isUntold: (repository) => listingOf(repository)?.pulls?.isUntold(bareName(repository)) ?? false,
    },
    isUnread: (repository) => listingOf(repository)?.isUnread(bareName(repository)) ?? true,
    isPartial: away.length > 0 || read.some(({ listing }) => listing.isPartial),
    stamp: stampOf(parts),
    answers: parts.map((part) => ({
      server: part.server,
      error: 'error' in part ? errorRecord(part.error) : null,
    })),
  };
}

function stampOf(parts: readonly Part[]): string | undefined {
  const stamps = parts.map((part) => ('listing' in part ? part.listing.stamp : 'away'));
  return stamps.includes(undefined) ? undefined : JSON.stringify(parts.map(({ server }, at) => [server, stamps[at]]));
}

function failureOf(away: readonly { readonly server: string; readonly error: UserError }[]): UserError {
  const errors = away.map(({ error }) => error);
  const error = errors.find(({ exitCode }) => exitCode === EXIT.token) ?? errors[0];
  const why = away.map(({ server, error: each }) => `${nameOn(server, ' ')}${messageOf(each)}`).join('; ');
  return new UserError(`none of the servers can be read: ${why}`, {
    exitCode: error?.exitCode ?? EXIT.unavailable,
    code: error?.code ?? 'gitea_unreachable',
    ...(error?.hint === undefined ? {} : { hint: error.hint }),
    cause: error,
  });
}
