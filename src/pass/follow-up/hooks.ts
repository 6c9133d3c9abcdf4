// onDispatch: the operator's program is told of each dispatch at least once, whatever else becomes of the pass. It runs beside
// the rest of the pass, so that neither waits for the other.

import { type Answer, answered, byTurn, isDue } from '../../core/choice/turns.ts';
import { messageOf } from '../../core/errors.ts';
import type { DispatchRecord } from '../../core/state/dispatch-record.ts';
import type { State } from '../../core/state/state.ts';
import type { DispatchDeps } from '../pass-deps.ts';

/** So many are told in a pass, besides the new one. */
const MOST = 3;
/** After so many failures in a row nobody is told of that dispatch any more. */
const MOST_TRIES = 5;
/** A pass ends within this time of its last request. Milliseconds. */
const AFTERWARDS_MS = 5000;

/** Programs that were started. */
export interface Hooks {
  /** Starts the one for a new dispatch. */
  readonly start: (key: string, record: DispatchRecord) => void;
  /** Waits for all of them. Answers the state as it is then, and what went wrong. */
  readonly finish: (state: State) => Promise<{ readonly state: State; readonly warnings: readonly string[] }>;
}

interface Ended {
  readonly key: string;
  readonly record: DispatchRecord;
  /** Null: it was not told whether it ended well, and is started again. */
  readonly error: unknown;
  readonly isCutShort: boolean;
}

/** Starts what earlier passes could not, and answers how to go on. */
export function startHooks(deps: DispatchDeps, { tasks, turns }: State): Hooks {
  const { onDispatch } = deps.config;
  const running: Promise<Ended>[] = [];
  const start = (key: string, record: DispatchRecord): void => {
    if (onDispatch === null) return;
    const left = deps.timeLeft() + AFTERWARDS_MS;
    const isCutShort = left < onDispatch.timeoutMs;
    const run = async (): Promise<Ended> => {
      try {
        await deps.onDispatch(record, Math.min(onDispatch.timeoutMs, left));
        return { key, record, error: null, isCutShort: false };
      } catch (error) {
        return { key, record, error, isCutShort };
      }
    };
    running.push(run());
  };
  const now = deps.now();
  const due = Object.entries(tasks ?? {})
    .filter(([key, { hook }]) => hook && isDue(turns, 'hook', key, now))
    .toSorted((a, b) => byTurn(turns, now)(['hook', a[0]], ['hook', b[0]]));
  for (const [key, { hook }] of due.slice(0, MOST)) if (hook) start(key, hook);
  return {
    start,
    finish: async (initial) => {
      let state = initial;
      const warnings: string[] = [];
      for (const ended of await Promise.all(running)) {
        const tries = (state.turns[`hook ${ended.key}`]?.tries ?? 0) + 1;
        const isOver = ended.error === null || (!ended.isCutShort && tries >= MOST_TRIES);
        // A signal ended it together with us.
        if (!isOver && deps.isInterrupted()) continue;
        if (ended.error !== null) warnings.push(complaint(ended, tries));
        state = withAnswer(state, ended, isOver, deps.now());
      }
      return { state, warnings };
    },
  };
}

function complaint({ record, error, isCutShort }: Ended, tries: number): string {
  const next = isCutShort
    ? 'there was not enough time left in this pass; it is started again'
    : tries >= MOST_TRIES
      ? `that was the last of ${MOST_TRIES} tries`
      : 'it is tried again';
  return `${record.agent} was not told of ${record.ref}: ${messageOf(error)} (${next})`;
}

function withAnswer(state: State, { key, record, error }: Ended, isOver: boolean, now: number): State {
  const task = state.tasks?.[key];
  const answer: Answer = isOver ? { kind: 'settled' } : { kind: 'failed', message: messageOf(error) };
  const turns = answered(state.turns, 'hook', key, answer, now);
  // Archived meanwhile, or dispatched again: then there is another one to be told of.
  if (!isOver || task?.hook?.at !== record.at) return { ...state, turns };
  return { ...state, turns, tasks: { ...state.tasks, [key]: { ...task, hook: null } } };
}
