// Which issues of a scope are open, by id, each with a fingerprint of what the choice looks at. Unassigned ones count as well:
// the server's total does. Numbers in arrays, since a pass reads all of them, and nothing else of the backlog.

/** The fingerprint of an issue that nobody is assigned to. */
export const UNASSIGNED = 0;
/** Of one that the server shows in a form that cannot be read. */
export const UNREADABLE = -1;

export interface OpenIssues {
  readonly size: () => number;
  /** Those with this fingerprint. */
  readonly count: (print: number) => number;
  /** Undefined: not known to be open. */
  readonly get: (id: number) => number | undefined;
  readonly set: (id: number, print: number) => void;
  readonly delete: (id: number) => void;
  readonly ids: () => readonly number[];
  /** What is not in the base; null: it is not open any more. */
  readonly changes: ReadonlyMap<number, number | null>;
  /** All of them as a base for the next time: id and fingerprint in turn, by id. */
  readonly toBase: () => Float64Array;
}

/** A base as `toBase` answered it, and what has changed since. */
export function openIssues(
  base: Float64Array = new Float64Array(0),
  changed: Iterable<readonly [number, number | null]> = [],
): OpenIssues {
  const changes = new Map<number, number | null>();
  const counts = new Map<number, number>([
    [UNASSIGNED, 0],
    [UNREADABLE, 0],
  ]);
  let size = base.length / 2;
  const tally = (print: number | undefined, by: number): void => {
    const count = print === undefined ? undefined : counts.get(print);
    if (print !== undefined && count !== undefined) counts.set(print, count + by);
  };
  for (let index = 1; index < base.length; index += 2) tally(base[index], 1);

  const get = (id: number): number | undefined => {
    const change = changes.get(id);
    return change === undefined ? inBase(base, id) : (change ?? undefined);
  };
  const change = (id: number, print: number | undefined): void => {
    const before = get(id);
    if (before === print) return;
    tally(before, -1);
    tally(print, 1);
    size += (print === undefined ? 0 : 1) - (before === undefined ? 0 : 1);
    if (inBase(base, id) === print) changes.delete(id);
    else changes.set(id, print ?? null);
  };
  for (const [id, print] of changed) change(id, print ?? undefined);

  const pairs = (): readonly (readonly [number, number])[] => {
    const all: (readonly [number, number])[] = [];
    for (let index = 0; index < base.length; index += 2) {
      const id = base[index] ?? 0;
      if (!changes.has(id)) all.push([id, base[index + 1] ?? UNASSIGNED]);
    }
    for (const [id, print] of changes) if (print !== null) all.push([id, print]);
    return all.toSorted(([a], [b]) => a - b);
  };
  return {
    size: () => size,
    count: (print) => counts.get(print) ?? 0,
    get,
    set: change,
    delete: (id) => change(id, undefined),
    ids: () => pairs().map(([id]) => id),
    changes,
    toBase: () => Float64Array.from(pairs().flat()),
  };
}

function inBase(base: Float64Array, id: number): number | undefined {
  let low = 0;
  let high = base.length / 2 - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const found = base[2 * middle] ?? 0;
    if (found === id) return base[2 * middle + 1];
    if (found < id) low = middle + 1;
    else high = middle - 1;
  }
  return undefined;
}
