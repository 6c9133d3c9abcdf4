// One cache for all started commands of a run, as a user has one: without it each of them would compile the bundle anew.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where it is; unset where nobody made one. */
export const CACHE_OF_RUN = 'DISPATCHER_TEST_CACHE';

/** Makes it before the first test, and answers what takes it away after the last one. */
export default function makeCache(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'dispatcher-cache-'));
  process.env[CACHE_OF_RUN] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
