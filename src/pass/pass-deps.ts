import type { Candidate } from '../core/issue/candidate.ts';
import type { Instant, Uptime } from '../core/clock.ts';
import type { Config } from '../core/config/config.ts';
import type { DispatchRecord } from '../core/state/dispatch-record.ts';
import type { Stage } from '../core/mailbox/place.ts';
import type { IssueContext, PullRequest, RepositoryFacts } from '../core/issue/context.ts';
import type { PullFeedback } from '../core/issue/pull-feedback.ts';
import type { FullIssue, Issue } from '../core/issue/issue.ts';
import type { Listing, ListingMode } from '../core/listing/listing.ts';
import type { Pause } from '../core/state/pause.ts';
import type { DispatchFacts, TaskData } from '../core/task/document.ts';
import type { Store } from '../core/store/store.ts';
import type { Monitors } from './tell-monitors.ts';
import type { Receipt, ReceiptLeft } from '../core/task/receipt.ts';
import type { TrackedTask } from '../core/task/tracked.ts';
import type { UpdateData } from '../core/task/update.ts';
import type { KnownPull } from '../io/gitea/pull-request.ts';
import type { TaskFolder } from '../io/tasks/folder.ts';
import type { Journal } from '../io/state/journal.ts';
import type { StateStore } from '../io/state/store.ts';
import type { TryingRecord } from '../io/state/trying.ts';
import type { LogEvent } from '../core/health/log-event.ts';

type At = Pick<Issue, 'repository' | 'number'>;

/** Gitea for a limited time: whatever is asked of it has ended when that is over. */
export interface GiteaSlice {
  /** Null: there is no such issue, or the token may not see it. */
  readonly readIssue: (at: At) => Promise<FullIssue | null>;
  /** The same as `readIssue`, without comments and blockers: one request. */
  readonly peekIssue: (at: At) => Promise<FullIssue | null>;
  /** Who assigned the issue to that login last; null when nobody knows. */
  readonly readAssigner: (at: At, login: string) => Promise<string | null>;
  /** What the server says of an issue's repository, as far as the token may see it. */
  readonly readRepository: (at: Pick<Issue, 'repository'>) => Promise<RepositoryFacts>;
  /** What else there is to know about an issue that goes to an agent, the so-manieth time. What cannot be had in time is left out. */
  readonly readContext: (
    issue: FullIssue,
    occasion: { readonly agent: string; readonly attempt: number; readonly repository: RepositoryFacts },
  ) => Promise<IssueContext>;
  /** The pull requests that name an issue which an agent has. */
  readonly readPullsOf: (at: At, agent: string) => Promise<readonly PullRequest[]>;
  /** A pull request with what is said of it since; null: there is none, or the token may not see it. */
  readonly readPull: (at: At, known: KnownPull) => Promise<PullFeedback | null>;
  /** Leaves the receipt on an issue. */
  readonly leaveReceipt: (receipt: Receipt) => Promise<ReceiptLeft>;
  /** Saves attachments beside a task file, as many as there is time for; answers where each one is, by its address. */
  readonly saveAttachments: (issue: FullIssue, file: string) => Promise<ReadonlyMap<string, string>>;
}

/** What a pass needs of the outside worlds. deps/ joins the real ones; tests pass literals. */
export interface DispatchDeps {
  readonly config: Config;
  readonly version: string;
  /** What started a pass: a timer, or a person. */
  readonly trigger: 'timer' | 'manual';
  /** Whether a person started it at a terminal (standard input is one). */
  readonly isTyped: boolean;
  /** Whether only news is to be told. */
  readonly isQuiet: boolean;
  readonly now: () => Instant;
  /** Null where the system does not tell. */
  readonly uptime: () => Uptime | null;
  /** Milliseconds until everything that this command asks of Gitea must be over. */
  readonly timeLeft: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** A fresh word that nobody can guess. */
  readonly randomWord: () => string;
  readonly sha256: DispatchFacts['sha256'];
  /** `watched`: repositories of which it is to be told which pull requests moved. */
  readonly listIssues: (mode: ListingMode, watched?: readonly string[]) => Promise<Listing>;
  /** Gitea, for so many milliseconds from now. */
  readonly gitea: (ms: number) => GiteaSlice;
  /** Runs `onDispatch`, for so many milliseconds at the most. Rejects when it did not end well. */
  readonly onDispatch: (record: DispatchRecord, ms: number) => Promise<void>;
  /** Works out what of a text its page shows. */
  readonly markdown: () => Promise<DispatchFacts['markdown']>;
  /** The renderer for an agent's tasks. Throws exit 78. */
  readonly template: (agent: string) => Promise<(data: TaskData) => string>;
  readonly tasks: Omit<TaskFolder, 'existing'> & {
    /** As the folder says; where there are several machines, theirs have their say as well, by the candidate's key. */
    readonly existing: (candidate: Candidate) => ReturnType<TaskFolder['existing']>;
    /** The template of news. Throws exit 78. */
    readonly updateTemplate: () => Promise<(data: UpdateData) => string>;
    /** Makes a task that is blocked or done new again, with what belongs to it and why; false when it could not be. */
    readonly reopen: (task: TrackedTask, from: Stage, why: string) => boolean;
    /** Leaves what agents must know of the configuration in the task folder. */
    readonly leaveSettings: () => void;
  };
  readonly state: StateStore & {
    /** Null: another command held the lock all the time. `note`: what had to be done to get it. */
    readonly lock: (
      waitSeconds: number,
    ) => Promise<{ readonly release: () => void; readonly note: string | null } | null>;
    /** Every pause on record. */
    readonly pauses: () => readonly Pause[];
  };
  /** What is one over all machines. */
  readonly store: Store;
  readonly trying: TryingRecord;
  readonly journal: Journal;
  /** Notes for the history what the files and the recorded state show. What goes wrong there is a warning. */
  readonly noteHistory: () => void;
  /** Exchanges with the other machines what happened; where there is one it does nothing. What goes wrong there is a warning. */
  readonly shareHistory: () => Promise<void>;
  readonly log: (event: LogEvent) => void;
  /** Whether a person at a terminal reads what is said (standard output is one). */
  readonly isWatched: boolean;
  /** One line for a person at a terminal; nobody else gets it. */
  readonly say: (line: string) => void;
  /** What to type for a command with this configuration. */
  readonly commandLine: (command: string) => string;
  readonly monitors: Monitors;
  /** Results that were asked for, such as a dry run's. */
  readonly print: (text: string) => void;
  /** Whether the user or the system has asked this command to stop. */
  readonly isInterrupted: () => boolean;
}
