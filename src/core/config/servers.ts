// The servers of a configuration: one in most offices. Where there are several, each has a name, and what is on it is called
// `team:acme/app` and `team:acme/app#5`. No owner and no repository can hold a colon, so that the two never look alike.

import type { RepositoryPattern } from './patterns.ts';

/** A Gitea or Forgejo server. */
export interface Server {
  /** What references and paths begin with; null where it is the only one. */
  readonly name: string | null;
  readonly url: string;
  /** Addresses at which the same server was reached before. */
  readonly formerUrls: readonly string[];
  readonly repositories: readonly RepositoryPattern[];
  readonly tokenFile: string | null;
  /** Certificates of an authority of one's own. Null: those that Node knows. */
  readonly caFile: string | null;
}

/** In the order of the configuration. What was written when there was only one belongs to the first. */
export type Servers = readonly [Server, ...Server[]];

/** The name of a server and what is behind it: `team` and `acme/app#5` of `team:acme/app#5`; null: it names none. */
export function splitServer(name: string): { readonly server: string | null; readonly rest: string } {
  const colon = name.indexOf(':');
  return colon < 0
    ? { server: null, rest: name }
    : { server: name.slice(0, colon).toLowerCase(), rest: name.slice(colon + 1) };
}

/** What a repository, or an issue, is called on its own server: `acme/app` of `team:acme/app`. */
export function bareName(name: string): string {
  return splitServer(name).rest;
}

/** What a repository, or an issue, of a server is called here. */
export function nameOn(server: string | null, bare: string): string {
  return server === null ? bare : `${server}:${bare}`;
}

/** Whether what people typed means a repository: without a server it means one of that name on any. Names have no upper case. */
export function isNamedBy(typed: string, repository: string): boolean {
  const { server, rest } = splitServer(typed.toLowerCase());
  const { server: known, rest: name } = splitServer(repository.toLowerCase());
  return rest === name && (server === null || server === known);
}

/** The server that a repository is on; undefined: it names one that is not configured, or none where there are several. */
export function serverAt(servers: Servers, repository: string): Server | undefined {
  const { server: name } = splitServer(repository);
  return servers.find((server) => server.name === name);
}

/** The address of the server that a repository is on; of the first one when it is on none of them. */
export function addressOf(servers: Servers, repository: string): string {
  return (serverAt(servers, repository) ?? servers[0]).url;
}

/** How a setting of a server is called in messages: `gitea.tokenFile`, or `gitea[team].tokenFile`. */
export function settingName(server: string | null, key: string): string {
  return server === null ? `gitea.${key}` : `gitea[${server}].${key}`;
}

/** The systemd credential that holds a server's token. */
export function credentialName(server: string | null): string {
  return server === null ? 'gitea-token' : `gitea-token-${server}`;
}

/** The variable that holds a server's token: `GITEA_TOKEN`, or `GITEA_TOKEN_TEAM`. */
export function tokenVariable(server: string | null): string {
  return server === null ? 'GITEA_TOKEN' : `GITEA_TOKEN_${server.toUpperCase().replaceAll('-', '_')}`;
}
