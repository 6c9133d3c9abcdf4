// An office of files comes to a shared store, and goes back to its files. Either way each task stays where it is, and goes to nobody
// a second time.

import { shortDuration } from '../core/clock.ts';
import { EXIT, type ExitCode, UserError } from '../core/errors.ts';
import type { Overview } from '../core/store/overview.ts';
import type { Pause } from '../core/state/pause.ts';
import type { State } from '../core/state/state.ts';
import type { TrackedTask } from '../core/task/tracked.ts';
import { openLedger } from './ledger.ts';
import { meetOthers } from './meet-others.ts';
import type { DispatchDeps } from './pass-deps.ts';
import { underLock } from './under-lock.ts';

/** What there is besides a pass's own: the files of before. */
export interface Movers {
  readonly filePauses: () => readonly Pause[];
  readonly writeFilePause: (pause: Pause) => void;
  readonly removeFilePause: (agent: string | null) => boolean;
  readonly overview: () => Promise<Overview>;
  /** What this machine is called at the store. */
  readonly host: string;
}

/** Brings what the files know to the store: tasks, the time of the last one, pauses. Done twice it changes nothing more. */
export async function importFiles(deps: DispatchDeps, movers: Movers): Promise<ExitCode> {
  return underLock(deps, async () => {
    const ledger = openLedger(deps, deps.now());
    ledger.repair();
    ledger.findings.forEach(deps.log);
    const { state, meeting } = await meetOthers(deps, ledger.state);
    deps.state.write(state);
    const pauses = movers.filePauses();
    for (const pause of pauses) {
      await deps.store.pause(pause);
      movers.removeFilePause(pause.agent);
    }
    const tasks = Object.keys(state.tasks ?? {}).length;
    deps.print(
      `${count(tasks, 'task')} of this machine ${tasks === 1 ? 'is' : 'are'} at the store, ${meeting.leases.size} of them new there; ${count(pauses.length, 'pause')} went along.\n`,
    );
    return EXIT.ok;
  });
}

/** Brings back to the files what only the store knows. Throws exit 5 while other machines still come. */
export async function exportToFiles(deps: DispatchDeps, movers: Movers): Promise<ExitCode> {
  return underLock(deps, async () => {
    const { hosts } = await movers.overview();
    const others = hosts.filter(({ name, isLost }) => name !== movers.host && !isLost);
    if (others.length > 0) {
      throw new UserError(
        `other machines still come: ${others.map(({ name, seenAgo }) => `${name} (${shortDuration(seenAgo)} ago)`).join(', ')}`,
        {
          exitCode: EXIT.refused,
          code: 'refused',
          hint: 'stop their timers first, and wait for store.lease: what they have would be dispatched here a second time',
        },
      );
    }
    const { state } = await meetOthers(deps, openLedger(deps, deps.now()).state);
    const pauses = await deps.store.pauses();
    for (const pause of pauses) movers.writeFilePause(pause);
    deps.state.write(withoutLeases(state));
    const tasks = Object.keys(state.tasks ?? {}).length;
    deps.print(
      `${count(tasks, 'task')}, ${count(pauses.length, 'pause')} and the time of the last dispatch are in the files of this machine.\n`,
    );
    deps.say('Next: take store out of the configuration');
    return EXIT.ok;
  });
}

// Which attempt that was is no matter of the files: coming back, it is another one.
function withoutLeases(state: State): State {
  const tasks = Object.entries(state.tasks ?? {}).map(([key, { lease: _lease, ...task }]): [string, TrackedTask] => [
    key,
    task,
  ]);
  return { ...state, tasks: state.tasks && Object.fromEntries(tasks) };
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}
