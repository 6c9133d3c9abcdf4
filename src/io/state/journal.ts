import { join } from 'node:path';
import { type DispatchRecord, parseDispatchRecord } from '../../core/dispatch-record.ts';
import { systemCode } from '../../core/errors.ts';
import { appendLine, readRegularFile } from '../files.ts';

/** Appends a dispatch. A line that a power cut left unfinished is closed first, so that it spoils only itself. */
export function appendDispatch(stateDirectory: string, entry: DispatchRecord): void {
  const path = join(stateDirectory, FILE);
  const unfinished = !['', '\n'].includes(readText(path).slice(-1));
  appendLine(path, `${unfinished ? '\n' : ''}${JSON.stringify(entry)}`);
}

/** Every dispatch ever made, oldest first. Lines that are not entries are left out. */
export function readDispatches(stateDirectory: string): readonly DispatchRecord[] {
  return readText(join(stateDirectory, FILE))
    .split('\n')
    .flatMap((line) => {
      try {
        const record = parseDispatchRecord(JSON.parse(line));
        return record ? [record] : [];
      } catch {
        return [];
      }
    });
}

const FILE = 'dispatches.jsonl';

function readText(path: string): string {
  try {
    return readRegularFile(path) ?? '';
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return '';
    throw error;
  }
}
