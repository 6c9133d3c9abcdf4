// How `init` asks: until the answer has proved itself.

import { EXIT, hintOf, messageOf, UserError } from '../core/errors.ts';
import type { Choice, Prompter } from '../io/prompts.ts';
import { findingText } from '../views/doctor.ts';
import type { InitDeps } from './init.ts';

/** An answer that passed its check. A given one is tried once; one that was asked for is asked for again until it is right. */
export async function untilRight<T>(
  { prompter, print }: InitDeps,
  given: string | undefined,
  ask: (prompter: Prompter) => Promise<string>,
  check: (answer: string) => Promise<T>,
): Promise<T> {
  if (given !== undefined || prompter === null) return check(given ?? '');
  for (;;) {
    const answer = await ask(prompter);
    try {
      return await check(answer);
    } catch (error) {
      if (!(error instanceof UserError) || error.exitCode === EXIT.interrupted) throw error;
      print(findingText({ check: 'no', status: 'failed', message: messageOf(error), fix: hintOf(error) }));
    }
  }
}

/** A refused token, with its remedy: `dispatcher token` needs the configuration that is yet to be written. */
export function refusedToken(error: unknown, url: string, file: string | null): UserError {
  const place = file === null ? '' : `, put it into ${file} (or take that file away)`;
  return new UserError(messageOf(error), {
    exitCode: EXIT.token,
    code: 'gitea_unauthorized',
    hint: `make one with the scope read:issue at ${url}/user/settings/applications${place}, then repeat this`,
    cause: error,
  });
}

/** Prints what was found out. */
export function say({ print }: InitDeps, check: string, message: string): void {
  print(findingText({ check, status: 'ok', message, fix: null }));
}

/** Each name once, the commonest first. */
export function counted(names: readonly string[], noun: string): readonly Choice[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .toSorted(([a, n], [b, m]) => m - n || a.localeCompare(b))
    .map(([value, count]) => ({ value, hint: plural(count, noun) }));
}

/** `1 issue`, `2 issues` */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
