// What a pass sees, compared with what the passes before it saw: the events of the history. It costs what there is at
// present, never what there was.

import * as z from 'zod/mini';
import { fromRfc3339, type Instant, toRfc3339 } from '../clock.ts';
import { bareName } from '../config/servers.ts';
import { PRIORITIES, type Priority } from '../issue/priority.ts';
import { type ArchivedEvent, ARRIVALS, type DispatchedEvent, type HistoryEvent, waitingText } from './event.ts';
import { type Whereabouts, WHEREABOUTS } from '../mailbox/place.ts';
import { HistogramSchema, withDuration } from './histogram.ts';

const instant = z.string().check(z.refine((text) => fromRfc3339(text) !== undefined));

/** What one pass leaves for the next one. */
const MemorySchema = z.object({
  version: z.literal(1),
  sampledAt: z.nullable(instant),
  prunedAt: z.nullable(instant),
  /** How many passes have failed since the last good one. */
  failures: z.int(),
  /** When the pass began that was counted last, of those that failed and the first good one after them: each is counted once. */
  countedPass: z.nullable(z.string()),
  /** By candidate key, from the dispatch until the task is archived. */
  tasks: z.record(
    z.string(),
    z.object({
      ref: z.string(),
      agent: z.string(),
      priority: z.enum(PRIORITIES),
      dispatchedAt: instant,
      place: z.enum(WHEREABOUTS),
    }),
  ),
  waited: z.readonly(z.array(HistogramSchema)),
  worked: z.readonly(z.array(HistogramSchema)),
});
export type Memory = z.infer<typeof MemorySchema>;

/** Of a history that has not begun. */
export const NO_MEMORY: Memory = {
  version: 1,
  sampledAt: null,
  prunedAt: null,
  failures: 0,
  countedPass: null,
  tasks: {},
  waited: [],
  worked: [],
};

/** Reads what a pass left; undefined when it is nothing of the kind. */
export function parseMemory(raw: unknown): Memory | undefined {
  const result = MemorySchema.safeParse(raw);
  return result.success ? result.data : undefined;
}

/** What a pass sees at its end. */
export interface Sight {
  readonly now: Instant;
  /** Where the file of each dispatched task is, and since when where that is known. Null: nobody knows what is dispatched. */
  readonly places: ReadonlyMap<string, { readonly place: Whereabouts; readonly since: Instant | null }> | null;
  readonly waiting: readonly { readonly agent: string; readonly priority: Priority; readonly count?: number }[];
  readonly pass: { readonly startedAt: string; readonly failure: string | null } | null;
}

/** So often the waiting tasks are counted. */
const SAMPLE_MS = 10 * 60_000;
const DAY_MS = 86_400_000;
/** The clock has run on from pass to pass, or it was set, or nothing ran. */
const JUMP_MS = 3_600_000;

/** What has happened since the pass before, and what to remember. `prune`: a day has passed, old files may go. */
export function observed(
  before: Memory,
  sight: Sight,
): { readonly events: readonly HistoryEvent[]; readonly memory: Memory; readonly prune: boolean } {
  const moved = movesSeen(before, sight);
  const counted = passCounted(moved.memory, sight);
  const { now } = sight;
  const sinceSample = now - (fromRfc3339(before.sampledAt ?? '') ?? Number.NEGATIVE_INFINITY);
  const isSample = sinceSample >= SAMPLE_MS || sinceSample < 0;
  // Looked at only now: whoever counts them has to read them.
  const samples: readonly HistoryEvent[] = isSample
    ? [{ at: now, event: 'sample', waiting: waitingText(sight.waiting) }]
    : [];
  // A clock that is wrong for an hour must not cost the history: old files go only a day after it was set.
  const isJump = sinceSample > JUMP_MS || sinceSample < 0;
  const prunedAt = isJump || before.prunedAt === null ? now : (fromRfc3339(before.prunedAt) ?? now);
  const prune = now - prunedAt >= DAY_MS;
  return {
    events: [...moved.events, ...counted.events, ...samples],
    memory: {
      ...counted.memory,
      sampledAt: isSample ? toRfc3339(now) : before.sampledAt,
      prunedAt: toRfc3339(prune ? now : prunedAt),
    },
    prune,
  };
}

