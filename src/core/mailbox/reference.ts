// What people type for a task: `acme/app#5`, `5`, or the path of its file; where there are several servers `team:acme/app#5` as well.

import { isNamedBy } from '../config/servers.ts';
import { EXIT, UserError } from '../errors.ts';
import { cleanLine } from '../task/untrusted.ts';

export type TaskReference =
  | { readonly kind: 'issue'; readonly repository: string | null; readonly number: number }
  | { readonly kind: 'path'; readonly path: string };

/** Reads a task argument. Throws exit 2 for what is none. */
export function taskReference(text: string): TaskReference {
  const [, repository = null, digits] = /^(?:([^\s/#]+\/[^\s/#]+)?#)?(\d{1,15})$/u.exec(text) ?? [];
  if (digits !== undefined) return { kind: 'issue', repository, number: Number(digits) };
  if (text.endsWith('.md') && !text.includes('\0')) return { kind: 'path', path: text };
  throw new UserError(`${cleanLine(text, 80)} is no task`, {
    exitCode: EXIT.usage,
    code: 'usage',
    hint: 'name it by its reference (acme/app#5), its number (5), or the path of its file',
  });
}

/** Whether a task of that reference is the one that is meant. Gitea's names do not tell upper from lower case. */
export function isMeant({ repository, number }: Extract<TaskReference, { kind: 'issue' }>, ref: string): boolean {
  const [named = '', digits] = ref.split('#');
  if (digits !== String(number)) return false;
  return repository === null || isNamedBy(repository, named);
}

/** What is asked of those who might be meant by a login: an agent's name. Throws exit 2 when nobody is. */
export function agentNamed(
  given: { readonly option: string | undefined; readonly environment: string | undefined; readonly user: string },
  known: readonly string[],
): string {
  const named = (given.option ?? given.environment)?.toLowerCase();
  if (named !== undefined && named !== '') {
    if (known.includes(named)) return named;
    throw unknownAgent(`there is no agent ${cleanLine(named, 60)}`, known);
  }
  if (known.includes(given.user.toLowerCase())) return given.user.toLowerCase();
  throw unknownAgent('it is not clear which agent is meant', known);
}

function unknownAgent(message: string, known: readonly string[]): UserError {
  return new UserError(`${message}${known.length === 0 ? '' : `; there are: ${known.slice(0, 20).join(', ')}`}`, {
    exitCode: EXIT.usage,
    code: 'usage',
    hint: 'name it with --agent or in $DISPATCHER_AGENT',
  });
}
