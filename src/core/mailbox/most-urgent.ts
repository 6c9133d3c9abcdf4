// The tasks of a mailbox in the order of their urgency, where what most of them say is known from an index only.

import { byKey, type IndexedFolder, type IndexedHead } from './head-index.ts';
import { byUrgency, type HeadFacts, type Sighting } from './urgency.ts';

/** What an index says of the files in a folder that is there. */
export interface IndexedRows {
  /** `acme/app/`; empty for the agent's own. */
  readonly prefix: string;
  readonly folder: IndexedFolder;
  /** The names of which it is not believed: they are gone, or were read. */
  readonly passed: ReadonlySet<string>;
}

/** What is known of task files. */
export interface KnownHeads {
  readonly indexed: readonly IndexedRows[];
  /** What was read just now, by paths. */
  readonly read: ReadonlyMap<string, Pick<IndexedHead, 'facts'>>;
}

export interface Asking {
  /** The task of a path; null: none that is wanted. */
  readonly sighted: (path: string, facts: HeadFacts) => Sighting | null;
  /** What the file of a task says now; null: it is gone, or not for us to read. */
  readonly readAgain: (path: string, before: Sighting | null) => HeadFacts | null;
}

/**
 * All that are wanted, the most urgent first. Nobody hears of a task whose file has not been read: what the index says of it
 * only tells when to read it. So mostly one file is read, and one that says something else by now comes when it is its turn.
 */
export function* mostUrgentFirst({ indexed, read }: KnownHeads, { sighted, readAgain }: Asking): Generator<Sighting> {
  const queue: Queued[] = [...read]
    .flatMap(([path, { facts }]): Queued[] => {
      const task = sighted(path, facts);
      return task === null ? [] : [{ task, isRead: true }];
    })
    .toSorted((a, b) => byUrgency(b.task, a.task));
  const cursors = indexed.map((rows) => cursorOf(rows)).filter((cursor) => cursor.step());
  for (;;) {
    const row = leastOf(cursors);
    const first = queue.at(-1);
    // Among equals the place decides where the task belongs, which its row does not tell: they all come into the queue.
    if (row !== undefined && (first === undefined || row.facts === undefined || byKey(row.facts, first.task) <= 0)) {
      const facts = row.facts ?? readAgain(row.path, null);
      const task = facts && sighted(row.path, facts);
      if (task) insert(queue, { task, isRead: row.facts === undefined });
      if (!row.step()) cursors.splice(cursors.indexOf(row), 1);
    } else if (first === undefined) return;
    else {
      queue.pop();
      const now = first.isRead ? first.task : taskNow(first.task, { sighted, readAgain });
      if (now === null) continue;
      if (byUrgency(now, first.task) === 0) yield now;
      else insert(queue, { task: now, isRead: true });
    }
  }
}

interface Queued {
  readonly task: Sighting;
  /** Whether this is what its file says. */
  readonly isRead: boolean;
}

interface Cursor {
  path: string;
  /** Undefined: a row that is spoilt. */
  facts: HeadFacts | undefined;
  /** Goes to the next row; false: there is none. */
  readonly step: () => boolean;
}

function cursorOf({ prefix, folder, passed }: IndexedRows): Cursor {
  let position = -1;
  const cursor: Cursor = {
    path: '',
    facts: undefined,
    step: () => {
      for (;;) {
        position += 1;
        const name = folder.names[position];
        if (name === undefined) return false;
        if (passed.has(name)) continue;
        cursor.path = prefix + name;
        cursor.facts = folder.at(position)?.facts;
        return true;
      }
    },
  };
  return cursor;
}

// Spoilt rows first: nobody knows what they would have said.
function leastOf(cursors: readonly Cursor[]): Cursor | undefined {
  let [least] = cursors;
  for (const cursor of cursors) {
    if (cursor.facts === undefined) return cursor;
    if (least?.facts && byKey(cursor.facts, least.facts) < 0) least = cursor;
  }
  return least;
}

function taskNow(task: Sighting, { sighted, readAgain }: Asking): Sighting | null {
  const facts = readAgain(task.path, task);
  return facts && sighted(task.path, facts);
}

// The queue has its first one at the end, where it is taken from.
function insert(queue: Queued[], each: Queued): void {
  let [from, to] = [0, queue.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    const other = queue[middle];
    if (other && byUrgency(each.task, other.task) < 0) from = middle + 1;
    else to = middle;
  }
  queue.splice(from, 0, each);
}
