import type { Pause } from '../../src/core/state/pause.ts';
import type { Candidate } from '../../src/core/issue/candidate.ts';
import { candidateFor } from '../../src/core/issue/candidate.ts';
import type { Config } from '../../src/core/config/config.ts';
import type { Server } from '../../src/core/config/servers.ts';
import type { DispatchRecord } from '../../src/core/state/dispatch-record.ts';
import type { Facts } from '../../src/core/issue/eligibility.ts';
import { NO_CONTEXT } from '../../src/core/issue/context.ts';
import type { Comment, FullIssue, Issue } from '../../src/core/issue/issue.ts';
import type { Stall, Taken } from '../../src/core/mailbox/claim.ts';
import { type Snapshot, snapshotOf } from '../../src/core/health/snapshot.ts';
import type { RestRecord, RowRecord } from '../../src/core/state/decision-record.ts';
import { NO_PASSES, type PassHistory, type PassRecord } from '../../src/core/state/last-pass.ts';
import { fileTask, type TaskFile } from '../../src/core/task/status.ts';
import type { DispatchFacts } from '../../src/core/task/document.ts';
import { taskKey } from '../../src/core/issue/identity.ts';
import { visibleMarkdown } from '../../src/core/task/visible/markdown.ts';
import type { TrackedTask } from '../../src/core/task/tracked.ts';

/** Noon of an ordinary day, in epoch milliseconds. */
export const NOON = Date.UTC(2026, 3, 9, 12);
export const MINUTE = 60_000;
/** The server of the configuration below, and what names an issue of it for an agent. */
export const SERVER = 'git.example.com';
export const keyOf = (issueId: number, agent = 'hans'): string => taskKey(SERVER, issueId, agent);

/** An issue of acme/app assigned to hans; name only what the test is about. */
export const anIssue = (overrides: Partial<Issue> = {}): Issue => ({
  id: overrides.number ?? 1,
  repository: 'acme/app',
  number: 1,
  title: 'Silent database errors',
  labels: [],
  author: 'alice',
  assignees: ['hans'],
  createdAt: NOON - 60 * MINUTE,
  updatedAt: NOON - 30 * MINUTE,
  ...overrides,
});

/** The same with everything an agent needs. */
export const aFullIssue = (overrides: Partial<FullIssue> = {}): FullIssue => ({
  ...anIssue(overrides),
  state: 'open',
  isPullRequest: false,
  url: 'https://git.example.com/acme/app/issues/1',
  body: 'Errors vanish.',
  branch: null,
  milestone: null,
  due: null,
  comments: [],
  attachments: [],
  blockers: [],
  ...overrides,
});

/** Bob's comment. */
export const aComment = (overrides: Partial<Comment> = {}): Comment => ({
  author: 'bob',
  createdAt: NOON - 20 * MINUTE,
  url: 'https://git.example.com/acme/app/issues/1#issuecomment-1',
  body: 'It happens at night.',
  editedAt: null,
  attachments: [],
  ...overrides,
});

/** What is remembered of acme/app#1, dispatched once to hans. */
export const aTrackedTask = (overrides: Partial<TrackedTask> = {}): TrackedTask => ({
  server: SERVER,
  issueId: 1,
  repository: 'acme/app',
  number: 1,
  agent: 'hans',
  file: '/srv/acme/.agent-tasks/hans/issue-1.md',
  dispatches: 1,
  attempt: 1,
  isAssigned: true,
  seen: null,
  updates: 0,
  receipt: 'none',
  receiptComment: null,
  receiptShows: null,
  progress: null,
  waitsFor: null,
  hook: null,
  pulls: [],
  offerAgain: null,
  arePullsStale: false,
  ...overrides,
});

const APP = [{ owner: 'acme', name: 'app' }];

/** The only server. */
export const aServer = (overrides: Partial<Server> = {}): Server => ({
  name: null,
  url: `https://${SERVER}`,
  formerUrls: [],
  repositories: APP,
  tokenFile: null,
  caFile: null,
  ...overrides,
});

/** A configuration with nothing but defaults. */
export const aConfig = (overrides: Partial<Config> = {}): Config => ({
  file: null,
  servers: [aServer({ repositories: overrides.repositories ?? APP })],
  repositories: APP,
  workspace: '/srv/acme',
  agents: null,
  agentLabels: new Map(),
  instructions: { agents: new Map(), repositories: new Map(), labels: new Map() },
  tasksDirectory: '/srv/acme/.agent-tasks',
  taskFile: 'issue-{number}.md',
  template: null,
  rateLimitMs: MINUTE,
  rateLimits: { agents: new Map(), repositories: new Map() },
  priorityLabels: new Map(),
  holdLabels: [],
  logFile: '/srv/acme/.agent-dispatcher.log',
  logFormat: 'text',
  stateDirectory: '/srv/acme/.agent-dispatcher',
  store: null,
  historyKeepMs: 90 * 24 * 60 * MINUTE,
  dashboard: { host: '127.0.0.1', port: 8098, auth: null, allowedHosts: [] },
  monitor: { pingUrl: null, metricsFile: null, office: '/srv/acme' },
  stalledAfterMs: 24 * 60 * MINUTE,
  updates: { enabled: true, ignoreAuthors: [], reopen: true, pullRequests: true },
  trust: { authors: null, commenters: null, assigners: null },
  context: { timeline: true, repository: true, references: 5, blocks: true, lastAttempt: true },
  receipt: { reaction: null, label: null, comment: false },
  attachments: null,
  onDispatch: null,
  ...overrides,
});

