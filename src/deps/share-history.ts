import type { Config } from '../core/config/config.ts';
import { messageOf } from '../core/errors.ts';
import type { HistoryEvent } from '../core/history/event.ts';
import { eventLine, parseEvents } from '../core/history/lines.ts';
import type { Store } from '../core/store/store.ts';
import { readCursor, writeCursor } from '../io/state/cursor.ts';
import { appendHistory } from '../io/state/history.ts';
import { readHistory } from '../io/state/past.ts';
import { keepUntold, readUntold, removeUntold } from '../io/state/untold.ts';
import { type HistoryDeps, passHistory } from './history.ts';
import { now } from './world.ts';

/** So many events of an office that worked before it had a store. */
const MOST_OF_BEFORE = 20_000;

interface SharedDeps extends Pick<HistoryDeps, 'stageOf' | 'warn'> {
  readonly store: Pick<Store, 'share'>;
}

/** The history as passes write it, and as they exchange it with other machines, where there are any. */
export function sharedHistory(
  config: Config,
  { stageOf, store, warn }: SharedDeps,
): ReturnType<typeof passHistory> & { readonly share: () => Promise<void> } {
  const { stateDirectory } = config;
  const happened: string[] = [];
  const told = (event: HistoryEvent): void => {
    if (config.store === null || !('key' in event)) return;
    const line = eventLine(event);
    happened.push(line);
    try {
      keepUntold(stateDirectory, line);
    } catch (error) {
      warn(`the other machines are told by this command, or not at all, what happened: ${messageOf(error)}`);
    }
  };
  return {
    ...passHistory(config, { stageOf, now, warn, told }),
    share: async () => {
      if (config.store !== null) await exchange(stateDirectory, happened, { store, warn });
    },
  };
}

// What happened to tasks here goes to the others, and what happened there to the files of this machine: a report on any of them is
// of all. How many wait, and how the passes went, each machine tells by itself.
async function exchange(
  stateDirectory: string,
  happened: readonly string[],
  { store, warn }: Pick<SharedDeps, 'store' | 'warn'>,
): Promise<void> {
  try {
    const after = readCursor(stateDirectory);
    const untold = [...new Set([...readUntold(stateDirectory), ...happened])];
    // The first time all that this machine knows: it worked before there was a store.
    const own = after === null ? linesOfBefore(stateDirectory) : untold.slice(-MOST_OF_BEFORE);
    const { lines, last } = await store.share(own, after ?? 0, after === null || untold.length > happened.length);
    if (lines.length > 0) appendHistory(stateDirectory, parseEvents(lines.join('\n')));
    // Killed in between it adds them once more: a history that tells something twice, and none that lacks it.
    if (last !== after) writeCursor(stateDirectory, last);
    if (untold.length > 0) removeUntold(stateDirectory);
  } catch (error) {
    warn(`what happened could not be exchanged with the other machines: ${messageOf(error)}`);
  }
}

function linesOfBefore(stateDirectory: string): readonly string[] {
  const known = readHistory(stateDirectory).filter((event) => 'key' in event);
  return known.slice(-MOST_OF_BEFORE).map((event) => eventLine(event));
}
