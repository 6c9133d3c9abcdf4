// What is looked up besides an issue that is about to go: at most eight requests, side by side. A part that cannot be read is
// a line in the file, and never a reason not to go.

import type { Config } from '../../core/config/config.ts';
import { coversRepository } from '../../core/config/patterns.ts';
import type { Server } from '../../core/config/servers.ts';
import { messageOf, UserError } from '../../core/errors.ts';
import {
  type IssueContext,
  NO_CONTEXT,
  type Place,
  type Reference,
  referencesIn,
  type RepositoryFacts,
  UNKNOWN_REPOSITORY,
} from '../../core/issue/context.ts';
import { type FullIssue, refOf } from '../../core/issue/issue.ts';
import { beginningOf } from '../../core/task/untrusted.ts';
import type { GiteaClient } from './client.ts';
import { peekIssue } from './full-issue.ts';
import { listOf } from './items.ts';
import { issuePath, repositoryPath } from './paths.ts';
import { lastReview, parseRepository, parseTimeline, parseWaiting } from './wire-context.ts';

const MOST_REQUESTS = 8;

/** What is known of an issue's repository, when the configuration asks for it: one request. Never throws for an answer. */
export async function readRepository(
  client: GiteaClient,
  { repository }: Pick<FullIssue, 'repository'>,
  { context }: Pick<Config, 'context'>,
): Promise<RepositoryFacts> {
  if (!context.repository) return UNKNOWN_REPOSITORY;
  try {
    const answer = await client(repositoryPath(repository));
    return answer.status === 200 ? parseRepository(answer.body) : UNKNOWN_REPOSITORY;
  } catch (error) {
    return { ...UNKNOWN_REPOSITORY, unread: reasonOf(error) };
  }
}

/** Looks up what the configuration asks for. `attempt`: above 1, the agent had this issue before. */
export async function readContext(
  client: GiteaClient,
  issue: FullIssue,
  {
    agent,
    attempt,
    repository,
  }: { readonly agent: string; readonly attempt: number; readonly repository: RepositoryFacts },
  { context, url, repositories }: Pick<Config, 'context'> & Pick<Server, 'url' | 'repositories'>,
): Promise<IssueContext> {
  const unread = repository.unread === null ? [] : [`the default branch: ${repository.unread}`];
  const soft = async <T>(what: string, read: () => Promise<T>, without: T): Promise<T> => {
    try {
      return await read();
    } catch (error) {
      unread.push(`${what}: ${reasonOf(error)}`);
      return without;
    }
  };
  const path = issuePath(issue);
  const wantsReview = context.lastAttempt && attempt > 1;
  const others = [context.timeline || wantsReview, context.repository, context.blocks, wantsReview].filter(
    Boolean,
  ).length;
  const places = namedIn(issue, url, repositories).slice(0, Math.min(context.references, MOST_REQUESTS - others));
  const timeline = async () => {
    if (!context.timeline && !wantsReview) return NO_CONTEXT;
    const answer = await client(`${path}/timeline`);
    return parseTimeline(answer.status === 200 ? listOf(answer.body, path) : [], agent, url);
  };
  const waiting = async (): Promise<IssueContext['waiting']> => {
    const answer = context.blocks ? await client(`${path}/blocks?limit=50`) : null;
    return answer?.status === 200 ? parseWaiting(listOf(answer.body, path), url) : [];
  };
  const [history, blocked, references] = await Promise.all([
    soft('what happened to the issue', timeline, NO_CONTEXT),
    soft('what waits for the issue', waiting, []),
    Promise.all(places.map(async (at) => soft(refOf(at), async () => reference(client, at, url), null))),
  ]);
  const own = wantsReview ? history.pullRequests.findLast(({ author }) => author.toLowerCase() === agent) : undefined;
  const review = own ? await soft(`the reviews of ${own.ref}`, async () => reviewOf(client, own.ref), null) : null;
  return {
    ...NO_CONTEXT,
    ...(context.timeline || wantsReview ? history : {}),
    defaultBranch: repository.defaultBranch,
    waiting: blocked,
    references: references.filter((each) => each !== null),
    review,
    // By name: which answer came first is nobody's business.
    unread: unread.toSorted(),
  };
}

// Only what the configuration covers: what somebody names must not bring the text of a private repository into a task.
function namedIn(issue: FullIssue, url: string, repositories: Server['repositories']): readonly Place[] {
  const text = [issue.body, ...issue.comments.map(({ body }) => body)].map(beginningOf).join('\n');
  const known = new Set(issue.blockers.map(({ ref }) => ref?.toLowerCase()));
  return referencesIn(beginningOf(text), issue.repository, url).filter(
    (place) =>
      coversRepository(repositories, place.repository) &&
      refOf(place).toLowerCase() !== refOf(issue).toLowerCase() &&
      !known.has(refOf(place).toLowerCase()),
  );
}

async function reference(client: GiteaClient, at: Place, url: string): Promise<Reference | null> {
  const issue = await peekIssue(client, at, url);
  // No such number: it was another kind of sign.
  if (!issue) return null;
  const { title, state, author, createdAt, body } = issue;
  return { ref: refOf(issue), title, state, author, createdAt, body, url: issue.url };
}

async function reviewOf(client: GiteaClient, ref: string) {
  const [repository = '', number] = ref.split('#');
  const path = `${repositoryPath(repository)}/pulls/${number}/reviews?limit=50`;
  const answer = await client(path);
  return answer.status === 200 ? lastReview(listOf(answer.body, path)) : null;
}

function reasonOf(error: unknown): string {
  if (error instanceof UserError && error.code === 'gitea_forbidden')
    return 'the token may not read it (read:repository)';
  return messageOf(error).slice(0, 300);
}
