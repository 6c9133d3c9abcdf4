import type { FullIssue } from '../../core/issue/issue.ts';
import type { GiteaClient } from './client.ts';
import { badAnswer } from './outage.ts';
import { parseFullIssue } from './wire.ts';
import { lastAssignment } from './wire-context.ts';

/**
 * One issue as it is now, with its comments and what blocks it; null when there is none of that number (or the token
 * may not see it). Throws exit 75 when an answer cannot be used.
 */
export async function readFullIssue(
  client: GiteaClient,
  { repository, number }: At,
  serverUrl: string,
): Promise<FullIssue | null> {
  const path = pathOf({ repository, number });
  const issue = await client(path);
  // First the issue alone: asking for the comments of a missing one makes Gitea answer 500.
  if (issue.status !== 200) return null;
  const [comments, blockers] = await Promise.all([client(`${path}/comments`), readBlockers(client, path)]);
  const full = parseFullIssue(
    { issue: issue.body, comments: comments.status === 200 ? listOf(comments.body, path) : [], blockers },
    repository,
    serverUrl,
  );
  if (!full) throw badAnswer(`Gitea sent an unreadable issue for ${repository}#${number}`);
  return full;
}

/** The same without comments and blockers, in one request. */
export async function peekIssue(client: GiteaClient, at: At, serverUrl: string): Promise<FullIssue | null> {
  const issue = await client(pathOf(at));
  if (issue.status !== 200) return null;
  const full = parseFullIssue({ issue: issue.body, comments: [], blockers: [] }, at.repository, serverUrl);
  if (!full) throw badAnswer(`Gitea sent an unreadable issue for ${at.repository}#${at.number}`);
  return full;
}

/** Who assigned the issue to that login last, as its timeline tells; null when it does not. */
export async function readAssigner(client: GiteaClient, at: At, login: string): Promise<string | null> {
  const path = `${pathOf(at)}/timeline`;
  const answer = await client(path);
  if (answer.status !== 200) return null;
  return lastAssignment(listOf(answer.body, path), login)?.by ?? null;
}

interface At {
  readonly repository: string;
  readonly number: number;
}

/** The path of an issue. */
export function pathOf({ repository, number }: At): string {
  return `${repositoryPath(repository)}/issues/${number}`;
}

/** The path of a repository. */
export function repositoryPath(repository: string): string {
  return `/repos/${repository.split('/').map(encodeURIComponent).join('/')}`;
}

const PAGE_SIZE = 50;
const MAX_PAGES = 10;

// 404: the server is older than 1.20, or the repository has dependencies switched off.
async function readBlockers(client: GiteaClient, path: string): Promise<readonly unknown[]> {
  const blockers: unknown[] = [];
  for (let page = 1; page <= MAX_PAGES; page += 1) {
    const answer = await client(`${path}/dependencies?limit=${PAGE_SIZE}&page=${page}`);
    const items = answer.status === 200 ? listOf(answer.body, path) : [];
    blockers.push(...items);
    if (items.length === 0 || (answer.status === 200 && blockers.length >= (answer.totalCount ?? Infinity))) break;
  }
  return blockers;
}

/** The elements of a list; Gitea sends null for some empty ones. Throws exit 75 for anything else. */
export function listOf(body: unknown, path: string): readonly unknown[] {
  if (body === null) return [];
  if (Array.isArray(body)) return body;
  throw badAnswer(`Gitea sent something other than a list for ${path}`);
}
