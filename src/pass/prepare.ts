// From an issue that was read to a task that can be published. Values in, values out.

import type { Candidate } from '../core/issue/candidate.ts';
import { type Instant, toRfc3339 } from '../core/clock.ts';
import type { Config } from '../core/config/config.ts';
import { coversRepository } from '../core/config/patterns.ts';
import { addressOf } from '../core/config/servers.ts';
import { instructionsFor } from '../core/config/instructions.ts';
import { serverWith } from '../core/issue/identity.ts';
import type { IssueContext } from '../core/issue/context.ts';
import { type FullIssue, refOf } from '../core/issue/issue.ts';
import { moveCommand } from '../core/mailbox/place.ts';
import { type Reading, seenOf } from '../core/task/news.ts';
import { isReceipt } from '../core/task/receipt.ts';
import type { DispatchRecord } from '../core/state/dispatch-record.ts';
import { type DispatchFacts, type TaskData, taskData, taskFrontMatter, type Trigger } from '../core/task/document.ts';
import { parseFrontMatter } from '../core/task/front-matter.ts';
import type { Seen, TrackedTask } from '../core/task/tracked.ts';
import { watchedPulls } from '../core/task/watched-pull.ts';
import { cleanLine } from '../core/task/untrusted.ts';

/** A task that is rendered, and everything that will be recorded about it. */
export interface PreparedTask {
  readonly candidate: Candidate;
  readonly text: string;
  readonly record: DispatchRecord;
  /** What is remembered of it from its dispatch on. */
  readonly tracked: TrackedTask;
}

/** What a document needs besides the issue. */
export interface Occasion {
  /** When the file is to appear. */
  readonly at: Instant;
  readonly now: Instant;
  readonly trigger: Trigger;
  /** Gates that `--force` lifted. */
  readonly lifted: readonly string[];
  /** What is remembered of the dispatch before. */
  readonly before: TrackedTask | undefined;
  /** The highest attempt so far. */
  readonly attempts: number;
  /** Where the file will be. */
  readonly file: string;
  readonly marker: string;
  readonly version: string;
  readonly sha256: DispatchFacts['sha256'];
  /** What was looked up besides the issue. */
  readonly context: IssueContext;
  /** Works out what of a text its page shows. */
  readonly markdown: DispatchFacts['markdown'];
  readonly render: (data: TaskData) => string;
}

/** Whose comments the agents of a configuration are told. */
export function isTrustedFor({ trust: { commenters } }: Pick<Config, 'trust'>): DispatchFacts['isTrusted'] {
  return (login) => commenters?.includes(login.toLowerCase()) ?? true;
}

/** Renders the task file. Throws exit 78 when the template fails on this issue. */
export function prepareTask(config: Config, candidate: Candidate, issue: FullIssue, occasion: Occasion): PreparedTask {
  const { agent } = candidate;
  const { file, before, trigger } = occasion;
  const attempt = Math.max(occasion.attempts, before?.attempt ?? 0) + 1;
  const facts: DispatchFacts = {
    at: occasion.at,
    trigger,
    attempt,
    marker: occasion.marker,
    serverUrl: addressOf(config.servers, issue.repository),
    version: occasion.version,
    markdown: occasion.markdown,
    isTrusted: isTrustedFor(config),
    context: occasion.context,
    instructions: instructionsFor(config.instructions, agent, issue),
    lastEnd: attempt === 1 ? null : lastEnd(occasion),
    sha256: occasion.sha256,
    handBack: moveCommand(`${config.tasksDirectory}/${agent}`, file),
  };
  const isAssigned = issue.assignees.some((login) => login.toLowerCase() === agent);
  const frontMatter = taskFrontMatter(issue, candidate, facts);
  const record: DispatchRecord = {
    at: toRfc3339(occasion.at),
    server: serverWith(config, issue.repository),
    ref: refOf(issue),
    issueId: issue.id,
    agent,
    title: cleanLine(issue.title),
    priority: candidate.priority,
    prioritySource: cleanLine(candidate.source),
    trigger,
    attempt,
    file,
    isAssigned,
    lifted: [...occasion.lifted],
    contentHash: String(parseFrontMatter(frontMatter)?.get('contentHash')),
    waitingSince: toRfc3339(issue.createdAt),
  };
  return {
    candidate,
    text: `${frontMatter}\n${occasion.render(taskData(issue, candidate, facts))}`,
    record,
    tracked: trackedFor(config, issue, record, occasion),
  };
}

function lastEnd({ trigger, before }: Occasion): string {
  if (trigger === 'forced') return 'it is sent again by hand';
  return before ? 'its task file was deleted' : 'the issue was closed, or was not yours for a time';
}

// Of a task that nobody has touched yet.
const UNTOUCHED = { updates: 0, receiptShows: null, progress: { stage: 'new', at: null }, waitsFor: null } as const;

function trackedFor(config: Config, issue: FullIssue, record: DispatchRecord, occasion: Occasion): TrackedTask {
  const { before } = occasion;
  const { agent, trigger, attempt } = record;
  return {
    server: serverWith(config, issue.repository),
    issueId: issue.id,
    repository: issue.repository,
    number: issue.number,
    agent,
    file: occasion.file,
    dispatches: trigger === 'forced' ? 1 : (before?.dispatches ?? 0) + 1,
    attempt,
    isAssigned: record.isAssigned ?? true,
    seen: seenNow(issue, readingFor(config, agent, occasion.sha256), occasion.now),
    receipt: wantsReceipt(config) ? 'due' : 'none',
    receiptComment: before?.receiptComment ?? null,
    ...UNTOUCHED,
    hook: config.onDispatch ? record : null,
    pulls: watchedPulls([], occasion.context.pullRequests, watching(config, agent, occasion.at)),
    offerAgain: null,
    arePullsStale: false,
  };
}

/** Whether anything is to be left on the issues that are dispatched. */
export function wantsReceipt({ receipt: { reaction, label, comment } }: Pick<Config, 'receipt'>): boolean {
  return reaction !== null || label !== null || comment;
}

/** Whose words the agent of a task hears. */
export function readingFor(config: Config, agent: string, sha256: Reading['sha256']): Reading {
  const { updates, trust, receipt } = config;
  return {
    sha256,
    isHeard: ({ author, body }) => {
      const login = author.toLowerCase();
      if (login === agent || updates.ignoreAuthors.includes(login) || isReceipt(body)) return false;
      return trust.commenters?.includes(login) ?? true;
    },
    ownLabels: receipt.label === null ? [] : [receipt.label.toLowerCase()],
  };
}

/** Which pull requests are watched for an agent from a dispatch on: of configured repositories, by whoever is trusted. */
export function watching({ updates, trust, repositories }: Config, agent: string, from: Instant) {
  const isTrusted = (author: string): boolean => author === agent || (trust.commenters?.includes(author) ?? true);
  return {
    agent,
    from,
    // Not in the pass of the dispatch.
    lookAt: from + 60_000,
    isWanted: (repository: string, author: string): boolean =>
      updates.enabled && updates.pullRequests && coversRepository(repositories, repository) && isTrusted(author),
  };
}

/** `updated_at` has seconds: what was read within the same second may have changed after that. */
const SAME_SECOND_MS = 2000;

/** What the agent knows after reading the issue now; changes within this second are looked for once more. */
export function seenNow(issue: FullIssue, reading: Reading, now: Instant): Seen {
  const isFresh = now - issue.updatedAt < SAME_SECOND_MS;
  return { ...seenOf(issue, reading), updatedAt: toRfc3339(issue.updatedAt - (isFresh ? 1000 : 0)) };
}
