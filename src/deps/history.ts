import type { Config } from '../core/config/config.ts';
import type { Instant } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import { bareName, splitServer } from '../core/config/servers.ts';
import { type HistoryEvent, historyKey } from '../core/history/event.ts';
import type { Sight } from '../core/history/observe.ts';
import { refOf } from '../core/issue/issue.ts';
import type { Stage } from '../core/mailbox/place.ts';
import type { ArchiveRecord, DispatchRecord } from '../core/state/dispatch-record.ts';
import type { TrackedTask } from '../core/task/tracked.ts';
import { openHistory } from '../io/state/history.ts';
import { openState } from '../io/state/store.ts';

interface PassHistory {
  readonly dispatched: (record: DispatchRecord) => void;
  readonly archived: (record: ArchiveRecord) => void;
  /** Notes what the state, as the pass left it, and the task folder show. */
  readonly note: () => void;
}

/** What the history needs of a pass. */
export interface HistoryDeps {
  /** How far its agent is with a task; null: it is gone, or nothing can be said. */
  readonly stageOf: (task: TrackedTask) => Stage | null;
  readonly now: () => Instant;
  readonly warn: (message: string) => void;
  /** Gets each event that is written. */
  readonly told?: (event: HistoryEvent) => void;
}

/** The history as passes write it. What goes wrong here is a warning, and loses no dispatch. */
export function passHistory(
  config: Pick<Config, 'stateDirectory' | 'historyKeepMs' | 'servers'>,
  { stageOf, now, warn, told }: HistoryDeps,
): PassHistory {
  const history = openHistory(config.stateDirectory, config.historyKeepMs, told);
  const carefully = (act: () => void): void => {
    try {
      act();
    } catch (error) {
      warn(`the history cannot be written: ${messageOf(error)}`);
    }
  };
  return {
    dispatched: (record) => carefully(() => history.dispatched(record)),
    archived: (record) => carefully(() => history.archived(record)),
    note: () => carefully(() => history.seen(sightOf(config, stageOf, now()))),
  };
}

function sightOf(config: Pick<Config, 'stateDirectory' | 'servers'>, stageOf: HistoryDeps['stageOf'], now: Instant) {
  const store = openState(config);
  const { tasks } = store.read().state;
  const lastPass = store.heartbeat()?.lastPass ?? null;
  return {
    now,
    places: tasks && placesOf(Object.values(tasks), config, stageOf),
    get waiting() {
      const { rows, rest } = store.decision();
      return [...rows.map((row) => ({ ...row, count: 1 })), ...rest].filter(
        ({ outcome, reason }) => outcome === 'next' || outcome === 'waiting' || WAITS.has(reason ?? ''),
      );
    },
    pass: lastPass && { startedAt: lastPass.startedAt, failure: lastPass.error?.code ?? null },
  };
}

// They would go if their agent, or everybody, were free: a backlog that grows for that reason must show as well.
const WAITS: ReadonlySet<string> = new Set(['agent_busy', 'paused', 'rate_limited']);

// One that was begun when there was one server was on the first: it is looked for without a name as well.
function placesOf(
  tasks: readonly TrackedTask[],
  { servers }: Pick<Config, 'servers'>,
  stageOf: HistoryDeps['stageOf'],
): Sight['places'] {
  const places = tasks.map((task) => {
    const key = historyKey({ ...task, ref: refOf(task) });
    return { key, place: { place: stageOf(task) ?? ('gone' as const), since: null } };
  });
  const [{ name }] = servers;
  const begun = places.filter(({ key }) => name !== null && splitServer(key).server === name);
  return new Map([
    ...begun.map(({ key, place }) => [bareName(key), place] as const),
    ...places.map(({ key, place }) => [key, place] as const),
  ]);
}
