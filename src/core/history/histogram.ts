import * as z from 'zod/mini';
import { PRIORITIES, type Priority } from '../issue/priority.ts';

/** Upper ends of the classes that durations are counted in, in seconds; what is longer is counted in one more. */
export const BOUNDS = [60, 300, 900, 3600, 14_400, 43_200, 86_400, 259_200, 604_800] as const;

/** How many durations fell into each class, of one agent and priority, since counting began. */
export const HistogramSchema = z.object({
  agent: z.string(),
  priority: z.enum(PRIORITIES),
  /** One for each of `BOUNDS`, and one for the rest. Not added up. */
  counts: z.array(z.int()).check(z.length(BOUNDS.length + 1)),
  /** Seconds. */
  sum: z.number(),
});
export type Histogram = z.infer<typeof HistogramSchema>;

/** The class that a duration belongs to: an index into `BOUNDS`, or the one behind its end. */
export function classOf(seconds: number): number {
  const found = BOUNDS.findIndex((bound) => seconds <= bound);
  return found === -1 ? BOUNDS.length : found;
}

/** The histograms with one more duration. */
export function withDuration(
  all: readonly Histogram[],
  of: { readonly agent: string; readonly priority: Priority },
  ms: number,
): readonly Histogram[] {
  const seconds = Math.max(0, ms) / 1000;
  const at = classOf(seconds);
  const isIt = (each: Histogram): boolean => each.agent === of.agent && each.priority === of.priority;
  const { agent, priority } = of;
  const before = all.find((each) => isIt(each)) ?? { agent, priority, counts: BOUNDS.map(() => 0).concat(0), sum: 0 };
  const counts = before.counts.map((count, index) => (index === at ? count + 1 : count));
  return [...all.filter((each) => !isIt(each)), { ...before, counts, sum: before.sum + seconds }];
}
