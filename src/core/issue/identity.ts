// What an issue is, whatever it is called: the server it is on, and its id there. Names and numbers change hands when a
// repository is renamed, or deleted and made again; two servers have the same ids.

import type { Config } from '../config/config.ts';

// The last answer: a pass asks for each of thousands of candidates, and always about the same address.
let known: { readonly url: string; readonly server: string } | undefined;

/** The server at an address: host, port and path in lower case, whatever the protocol. `git.example.com/gitea` */
export function serverOf(url: string): string {
  if (known?.url === url) return known.server;
  const { host, pathname } = new URL(url);
  const server = `${host}${pathname}`.toLowerCase().replace(/\/+$/u, '');
  known = { url, server };
  return server;
}

/** What a server is called now: one that was reached at another address before is the same all the same. */
export function presentName(config: Pick<Config, 'url' | 'formerUrls'>): (server: string) => string {
  const former = new Set(config.formerUrls.map((url) => serverOf(url)));
  return (server) => (former.has(server) ? serverOf(config.url) : server);
}

/** Names an issue for an agent: `git.example.com#7:hans`. */
export function taskKey(server: string, issueId: number, agent: string): string {
  return `${server}#${issueId}:${agent}`;
}
