// What a token may do besides reading issues: asked by `doctor` and `token`, and for a receipt that nobody remembers.

import { UserError } from '../../core/errors.ts';
import { cleanLine } from '../../core/task/untrusted.ts';
import type { GiteaClient } from './client.ts';
import { itemsOf } from './items.ts';
import { repositoryPath } from './paths.ts';

/** The login that a token belongs to; null when it may not tell, which the scope read:issue alone does not allow. */
export async function readLogin(client: GiteaClient): Promise<string | null> {
  const user = await readUser(client);
  return 'login' in user ? cleanLine(String(user.login), 100) : null;
}

/** The number of the account that a token belongs to; null when it may not tell. */
export async function readUserId(client: GiteaClient): Promise<number | null> {
  const user = await readUser(client);
  return 'id' in user && Number.isSafeInteger(user.id) ? Number(user.id) : null;
}

async function readUser(client: GiteaClient): Promise<object> {
  const answer = await unlessForbidden(async () => client('/user'));
  const body: unknown = answer?.status === 200 ? answer.body : null;
  return typeof body === 'object' && body !== null ? body : {};
}

/** Whether a token may write to issues. It asks to change a comment that there cannot be, so nothing is written. */
export async function mayWriteIssues(client: GiteaClient, repository: string): Promise<boolean> {
  const path = `${repositoryPath(repository)}/issues/comments/0`;
  const answer = await unlessForbidden(async () => client(path, { method: 'PATCH', body: { body: '' } }));
  return answer !== null;
}

/** Whether a repository has a label of that name. */
export async function hasLabel(client: GiteaClient, repository: string, label: string): Promise<boolean> {
  for await (const each of itemsOf(client, `${repositoryPath(repository)}/labels`)) {
    if (nameOf(each) === label) return true;
  }
  return false;
}

function nameOf(label: unknown): unknown {
  return typeof label === 'object' && label !== null && 'name' in label ? label.name : undefined;
}

/** What is answered; null when the token may not do that (403). */
export async function unlessForbidden<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof UserError && error.code === 'gitea_forbidden') return null;
    throw error;
  }
}
