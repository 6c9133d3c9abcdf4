// Questions that only `doctor` and `init` ask of a server.

import type { RepositoryPattern } from '../../core/config/patterns.ts';
import { EXIT, UserError } from '../../core/errors.ts';
import type { Issue } from '../../core/issue/issue.ts';
import { cleanLine } from '../../core/task/untrusted.ts';
import type { GiteaClient } from './client.ts';
import { badAnswer } from './outage.ts';
import { repositoryPath } from './paths.ts';
import { unlessForbidden } from './rights.ts';
import { parseListed } from './wire-row.ts';

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
  return (await unlessForbidden(async () => client('/user')))?.status === 200;
}

/**
 * Those of the named repositories that the token cannot read. A listing asks once for all of an owner's, and then nobody
 * misses one that is not there.
 */
export async function unreadableRepositories(
  client: GiteaClient,
  patterns: readonly RepositoryPattern[],
): Promise<readonly string[]> {
  const named = patterns.flatMap(({ owner, name }) => (name === null ? [] : [{ owner, name }]));
  const answers = await Promise.all(
    named.map(async ({ owner, name }) => client(`${repositoryPath(`${owner}/${name}`)}/issues?state=open&limit=1`)),
  );
  return named.flatMap(({ owner, name }, index) => (answers[index]?.status === 200 ? [] : [`${owner}/${name}`]));
}

/** A server's address, as found in what somebody pasted. */
export interface FoundServer {
  readonly url: string;
  /** Null when it tells nobody who is not signed in. */
  readonly version: string | null;
}

/**
 * The server behind the address of one of its pages: without a scheme https is tried before http, and a path is shortened
 * until an API answers. Throws exit 75 with what the first of these addresses said, exit 2 when it is no address.
 */
export async function findServer(
  clientFor: (url: string) => Promise<GiteaClient>,
  address: string,
): Promise<FoundServer> {
  let first: unknown;
  for (const url of candidatesOf(address)) {
    try {
      return { url, version: (await readVersion(await clientFor(url))).version };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      if (error.exitCode === EXIT.token) return { url, version: null };
      first ??= error;
    }
  }
  throw first;
}

function candidatesOf(address: string): readonly string[] {
  const typed = address.trim();
  const addresses = /^https?:\/\//iu.test(typed) ? [typed] : [`https://${typed}`, `http://${typed}`];
  return addresses.flatMap((each) => {
    if (!URL.canParse(each)) {
      throw new UserError(
        `${JSON.stringify(cleanLine(typed, 100))} is not an address such as https://git.example.com`,
        {
          exitCode: EXIT.usage,
          code: 'usage',
        },
      );
    }
    const { origin, pathname } = new URL(each);
    const parts = pathname.split('/').filter(Boolean);
    return Array.from({ length: parts.length + 1 }, (_, cut) =>
      [origin, ...parts.slice(0, parts.length - cut)].join('/'),
    );
  });
}

/**
 * The newest open issues that the token can see, whatever their repository: a page of them, to offer names. Empty when the
 * server does not answer such a wide question. Throws exit 4 when the token is refused.
 */
export async function visibleIssues(client: GiteaClient): Promise<readonly Issue[]> {
  try {
    const answer = await client('/repos/issues/search?state=open&type=issues&limit=50&page=1');
    if (answer.status !== 200 || !Array.isArray(answer.body)) return [];
    return answer.body.flatMap((element: unknown) => {
      const listed = parseListed(element, null);
      return listed.kind === 'issue' ? [listed.issue] : [];
    });
  } catch (error) {
    if (error instanceof UserError && error.code === 'gitea_error') return [];
    throw error;
  }
}
