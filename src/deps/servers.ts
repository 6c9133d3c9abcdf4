// The servers of a configuration, each asked with its own token and by its own names. Behind this, what several have is told
// apart by the server's name in front: `team:acme/app`.

import { bareName, type Server, serverAt, type Servers } from '../core/config/servers.ts';
import { EXIT, UserError } from '../core/errors.ts';
import { bareIssue, contextOn, fullIssueOn, pullsOn } from '../core/issue/on-server.ts';
import { cleanLine } from '../core/task/untrusted.ts';
import type { GiteaSlice } from '../pass/pass-deps.ts';

/** Something of each server, made when it is first asked for. */
export function ofEach<T>(servers: Servers, make: (server: Server) => T): (server: Server) => T {
  const made = new Map<Server, T>();
  return (server) => {
    const known = made.get(server);
    if (known !== undefined || !servers.includes(server)) return known ?? make(server);
    const fresh = make(server);
    made.set(server, fresh);
    return fresh;
  };
}

/** One slice of all servers: each question goes to the server that the repository in it is on. */
export function routed(servers: Servers, sliceOf: (server: Server) => GiteaSlice): GiteaSlice {
  if (servers.length === 1) return sliceOf(servers[0]);
  const named = ofEach(servers, (server) => onServer(server, sliceOf(server)));
  const at = ({ repository }: { readonly repository: string }): GiteaSlice => {
    const server = serverAt(servers, repository);
    if (server) return named(server);
    throw new UserError(`${cleanLine(repository, 200)} is on none of the configured servers`, {
      exitCode: EXIT.invalid,
      code: 'server_unknown',
      hint: `they are called: ${servers.map(({ name }) => name).join(', ')}`,
    });
  };
  return {
    readIssue: async (place) => at(place).readIssue(place),
    peekIssue: async (place) => at(place).peekIssue(place),
    readAssigner: async (place, login) => at(place).readAssigner(place, login),
    readRepository: async (place) => at(place).readRepository(place),
    readContext: async (issue, occasion) => at(issue).readContext(issue, occasion),
    readPullsOf: async (place, agent) => at(place).readPullsOf(place, agent),
    readPull: async (place, known) => at(place).readPull(place, known),
    leaveReceipt: async (receipt) => at(receipt).leaveReceipt(receipt),
    saveAttachments: async (issue, file) => at(issue).saveAttachments(issue, file),
  };
}

// Asked by the names that the server has, answered with ours.
function onServer({ name }: Server, slice: GiteaSlice): GiteaSlice {
  if (name === null) return slice;
  const bare = <T extends { readonly repository: string }>(place: T): T => ({
    ...place,
    repository: bareName(place.repository),
  });
  return {
    readIssue: async (place) => {
      const issue = await slice.readIssue(bare(place));
      return issue && fullIssueOn(name, issue);
    },
    peekIssue: async (place) => {
      const issue = await slice.peekIssue(bare(place));
      return issue && fullIssueOn(name, issue);
    },
    readAssigner: async (place, login) => slice.readAssigner(bare(place), login),
    readRepository: async (place) => slice.readRepository(bare(place)),
    readContext: async (issue, occasion) => contextOn(name, await slice.readContext(bareIssue(issue), occasion)),
    readPullsOf: async (place, agent) => pullsOn(name, await slice.readPullsOf(bare(place), agent)),
    readPull: async (place, known) => slice.readPull(bare(place), known),
    leaveReceipt: async (receipt) => slice.leaveReceipt(bare(receipt)),
    saveAttachments: async (issue, file) => slice.saveAttachments(bareIssue(issue), file),
  };
}
