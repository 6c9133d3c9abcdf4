// What a server tells, as it is called here: where there are several, each name of a repository or an issue gets the name of the
// server in front. A server knows nothing of that, and neither does what asks it.

import { bareName, nameOn, serverAt, type Servers } from '../config/servers.ts';
import { type IssueContext, type Place, type PullRequest, referencesIn } from './context.ts';
import type { FullIssue, Issue } from './issue.ts';
import type { MovedPull } from './pull-feedback.ts';

/** An issue of a listing. */
export function issueOn(server: string, issue: Issue): Issue {
  return { ...issue, repository: nameOn(server, issue.repository) };
}

/** An issue with everything an agent needs. */
export function fullIssueOn(server: string, issue: FullIssue): FullIssue {
  return renamed(issue, (name) => nameOn(server, name));
}

/** The same as its own server calls it. */
export function bareIssue(issue: FullIssue): FullIssue {
  return renamed(issue, bareName);
}

function renamed(issue: FullIssue, rename: (name: string) => string): FullIssue {
  const blockers = issue.blockers.map((blocker) => ({
    ...blocker,
    ref: blocker.ref === null ? null : rename(blocker.ref),
  }));
  return { ...issue, repository: rename(issue.repository), blockers };
}

/** What was looked up about an issue. */
export function contextOn(server: string, context: IssueContext): IssueContext {
  const named = <T extends { readonly ref: string }>(all: readonly T[]): readonly T[] =>
    all.map((each) => ({ ...each, ref: nameOn(server, each.ref) }));
  return {
    ...context,
    pullRequests: named(context.pullRequests),
    references: named(context.references),
    waiting: named(context.waiting),
  };
}

/** Pull requests that name an issue. */
export function pullsOn(server: string, pulls: readonly PullRequest[]): readonly PullRequest[] {
  return pulls.map((pull) => ({ ...pull, ref: nameOn(server, pull.ref) }));
}

/** Pull requests that moved. */
export function movedOn(server: string, moved: readonly MovedPull[]): readonly MovedPull[] {
  return moved.map((pull) => ({ ...pull, repository: nameOn(server, pull.repository) }));
}

const PREFIXED =
  /(?<![\w./:-])([a-z][a-z0-9-]{0,30}):([A-Za-z0-9._-]{1,100}\/[A-Za-z0-9._-]{1,100})#(\d{1,9})(?![\w-])/gu;

/**
 * The issues that a text about an issue names: as its own server calls them, by their address, or where there are several servers
 * by the name of another one, as `home:acme/app#12`.
 */
export function referencesOn(servers: Servers, text: string, repository: string): readonly Place[] {
  const server = serverAt(servers, repository) ?? servers[0];
  if (server.name === null) return referencesIn(text, repository, server.url);
  const elsewhere: Place[] = [];
  const rest = text.replaceAll(PREFIXED, (whole, name: string, other: string, number: string) => {
    if (!servers.some((each) => each.name === name)) return whole;
    elsewhere.push({ repository: nameOn(name, other), number: Number(number) });
    return '';
  });
  const here = servers.flatMap(({ name, url }) => {
    const own = name === server.name ? rest : addressesIn(rest, url);
    return referencesIn(own, bareName(repository), url).map((place) => ({
      ...place,
      repository: nameOn(name, place.repository),
    }));
  });
  return [...here, ...elsewhere.filter(({ number }) => number > 0)];
}

// Of another server only addresses count: its numbers are named nowhere else.
function addressesIn(text: string, url: string): string {
  return text
    .split(/\s+/u)
    .filter((word) => word.includes(`${url}/`))
    .map((word) => word.slice(word.indexOf(`${url}/`)).replace(/#.*$/u, ''))
    .join(' ');
}
