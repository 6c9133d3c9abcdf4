// What the state remembers of a task from its dispatch until it is archived: enough to keep its file true without reading
// it, and without asking the server as long as nothing changed.

import * as z from 'zod/mini';
import type { Servers } from '../config/servers.ts';
import { issueKey, serversIn, serverWith, taskKey } from '../issue/identity.ts';
import type { Issue } from '../issue/issue.ts';
import type { Listing } from '../listing/listing.ts';
import { DispatchRecordSchema } from '../state/dispatch-record.ts';
import { STAGES } from '../mailbox/place.ts';

const SeenSchema = z.object({
  /** The issue's `updated_at` when it was read last. */
  updatedAt: z.string(),
  /** Short hashes of what people wrote. */
  title: z.string(),
  body: z.string(),
  labels: z.string(),
  milestone: z.string(),
  due: z.string(),
  comments: z.array(z.string()),
});

/** What of an issue is known to the agent. */
export type Seen = z.infer<typeof SeenSchema>;

const ProgressSchema = z.object({
  stage: z.enum(STAGES),
  /** When it was taken or handed back; null: nobody wrote that down. */
  at: z.nullable(z.string()),
});

/** How far its agent was with a task when a pass looked. */
export type SeenProgress = z.infer<typeof ProgressSchema>;

const WaitSchema = z.object({
  /** The issue's `updated_at` when it was read. Epoch milliseconds. */
  updatedAt: z.number(),
  /** The open issues that it may wait for: the listing shows those of `listed` as open, and cannot tell of the others. */
  listed: z.array(z.string()),
  others: z.array(z.string()),
});
const WatchedPullSchema = z.object({
  repository: z.string(),
  number: z.int(),
  /** Whether merging it closes the issue, or it is the agent's own. */
  isOurs: z.boolean(),
  /** False: it was closed when it was read last. What was told of it is remembered, in case it is opened again. */
  isOpen: z._default(z.boolean(), true),
  /** What was said until then is no news. */
  from: z.string(),
  /** Its `updated_at` when it was read last; null: it was not yet. */
  updatedAt: z.nullable(z.string()),
  /** The newest `updated_at` that a listing showed since; null: none. */
  movedAt: z.nullable(z.string()),
  /** When it is to be read; null: when it moves. */
  lookAt: z.nullable(z.string()),
  /** How often it was read since it moved. */
  looks: z.int(),
  /** The newest change of other pull requests of its repository that it was read for. */
  othersAt: z.nullable(z.string()),
  /** Short hashes of what was said, and of the checks of its last commit that failed. */
  said: z.array(z.string()),
  failed: z.array(z.string()),
  /** `suspected`: it could not be merged when it was read last, which may mean that the server had not tried. */
  conflict: z.enum(['none', 'suspected', 'told']),
});

/** A pull request that is watched for a task. */
export type WatchedPull = z.infer<typeof WatchedPullSchema>;

/** A task that is out, as the state file has it. */
export const TrackedTaskSchema = z.object({
  /** As `serverOf` names it. */
  server: z.string(),
  issueId: z.int(),
  repository: z.string(),
  number: z.int(),
  agent: z.string(),
  /** Absolute path at which it was dispatched. */
  file: z.string(),
  /** How often it was dispatched since it was last archived or forced: more than once when its file was deleted. */
  dispatches: z.int(),
  /** The attempt that its task file names. */
  attempt: z.int(),
  /** False when it was forced on an agent that the issue is not assigned to. */
  isAssigned: z.boolean(),
  /** Null: nobody knows yet what the agent was told. */
  seen: z.nullable(SeenSchema),
  /** Files with news that were written beside it. */
  updates: z.int(),
  /** `due`: what is to be left on the issue is not there yet. */
  receipt: z.enum(['none', 'due', 'left']),
  /** The comment that was left, to be edited and never repeated. */
  receiptComment: z.nullable(z.int()),
  /** What that comment says; null: nobody knows. */
  receiptShows: z._default(
    z.nullable(z.object({ dispatchedAt: z.nullable(z.string()), progress: z.nullable(ProgressSchema) })),
    null,
  ),
  /** Null: no pass has looked yet. */
  progress: z._default(z.nullable(ProgressSchema), null),
  /** Why it is to be offered again, as it could not be when that was told; null: it is not. */
  offerAgain: z._default(z.nullable(z.string()), null),
  /** What a blocked one waits for; null: it was not read for that. */
  waitsFor: z._default(z.nullable(WaitSchema), null),
  /** The dispatch that `onDispatch` has not been told of yet. */
  hook: z.nullable(DispatchRecordSchema),
  /** The pull requests that close its issue, or name it. */
  pulls: z._default(z.array(WatchedPullSchema), []),
  /** Whether the issue moved since it was looked which ones those are. */
  arePullsStale: z._default(z.boolean(), true),
  /** What it is held by at the store of several machines; missing where there is one. */
  lease: z.optional(z.object({ attempt: z.int() })),
});
export type TrackedTask = z.infer<typeof TrackedTaskSchema>;

/** Tasks by candidate key. */
export type TrackedTasks = Readonly<Record<string, TrackedTask>>;

/** A deleted task file is dispatched again so many times; then the task is held. */
export const MOST_REPEATS = 3;

/** How often a task was dispatched again because its file was deleted. */
export function repeatsOf(task: TrackedTask | undefined): number {
  return task === undefined ? 0 : task.dispatches - 1;
}

/**
 * The keys of tasks whose issue may be closed or no longer assigned: it is not on the list, or not with this agent. Being
 * absent proves nothing (rows vanish while pages are read), so each is a question to ask.
 */
export function suspectsOf(tasks: TrackedTasks, config: OfServers, listing: Issues): readonly string[] {
  const listed = listedOf(tasks, config, listing);
  const known = serversIn(config);
  return Object.entries(tasks).flatMap(([key, task]) => {
    const { server } = task;
    if (!known.has(server)) return [];
    const issue = listed.get(issueKey(server, task.issueId));
    const isWith = issue?.assignees.some((login) => taskKey(server, issue.id, login.toLowerCase()) === key) ?? false;
    return isWith || (!task.isAssigned && issue) ? [] : [key];
  });
}

/** The listed issue of a task. */
export function issueIn(config: OfServers, { issues }: Issues, { server, issueId }: TrackedTask): Issue | undefined {
  return issues.find(({ id, repository }) => id === issueId && serverWith(config, repository) === server);
}

type Issues = Pick<Listing, 'issues' | 'find'>;
interface OfServers {
  readonly servers: Servers;
}

/** Of the listed issues those of these tasks, by `issueKey`. */
export function listedOf(tasks: TrackedTasks, config: OfServers, listing: Issues): ReadonlyMap<string, Issue> {
  const ids = new Set(Object.values(tasks).map(({ issueId }) => issueId));
  if (ids.size === 0) return new Map();
  const found = listing.find?.(ids) ?? listing.issues.filter(({ id }) => ids.has(id));
  return new Map(found.map((issue) => [issueKey(serverWith(config, issue.repository), issue.id), issue]));
}
