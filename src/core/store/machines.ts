// All machines as this one saw them at the end of its last pass: kept in a file, so that whoever looks needs no database.

import * as z from 'zod/mini';
import { type Instant, toRfc3339 } from '../clock.ts';
import { parsePause, type Pause } from '../state/pause.ts';
import { instantText } from '../state/state.ts';
import { cleanLine } from '../task/untrusted.ts';
import { type Overview, PassSchema } from './overview.ts';
import { WHEREABOUTS } from '../mailbox/place.ts';

const MachinesSchema = z.object({
  /** When this machine asked. */
  asOf: instantText,
  /** What this machine is called. */
  self: z.string(),
  /** Who asked Gitea last. */
  poller: z.nullable(z.string()),
  offered: z.array(z.object({ ref: z.string(), agent: z.string(), priority: z.string(), since: instantText })),
  hosts: z.array(
    z.object({
      name: z.string(),
      version: z.string(),
      /** Null: every assignee is an agent there. */
      agents: z.nullable(z.array(z.string())),
      seenAt: instantText,
      /** It has not come for longer than the lease. */
      isLost: z.boolean(),
      listedAt: z.nullable(instantText),
      lastPass: z.nullable(PassSchema),
      /** How many are done, and their issue is still open: a number, since nobody closes some of them for years. */
      done: z.int(),
      /** What its agents have in hand. */
      tasks: z.array(
        z.object({
          ref: z.string(),
          agent: z.string(),
          title: z.string(),
          priority: z.string(),
          stage: z.enum(WHEREABOUTS),
          attempt: z.int(),
          since: instantText,
        }),
      ),
    }),
  ),
});

/** All machines of an office. `hosts` in `status --json`. */
export type Machines = z.infer<typeof MachinesSchema>;
/** One of them. */
export type Machine = Machines['hosts'][number];

const FileSchema = z.object({ version: z.literal(1), machines: MachinesSchema, pauses: z.array(z.unknown()) });

/** What is kept: the machines, and the pauses of all. */
export interface KnownMachines {
  readonly machines: Machines;
  readonly pauses: readonly Pause[];
}

/** What an overview shows, by the clock of this machine. Texts are cleaned. */
export function machinesOf(overview: Overview, self: string, now: Instant): Machines {
  const before = (ago: number): string => toRfc3339(Math.max(0, now - ago));
  return {
    asOf: toRfc3339(now),
    self,
    poller: overview.poller,
    offered: overview.offered.map(({ age, ...each }) => ({
      ...each,
      agent: cleanLine(each.agent, 100),
      since: before(age),
    })),
    hosts: overview.hosts.map(({ seenAgo, listedAgo, agents, lastPass, tasks, ...host }) => ({
      ...host,
      agents: agents && [...agents],
      seenAt: before(seenAgo),
      listedAt: listedAgo === null ? null : before(listedAgo),
      lastPass,
      tasks: tasks.map(({ age, ...task }) => ({
        ...task,
        agent: cleanLine(task.agent, 100),
        title: cleanLine(task.title),
        since: before(age),
      })),
    })),
  };
}

/** The text of the file. */
export function machinesText(machines: Machines, pauses: readonly Pause[]): string {
  return `${JSON.stringify({ version: 1, machines, pauses })}\n`;
}

/** Reads the parsed file; undefined when it is none. */
export function parseMachines(raw: unknown): KnownMachines | undefined {
  const { data } = FileSchema.safeParse(raw);
  return data && { machines: data.machines, pauses: data.pauses.map((each) => parsePause(each, agentIn(each))) };
}

function agentIn(raw: unknown): string | null {
  const agent = typeof raw === 'object' && raw !== null && 'agent' in raw ? raw.agent : null;
  return typeof agent === 'string' ? agent : null;
}
