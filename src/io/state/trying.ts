// What a pass is at: written down before it is tried, taken away after. A pass that hangs or is killed cannot say any more
// what held it up; the next one reads it here.

import { closeSync, constants, openSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/mini';
import type { Config } from '../../core/config/config.ts';
import { systemCode } from '../../core/errors.ts';
import { readRegularFile } from '../files.ts';

const TryingSchema = z.object({ key: z.string(), ref: z.string(), agent: z.string() });
/** A candidate that is being read and rendered. */
type Trying = z.infer<typeof TryingSchema>;

/** The record of what is being tried. Failing to keep it fails nothing. */
export interface TryingRecord {
  readonly begin: (trying: Trying) => void;
  readonly end: () => void;
  /** What a pass was at that did not come to its end; null: nothing. */
  readonly left: () => Trying | null;
}

/** The record of a configuration's state folder. */
export function openTrying({ stateDirectory }: Pick<Config, 'stateDirectory'>): TryingRecord {
  const path = join(stateDirectory, 'trying.json');
  return {
    begin: (trying) => quietly(() => write(path, JSON.stringify(trying))),
    end: () => quietly(() => unlinkSync(path)),
    left: () => {
      try {
        const result = TryingSchema.safeParse(JSON.parse(readRegularFile(path, 65_536) ?? ''));
        return result.success ? result.data : null;
      } catch {
        return null;
      }
    },
  };
}

// It need not survive a power cut, only the end of the process.
function write(path: string, text: string): void {
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW, O_NONBLOCK } = constants;
  const handle = openSync(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK, 0o600);
  try {
    writeSync(handle, text);
  } finally {
    closeSync(handle);
  }
}

function quietly(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (systemCode(error) === '') throw error;
  }
}
