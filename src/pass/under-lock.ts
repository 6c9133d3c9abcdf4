import { EXIT, UserError } from '../core/errors.ts';
import type { DispatchDeps } from './pass-deps.ts';

const LOCK_PATIENCE_S = 30;

/** Does what somebody typed once no other command is at it, and closes the store after it. Throws exit 75 when that takes too long. */
export async function underLock<T>(deps: DispatchDeps, work: () => Promise<T>): Promise<T> {
  const lock = await deps.state.lock(LOCK_PATIENCE_S);
  if (!lock) {
    throw new UserError(`another dispatcher command has been running for ${LOCK_PATIENCE_S} s`, {
      exitCode: EXIT.unavailable,
      code: 'locked',
      hint: 'try again; a pass ends within 45 s by itself',
    });
  }
  try {
    if (lock.note !== null) deps.log({ name: 'WARNING', message: lock.note });
    return await work();
  } finally {
    await deps.store.close();
    lock.release();
  }
}
