// Questions that only `doctor` and `init` ask of a server.

import { UserError } from '../../core/errors.ts';
import { cleanLine } from '../../core/untrusted.ts';
import type { GiteaClient } from './client.ts';
import { badAnswer } from './outage.ts';

/** What the server calls its version, and its clock. Throws exit 75 when there is no API. */
export async function readVersion(
  client: GiteaClient,
): Promise<{ readonly version: string; readonly date: number | null }> {
  const answer = await client('/version');
  const body: unknown = answer.status === 200 ? answer.body : null;
  if (answer.status !== 200 || typeof body !== 'object' || body === null || !('version' in body)) {
    throw badAnswer('the server does not tell its version: it seems not to be a Gitea or Forgejo');
  }
  return { version: cleanLine(String(body.version), 60), date: answer.date };
}

/** Whether the token may read its user, which no pass needs: a sign that it may do more as well. */
export async function mayReadUser(client: GiteaClient): Promise<boolean> {
  try {
    return (await client('/user')).status === 200;
  } catch (error) {
    if (error instanceof UserError && error.code === 'gitea_forbidden') return false;
    throw error;
  }
}
