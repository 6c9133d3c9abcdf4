import type { Comment, FullIssue } from '../../core/issue/issue.ts';
import type { GiteaClient } from './client.ts';
import { allItems, listOf } from './items.ts';
import { badAnswer } from './outage.ts';
import { issuePath } from './paths.ts';
import { parseComment, parseFullIssue } from './wire.ts';
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
  const path = issuePath({ repository, number });
  const issue = await client(path);
  // First the issue alone: asking for the comments of a missing one makes Gitea answer 500.
  if (issue.status !== 200) return null;
  const [comments, blockers] = await Promise.all([
    client(`${path}/comments`),
    // None (404) where the server is older than 1.20, or the repository has dependencies switched off.
    allItems(client, `${path}/dependencies`),
  ]);
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
  const issue = await client(issuePath(at));
  if (issue.status !== 200) return null;
  const full = parseFullIssue({ issue: issue.body, comments: [], blockers: [] }, at.repository, serverUrl);
  if (!full) throw badAnswer(`Gitea sent an unreadable issue for ${at.repository}#${at.number}`);
  return full;
}

/** Who assigned the issue to that login last, as its timeline tells; null when it does not. */
export async function readAssigner(client: GiteaClient, at: At, login: string): Promise<string | null> {
  const path = `${issuePath(at)}/timeline`;
  const answer = await client(path);
  if (answer.status !== 200) return null;
  return lastAssignment(listOf(answer.body, path), login)?.by ?? null;
}

/** The comments of an issue or pull request that is there, the oldest first; `url`: where people read it. */
export async function readComments(client: GiteaClient, at: At, url: string, serverUrl: string): Promise<Comment[]> {
  const path = `${issuePath(at)}/comments`;
  const answer = await client(path);
  return (answer.status === 200 ? listOf(answer.body, path) : [])
    .flatMap((comment) => parseComment(comment, url, serverUrl))
    .toSorted((a, b) => a.createdAt - b.createdAt);
}

interface At {
  readonly repository: string;
  readonly number: number;
}
