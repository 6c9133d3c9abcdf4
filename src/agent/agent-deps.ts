import type { Instant } from '../core/clock.ts';
import type { ProcessId, Processes } from '../core/mailbox/claim.ts';
import type { Mailbox } from '../io/tasks/mailbox.ts';
import type { TaskText } from '../io/tasks/read-task.ts';

/** What the agent's side needs of the outside worlds: the agent's own folder, and nothing of Gitea. */
export interface AgentDeps {
  readonly mailbox: Mailbox;
  readonly tasksDirectory: string;
  /** After so long a task that is taken is stalled, whatever its taker says. */
  readonly stalledAfterMs: number;
  /** So many failed runs, and the task is blocked. */
  readonly attempts: number;
  readonly processes: Processes;
  /** Who runs this. */
  readonly user: string;
  /** What `done`, `block` and `release` mean when nothing is named: the task in `$DISPATCHER_FILE`. */
  readonly currentFile: string | undefined;
  /** Follows the clock when it is set, and over suspended time: what is written beside a task others compare with theirs. */
  readonly now: () => Instant;
  /** Milliseconds that run on evenly, from some beginning: for waiting. */
  readonly ticks: () => number;
  /** A word that no other claim has. */
  readonly randomWord: () => string;
  /** A process of this machine by its number; null: there is none. */
  readonly processOf: (pid: number) => ProcessId | null;
  /** The text of a file of the mailbox, by its path there; null: it cannot be had. */
  readonly read: (path: string) => TaskText | null;
  /** The path below the mailbox of a path that somebody typed; null: it lies elsewhere. */
  readonly below: (path: string) => string | null;
  /** Ends when something in the mailbox may have changed, after that time, or when it is interrupted. */
  readonly waitForChange: (ms: number) => Promise<void>;
  readonly isInterrupted: () => boolean;
  /** What was asked for. */
  readonly print: (text: string) => void;
  /** What is good to know, for a person. */
  readonly say: (line: string) => void;
}