/** An empty task folder, nothing held back, no pause. */
export const someFacts = (overrides: Partial<Facts> = {}): Facts => ({
  config: aConfig(),
  trouble: () => null,
  existing: () => null,
  tracked: () => undefined,
  openTasks: () => 0,
  lastOf: () => null,
  heldBack: new Map(),
  pauses: [],
  ...overrides,
});

/** The candidate for an issue and its first assignee. */
export const aCandidate = (overrides: Partial<Issue> = {}): Candidate => {
  const issue = anIssue(overrides);
  return candidateFor(issue, issue.assignees[0] ?? 'hans', aConfig());
};

/** The facts of a dispatch by the timer at noon. */
export const aDispatch = (overrides: Partial<DispatchFacts> = {}): DispatchFacts => ({
  at: NOON,
  trigger: 'timer',
  attempt: 1,
  marker: 'k7Qd',
  serverUrl: 'https://git.example.com',
  version: '1.0.0',
  markdown: visibleMarkdown,
  isTrusted: () => true,
  instructions: [],
  context: NO_CONTEXT,
  lastEnd: null,
  sha256: (text) => `sha-${text.length}`,
  handBack: 'mv -n a b',
  ...overrides,
});

/** Ana's order that nobody gets anything. */
export const aPause = (overrides: Partial<Pause> = {}): Pause => ({
  agent: null,
  at: iso(NOON - 60 * MINUTE),
  by: 'ana',
  reason: 'release freeze',
  until: null,
  ...overrides,
});

/** RFC 3339. */
export const iso = (at: number): string => new Date(at).toISOString();

/** A candidate's row as the last pass recorded it: acme/app#7 is next for hans. */
export const aRow = (overrides: Partial<RowRecord> = {}): RowRecord => ({
  key: keyOf(7),
  ref: 'acme/app#7',
  issue: 7,
  repository: 'acme/app',
  title: 'Retry webhooks on 5xx',
  agent: 'hans',
  priority: 'HIGH',
  prioritySource: 'label:Priority/High',
  outcome: 'next',
  reason: null,
  detail: null,
  file: '/srv/acme/.agent-tasks/hans/issue-7.md',
  createdAt: iso(NOON - 180 * MINUTE),
  ...overrides,
});

/** What of hans's backlog was left out of the rows: 4,800 that wait. */
export const aRest = (overrides: Partial<RestRecord> = {}): RestRecord => ({
  agent: 'hans',
  priority: 'NORMAL',
  outcome: 'waiting',
  reason: null,
  count: 4800,
  oldest: { ref: 'acme/app#201', createdAt: iso(NOON - 30 * MINUTE) },
  ...overrides,
});

/** A line of the journal: acme/app#2 went to hans at noon. */
export const aDispatchRecord = (overrides: Partial<DispatchRecord> = {}): DispatchRecord => ({
  at: iso(NOON),
  ref: 'acme/app#2',
  issueId: 2,
  agent: 'hans',
  title: 'silent DB errors',
  priority: 'CRITICAL',
  prioritySource: 'title',
  trigger: 'timer',
  attempt: 1,
  file: '/srv/acme/.agent-tasks/hans/issue-2.md',
  lifted: [],
  contentHash: 'abc',
  ...overrides,
});

/** A pass that ended 39 s before noon and dispatched acme/app#2. */
export const aPass = (overrides: Partial<PassRecord> = {}): PassRecord => ({
  startedAt: iso(NOON - 40_000),
  finishedAt: iso(NOON - 39_000),
  outcome: 'dispatched',
  ref: 'acme/app#2',
  error: null,
  warnings: [],
  rows: [aRow()],
  rest: [],
  ...overrides,
});

/** A task file of hans, by default that of acme/app#2. */
export const aTaskFile = (
  fields: Record<string, unknown> = {
    ref: 'acme/app#2',
    issue: 2,
    title: 'silent DB errors',
    priority: 'CRITICAL',
    dispatchedAt: iso(NOON - 39_000),
    createdAt: iso(NOON - MINUTE),
  },
  done = false,
): TaskFile => ({
  agent: 'hans',
  taken: null,
  task: fileTask(
    `/srv/acme/.agent-tasks/hans/${done ? 'done/' : ''}issue-${String(fields['issue'])}.md`,
    done ? 'done' : 'new',
    new Map(Object.entries(fields)),
  ),
});

/** What `status` shows at noon for a state after a good pass, some task files, and some agents. */
export const aSnapshot = (
  state: Partial<PassHistory>,
  files: readonly TaskFile[] = [],
  agents: readonly string[] = ['hans'],
  pauses: readonly Pause[] = [],
  stallOf: (taken: Taken) => Stall | null = () => null,
): Snapshot =>
  snapshotOf(
    {
      config: aConfig({
        agents: new Map(agents.map((name) => [name, { maxTasks: null, template: null, attempts: 3 }])),
      }),
      version: '1.0.0',
      pauses,
      state: { ...NO_PASSES, lastSuccessAt: state.lastPass?.finishedAt ?? null, ...state },
      files,
      stallOf,
      dispatches: [],
      midnight: NOON - 12 * 60 * MINUTE,
      warnings: [],
    },
    NOON,
  );
