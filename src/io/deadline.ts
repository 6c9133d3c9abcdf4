import { setMaxListeners } from 'node:events';

/** A signal that aborts after `ms` milliseconds, or as soon as one of the others does. Call `clear` when it is not needed any more. */
export function deadline(
  ms: number,
  ...others: readonly AbortSignal[]
): { readonly signal: AbortSignal; readonly clear: () => void } {
  // Not AbortSignal.any() with AbortSignal.timeout(): Node 20 may collect that as garbage, and then it never aborts.
  const controller = new AbortController();
  // Requests and downloads of one issue listen side by side; Node would warn from the eleventh on.
  setMaxListeners(MOST_LISTENERS, controller.signal);
  const abort = (): void => controller.abort();
  const timer = setTimeout(abort, ms);
  timer.unref();
  for (const other of others) {
    if (other.aborted) abort();
    other.addEventListener('abort', abort);
  }
  return {
    signal: controller.signal,
    clear: () => {
      clearTimeout(timer);
      for (const other of others) other.removeEventListener('abort', abort);
    },
  };
}

const MOST_LISTENERS = 100;

/** A limited time: its signal aborts when it is over. */
export interface Slice {
  readonly signal: AbortSignal;
  /** Milliseconds. */
  readonly timeLeft: () => number;
}

/** What `work` answers, unless the signal aborts first: then it rejects, whatever the work is doing. */
export async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(new DOMException('no answer in time', 'TimeoutError'));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
