// The tasks of a mailbox, as their files tell it: of what an index says of them, the most urgent is read again before it is answered.

import { byKey } from '../../core/mailbox/head-index.ts';
import { type Asking, mostUrgentFirst } from '../../core/mailbox/most-urgent.ts';
import { type Stage, STAGE_FOLDERS, type TaskNames } from '../../core/mailbox/place.ts';
import { type Sighting, sightingOf } from '../../core/mailbox/urgency.ts';
import type { Folder } from './ground.ts';
import { foldersOf } from './moves.ts';
import { forgetIndex, headOf, headsOf, parted, type Survey, surveyed } from './survey.ts';

/** So many of the most urgent ones are read again when all are asked for. */
const READ_AGAIN = 4;
/** An index that was wrong so often is thrown away. */
const OFTEN_WRONG = 64;

/** What a look finds. */
export interface Seen extends Pick<Survey, 'unreadable' | 'others'> {
  /** All of them, in no order; the most urgent ones are what their files say now. */
  readonly tasks: () => readonly Sighting[];
  /** All of them, the most urgent first, each as its file says now. */
  readonly inUrgency: () => Iterable<Sighting>;
}

/** The tasks in these stages. To be asked as long as the folder is open. */
export function lookThrough(home: Folder, stages: readonly Stage[], names: TaskNames): Seen {
  const survey = surveyed(
    home,
    STAGE_FOLDERS.filter((name) => !stages.includes(name)),
  );
  const sighted: Asking['sighted'] = (path, facts) => {
    const task = sightingOf(path, facts, names);
    return task && stages.includes(task.stage) ? task : null;
  };
  const readAgain = reader(home, survey);
  const inUrgency = (): Iterable<Sighting> => mostUrgentFirst(survey, { sighted, readAgain });
  return {
    tasks: () => {
      let left = READ_AGAIN;
      for (const _ of inUrgency()) if ((left -= 1) === 0) break;
      return [...headsOf(survey)].flatMap(([path, head]) => {
        const facts = head?.facts ?? readAgain(path, null);
        return (facts && sighted(path, facts)) ?? [];
      });
    },
    inUrgency,
    unreadable: survey.unreadable,
    others: survey.others,
  };
}

// Reads the file of a task; that is what is known then.
function reader(home: Folder, { indexed, read, unreadable }: Survey): Asking['readAgain'] {
  let wrong = 0;
  return (path, before) => {
    const [prefix, name] = parted(path);
    const head = home.inside(foldersOf(path), (folder) => headOf(folder, name));
    indexed.find((rows) => rows.prefix === prefix)?.passed.add(name);
    if (head === undefined) unreadable.push(path);
    if (!head) return null;
    read.set(path, head);
    if ((before === null || byKey(before, head.facts) !== 0) && (wrong += 1) === OFTEN_WRONG) forgetIndex(home);
    return head.facts;
  };
}
