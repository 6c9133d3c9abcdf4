// All machines of an office, as one look at the store shows them. Ages are milliseconds, by the clock of the database.

import * as z from 'zod/mini';
import type { Whereabouts } from '../mailbox/place.ts';
import type { Pause } from '../state/pause.ts';

/** How the last pass of a machine went, as that one told it. */
export const PassSchema = z.object({
  finishedAt: z.string(),
  outcome: z.enum(['dispatched', 'idle', 'failed']),
  ref: z.nullable(z.string()),
  error: z.nullable(z.object({ code: z.string(), message: z.string() })),
});

/** A task that a machine has. */
interface HeldTask {
  readonly ref: string;
  readonly agent: string;
  readonly title: string;
  readonly priority: string;
  readonly stage: Whereabouts;
  readonly attempt: number;
  readonly age: number;
}

/** A machine as the others see it. */
export interface HostView {
  readonly name: string;
  readonly version: string;
  /** Null: every assignee is an agent there. */
  readonly agents: readonly string[] | null;
  readonly seenAgo: number;
  /** It has not come for longer than the lease: what is new or taken there goes to others. */
  readonly isLost: boolean;
  /** When it asked Gitea last; null: never. */
  readonly listedAgo: number | null;
  readonly lastPass: z.infer<typeof PassSchema> | null;
  /** What its agents have in hand. */
  readonly tasks: readonly HeldTask[];
  /** How many they handed back as done, while the issue is still open. */
  readonly done: number;
}

/** All of them, and what holds for all. */
export interface Overview {
  /** Who asked Gitea last. */
  readonly poller: string | null;
  readonly slot: { readonly ref: string | null; readonly lastAgo: number } | null;
  readonly pauses: readonly Pause[];
  /** What was decided last, as `candidates.json` has it, and by whom. */
  readonly decision: unknown;
  readonly decidedBy: string | null;
  readonly offered: readonly {
    readonly ref: string;
    readonly agent: string;
    readonly priority: string;
    readonly age: number;
  }[];
  readonly hosts: readonly HostView[];
}
