import type { DispatchRecord } from '../core/state/dispatch-record.ts';
import { messageOf } from '../core/errors.ts';
import type { DispatchDeps } from './pass-deps.ts';

/** Runs the operator's program after a dispatch. The task is out: whatever becomes of the program is a warning at most. */
export async function runOnDispatch(
  { onDispatch, log }: Pick<DispatchDeps, 'onDispatch' | 'log'>,
  record: DispatchRecord,
): Promise<void> {
  try {
    await onDispatch?.(record);
  } catch (error) {
    log({ name: 'WARNING', message: messageOf(error) });
  }
}
