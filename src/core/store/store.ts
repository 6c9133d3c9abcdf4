// What must be one over all machines that work for one office: the slots, who decides, who has which task, the pauses. Two things
// can be it: the files of the one machine, and a database that several machines share. This is all that a pass needs of either.

import type { Issue } from '../issue/issue.ts';
import type { Priority } from '../issue/priority.ts';
import type { Whereabouts } from '../mailbox/place.ts';
import type { Overview } from './overview.ts';
import type { Pause } from '../state/pause.ts';

/** What a machine has in its hands: the attempt at which it got a task. Who comes with an older one has lost it. */
export interface Lease {
  readonly attempt: number;
}

/** Which task it is. */
interface TaskName {
  readonly key: string;
  readonly server: string;
  readonly issueId: number;
  readonly repository: string;
  readonly number: number;
  readonly agent: string;
}

/** A task of which this machine remembers the file. */
export interface Holding extends TaskName {
  /** `gone`: its agent deleted the file. */
  readonly stage: Whereabouts;
  /** Null: it was dispatched before there were several machines. */
  readonly lease: Lease | null;
  /** How often it was dispatched since it was last archived or forced. */
  readonly dispatches: number;
  readonly file: string;
}

/** What the machines must know of an agent of another one. */
export interface AgentTerms {
  readonly maxTasks: number | null;
  /** Lower-cased; null: it takes all. */
  readonly labels: readonly string[] | null;
  readonly rateLimitMs: number | null;
  /** Its folder cannot be used on that machine: nothing is offered to it there. */
  readonly isUnusable?: boolean | undefined;
}

/** What a machine tells the others when its pass begins. */
export interface Report {
  readonly version: string;
  /** By lower-cased login. Null: every assignee is an agent here. */
  readonly agents: Readonly<Record<string, AgentTerms>> | null;
  /** Null: nobody knows, the state was lost; then nothing is given up. */
  readonly holdings: readonly Holding[] | null;
  /** How long ago the last file appeared here, in milliseconds; null: not since this machine was started. */
  readonly lastFileAgo: number | null;
  /** How far apart two task files are to be, by its configuration. Milliseconds. */
  readonly rateLimitMs: number;
  /** What this machine would list: machines that list the same can do it for each other. */
  readonly scope: string;
}

/** A task that another machine has, or that is on its way to one. */
export interface TaskElsewhere {
  readonly host: string;
  readonly agent: string;
  readonly stage: Whereabouts;
}

/** When the last file under a limit appeared: what its window is counted from. */
interface Window {
  /** Empty: of all; else as `ownLimits` names it. */
  readonly scope: string;
  /** How long ago that was at the moment of the meeting, in milliseconds. */
  readonly lastAgo: number;
  /** Which task's file it was; null: nobody knows. */
  readonly ref: string | null;
}

/** A task that was chosen for an agent of this machine. */
export interface Offer {
  readonly key: string;
  readonly agent: string;
  readonly issue: Issue;
}

/** What a machine learns from the others when its pass begins. */
export interface Meeting {
  /** Whether this pass lists and decides for all; else it takes what it is offered. */
  readonly isDecider: boolean;
  /** Null: what this machine remembers itself is all there is. */
  readonly windows: readonly Window[] | null;
  /** The longest `rateLimit` of the other machines that live, which holds for all, in milliseconds; 0: there is none. */
  readonly longestLimitMs: number;
  readonly pauses: readonly Pause[];
  /** What people should know of the store, in words. */
  readonly warnings: readonly string[];
  /** What the tasks of this machine are held by, where it did not know. */
  readonly leases: ReadonlyMap<string, Lease>;
  /** Tasks that this machine lost: it did not come for too long. The words say to whom. */
  readonly lost: ReadonlyMap<string, string>;
  readonly offers: readonly Offer[];
  /** What is offered to other machines alone. */
  readonly offersElsewhere: readonly Offer[];
  /** Whether anything is offered to anybody. */
  readonly isOffering: boolean;
  readonly elsewhere: ReadonlyMap<string, TaskElsewhere>;
  /** How often others dispatched what nobody has any more, by its key. */
  readonly attempts: ReadonlyMap<string, number>;
  /** The agents of the other machines that live. Null: one of them takes every assignee for an agent. */
  readonly agentsElsewhere: ReadonlyMap<string, AgentTerms> | null;
  /** Those of them that have a machine which came a moment ago and can use their folder: it can take what it is offered. Null: any. */
  readonly agentsPresent: ReadonlySet<string> | null;
  /** Why candidates wait that another machine could not take, by their key. */
  readonly declined: ReadonlyMap<string, string>;
  /** What was declined before, and may be offered again: since when, in milliseconds, by its key. */
  readonly dueAgain: ReadonlyMap<string, number>;
  /** Why nothing at all is offered to agents of other machines for a while: they did not take what they were offered lately. */
  readonly passedOver: ReadonlyMap<string, string>;
  /** A text that is another one when any of this that a choice looks at is. */
  readonly stamp: string;
}

