// What an issue is, whatever it is called: the server it is on, and its id there. Names and numbers change hands when a
// repository is renamed, or deleted and made again; two servers have the same ids.

import { addressOf, type Servers } from '../config/servers.ts';

// A pass asks for each of thousands of candidates, and always about the same few addresses. What files say is asked as well.
const known = new Map<string, string>();
const MOST_KNOWN = 100;

/** The server at an address: host, port and path in lower case, whatever the protocol. `git.example.com/gitea` */
export function serverOf(url: string): string {
  const before = known.get(url);
  if (before !== undefined) return before;
  const { host, pathname } = new URL(url);
  const server = `${host}${pathname}`.toLowerCase().replace(/\/+$/u, '');
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(url, server);
  return server;
}

/** The server that a repository of the configuration is on. */
export function serverWith({ servers }: { readonly servers: Servers }, repository: string): string {
  return serverOf(addressOf(servers, repository));
}

/** All servers of the configuration. */
export function serversIn({ servers }: { readonly servers: Servers }): ReadonlySet<string> {
  return new Set(servers.map(({ url }) => serverOf(url)));
}

/** What a server is called now: one that was reached at another address before is the same all the same. */
export function presentName({ servers }: { readonly servers: Servers }): (server: string) => string {
  const former = new Map(
    servers.flatMap(({ url, formerUrls }) => formerUrls.map((each) => [serverOf(each), serverOf(url)] as const)),
  );
  return (server) => former.get(server) ?? server;
}

/** Names an issue: `git.example.com#7`. */
export function issueKey(server: string, issueId: number): string {
  return `${server}#${issueId}`;
}

/** Names an issue for an agent: `git.example.com#7:hans`. */
export function taskKey(server: string, issueId: number, agent: string): string {
  return `${issueKey(server, issueId)}:${agent}`;
}

/** The key of the issue that a candidate is about. */
export function issueKeyOf({ key, agent }: { readonly key: string; readonly agent: string }): string {
  return key.slice(0, -agent.length - 1);
}
