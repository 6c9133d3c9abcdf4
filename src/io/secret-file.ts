// Files that hold a secret and nothing else.

import { statSync } from 'node:fs';
import { readTextFile } from './files.ts';

/** What is in a file, without the blanks around it. `warning`: everybody can read it; null: they cannot. Throws when it cannot be read. */
export function readSecret(file: string): { readonly value: string; readonly warning: string | null } {
  const open = (statSync(file).mode & 0o004) !== 0;
  return {
    value: readTextFile(file).trim(),
    warning: open ? `${file} can be read by everybody; run: chmod 600 ${file}` : null,
  };
}
