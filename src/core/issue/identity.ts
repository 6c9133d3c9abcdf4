// What an issue is, whatever it is called: the server it is on, and its id there. Names and numbers change hands when a
// repository is renamed, or deleted and made again; two servers have the same ids.

/** The server at an address: host, port and path in lower case, whatever the protocol. `git.example.com/gitea` */
export function serverOf(url: string): string {
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`.toLowerCase().replace(/\/+$/u, '');
}

/** Names an issue for an agent: `git.example.com#7:hans`. */
export function taskKey(server: string, issueId: number, agent: string): string {
  return `${server}#${issueId}:${agent}`;
}
