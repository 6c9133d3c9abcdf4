import { systemCode } from '../../core/errors.ts';
import { WAKE_FILE } from '../../core/mailbox/place.ts';
import type { Folder } from './ground.ts';

/** Leaves in an agent's folder what its worker waits for. */
export function wakeWorker(home: Folder): void {
  try {
    if (home.look(WAKE_FILE) === null) home.write(WAKE_FILE, '');
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error; // somebody else did at this very moment
  }
}