/** What is about to go to an agent of this machine. */
export interface Claim extends TaskName {
  readonly title: string;
  readonly priority: Priority;
  readonly file: string;
  /** This one among them, wherever it went before. */
  readonly attempts: number;
  /** The limits that it is under, the one for all (with an empty scope) among them. */
  readonly limits: readonly { readonly scope: string; readonly ms: number }[];
  /** By hand with `--force`: limits, pauses, and another machine that has it, do not hold it up. */
  readonly isForced: boolean;
}

/** The answer to a claim. */
export type Claimed =
  | {
      readonly kind: 'granted';
      /** Null: nobody else could have it. */
      readonly lease: Lease | null;
      /** False: so much time has passed since that the file must not appear any more. To be asked at the very last moment. */
      readonly mayAppear: () => boolean;
      /** To be told when the file is there: the windows count from then. */
      readonly appeared: () => Promise<void>;
      /** To be told when it did not appear. The slot is lost, the task is not. */
      readonly withdrawn: () => Promise<void>;
    }
  /** Why not, in words; `opensIn`: only because of a slot, which opens in so many milliseconds. */
  | { readonly kind: 'refused'; readonly why: string; readonly opensIn: number | null };

/** What a machine leaves when its pass ends. */
interface Parting {
  /** How the pass went, as `last-pass.json` has it. */
  readonly lastPass: unknown;
  /** What it decided; null: it did not, or as before. */
  readonly decision: unknown;
  /** Whether it listed, so that the others need not at once, and what. */
  readonly hasListed: boolean;
  readonly scope: string;
}

/** What happened on other machines. */
export interface Shared {
  readonly lines: readonly string[];
  readonly last: number;
}

/** What is one over all machines. Everything but `close` throws exit 75 when it cannot be reached, and 78 when it cannot be used. */
export interface Store {
  /** Begins a pass. `report` is asked for where there may be others to tell. `isDry`: only looks. */
  readonly meet: (report: () => Report, isDry: boolean) => Promise<Meeting>;
  /** Offers a task to the machines of its agent, in place of what is offered now. Null: nothing. */
  readonly offer: (offer: (Offer & Pick<Claim, 'server' | 'priority'>) | null) => Promise<void>;
  /** Says why an offer was not taken, and that it is not to be made again for so long. */
  readonly decline: (key: string, why: string, ms: number) => Promise<void>;
  /** Takes the slot and the task in one step. */
  readonly claim: (claim: Claim) => Promise<Claimed>;
  /** Ends a pass; answers what there is to see of all machines, or null: there is one. */
  readonly leave: (parting: Parting) => Promise<Overview | null>;
  /**
   * Tells the others what happened here, line by line; answers what they told since line `after`, and which line is the last.
   * `isAgain`: the lines, or some of them, may have been told before.
   */
  readonly share: (lines: readonly string[], after: number, isAgain: boolean) => Promise<Shared>;
  readonly pauses: () => Promise<readonly Pause[]>;
  readonly pause: (pause: Pause) => Promise<void>;
  /** False when there was none. */
  readonly resume: (agent: string | null) => Promise<boolean>;
  /** Never throws. */
  readonly close: () => Promise<void>;
}