/** Whether that dispatch is remembered already. */
export function knowsDispatch({ tasks }: Memory, { key, at }: DispatchedEvent): boolean {
  return tasks[key]?.dispatchedAt === toRfc3339(at);
}

/** What to remember once a task is dispatched. */
export function withDispatch(memory: Memory, event: DispatchedEvent): Memory {
  const { key, ref, agent, priority, at, since } = event;
  const task = { ref, agent, priority, dispatchedAt: toRfc3339(at), place: 'new' as const };
  const waited = since === null ? memory.waited : withDuration(memory.waited, event, at - since);
  return { ...memory, waited: [...waited], tasks: { ...memory.tasks, [key]: task } };
}

/** The same event of the task that is meant, which may have begun under another name of its server, or none. */
export function asBegun(memory: Memory, event: ArchivedEvent): ArchivedEvent {
  if (memory.tasks[event.key]) return event;
  const isSame = (key: string, ref: string): boolean =>
    bareName(key) === bareName(event.key) && bareName(ref) === bareName(event.ref);
  const found = Object.entries(memory.tasks).filter(([key, { ref }]) => isSame(key, ref));
  const [begun] = found.length === 1 ? found : [];
  return begun ? { ...event, key: begun[0] } : event;
}

/** What to remember once a task is archived. When its issue is closed, it is finished if it was not before. */
export function withArchived(memory: Memory, { key, at, reason }: ArchivedEvent): Memory {
  const { [key]: task, ...tasks } = memory.tasks;
  const isFinish = task !== undefined && reason === 'closed' && isOpen(task.place);
  return { ...memory, tasks, worked: isFinish ? workedBy(memory, task, at) : memory.worked };
}

type Task = Memory['tasks'][string];

/** Whether a task at that place is still to be done. */
function isOpen(place: Whereabouts): boolean {
  return place !== 'done' && place !== 'gone';
}

function movesSeen(before: Memory, { places, now }: Sight): { events: readonly HistoryEvent[]; memory: Memory } {
  if (places === null) return { events: [], memory: before };
  const events: HistoryEvent[] = [];
  let { worked } = before;
  const tasks: Record<string, Task> = {};
  for (const [key, task] of Object.entries(before.tasks)) {
    // Begun when there were several servers, and now there is one.
    const seen = places.get(key) ?? places.get(bareName(key));
    if (!seen) continue; // not tracked any more: archived, or forgotten
    tasks[key] = { ...task, place: seen.place };
    if (seen.place === task.place) continue;
    const { ref, agent } = task;
    const dispatchedAt = fromRfc3339(task.dispatchedAt) ?? now;
    // The file knows better than the pass when it was moved, unless the clock was set in between.
    const at = seen.since !== null && seen.since >= dispatchedAt && seen.since <= now ? seen.since : now;
    events.push({ at, event: ARRIVALS[seen.place], key, ref, agent });
    if (seen.place === 'done' && isOpen(task.place)) worked = workedBy({ worked }, task, at);
  }
  return { events, memory: { ...before, tasks, worked: [...worked] } };
}

function workedBy({ worked }: Pick<Memory, 'worked'>, task: Task, at: Instant): Memory['worked'] {
  return [...withDuration(worked, task, at - (fromRfc3339(task.dispatchedAt) ?? at))];
}

function passCounted(memory: Memory, { pass, now }: Sight): { events: HistoryEvent[]; memory: Memory } {
  if (pass === null || pass.startedAt === memory.countedPass) return { events: [], memory };
  // One good pass after the other is nothing to remember: the file is written when something happens, not in each minute.
  if (pass.failure === null && memory.failures === 0) return { events: [], memory };
  const after = { ...memory, countedPass: pass.startedAt };
  if (pass.failure !== null) {
    const event = { at: now, event: 'failed', code: pass.failure } as const;
    return { events: [event], memory: { ...after, failures: memory.failures + 1 } };
  }
  return {
    events: [{ at: now, event: 'recovered', failures: memory.failures }],
    memory: { ...after, failures: 0 },
  };
}
