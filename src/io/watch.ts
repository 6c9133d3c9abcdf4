import { type FSWatcher, watch } from 'node:fs';

/** A folder is often changed by several calls, one after the other. */
const SETTLES_MS = 20;

/**
 * Waits for changes in folders. The first call starts to watch and answers at once, so that nothing is missed that
 * happened before. Each later one ends at a change, after that time, or when it is aborted. What cannot be watched is not.
 */
export function watcherOf(folders: () => readonly string[], signal: AbortSignal): (ms: number) => Promise<void> {
  let watchers: Map<string, FSWatcher> | undefined;
  let hasChanged = false;
  let wake: (() => void) | undefined;
  const onChange = (): void => {
    hasChanged = true;
    setTimeout(() => wake?.(), SETTLES_MS);
  };
  return async (ms) => {
    const isFirst = watchers === undefined;
    const known = (watchers ??= new Map<string, FSWatcher>());
    for (const folder of foldersNow(folders)) {
      const watcher = known.has(folder) ? undefined : watching(folder, onChange);
      if (watcher) known.set(folder, watcher);
    }
    if (!isFirst && !hasChanged)
      await new Promise<void>((resolve) => pause(ms, signal, resolve, (end) => (wake = end)));
    hasChanged = false;
  };
}

// Whoever looks next says why they cannot be looked into; until then it is waited all the same.
function foldersNow(folders: () => readonly string[]): readonly string[] {
  try {
    return folders();
  } catch {
    return [];
  }
}

function pause(ms: number, signal: AbortSignal, resolve: () => void, onStart: (end: () => void) => void): void {
  const end = (): void => {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
    resolve();
  };
  const timer = setTimeout(end, ms);
  signal.addEventListener('abort', end);
  onStart(end);
  if (signal.aborted) end();
}

function watching(folder: string, onChange: () => void): FSWatcher | undefined {
  try {
    return watch(folder, { persistent: false }, onChange).on('error', () => {});
  } catch {
    return undefined; // no more watches, or it is gone: looking from time to time has to do
  }
}
