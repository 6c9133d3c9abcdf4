// Files that hold a secret and nothing else.

import { statSync } from 'node:fs';
import { shellWord } from '../core/shell-word.ts';
import { readTextFile } from './files.ts';
import { userName } from './user-name.ts';

/** What is in a file, without the blanks around it. `warning`: everybody can read it; null: they cannot. Throws when it cannot be read. */
export function readSecret(file: string): { readonly value: string; readonly warning: string | null } {
  const { mode, uid } = statSync(file);
  const isOpen = (mode & 0o004) !== 0;
  return {
    value: readTextFile(file).trim(),
    warning: isOpen ? `${file} can be read by everybody; run: ${shutting(shellWord(file), uid)}` : null,
  };
}

// Of another's file that were shut alone, this user would be shut out as well.
function shutting(file: string, owner: number): string {
  if (owner === process.geteuid?.()) return `chmod 600 ${file}`;
  return `sudo chown ${shellWord(userName())} ${file} && sudo chmod 600 ${file}   (as long as the passes run as that user)`;
}
