// A real Gitea or Forgejo, where one is named: DISPATCHER_TEST_GITEA is its address, DISPATCHER_TEST_TOKEN a token of an
// administrator. What tests make there stays there: name one that nobody needs.

import * as z from 'zod/mini';

const URL = process.env['DISPATCHER_TEST_GITEA'];
const TOKEN = process.env['DISPATCHER_TEST_TOKEN'];

/** Null: none is named. */
export const SERVER = URL !== undefined && TOKEN !== undefined ? { url: URL, token: TOKEN } : null;

/** What is needed of what it answers. */
const Answer = z.object({
  id: z._default(z.int(), 0),
  number: z._default(z.int(), 0),
  sha: z._default(z.string(), ''),
  uuid: z._default(z.string(), ''),
  commit: z._default(z.object({ sha: z._default(z.string(), '') }), { sha: '' }),
});
type Answer = z.infer<typeof Answer>;

/** Asks it something, as somebody. Throws what it says when it refuses. */
export async function ask(method: string, path: string, body?: unknown, as?: string): Promise<Answer> {
  const isForm = body instanceof FormData;
  const response = await fetch(`${URL ?? ''}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${TOKEN ?? ''}`,
      ...(isForm || body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(as === undefined ? {} : { sudo: as }),
    },
    ...(body === undefined ? {} : { body: isForm ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text.startsWith('{') ? Answer.parse(JSON.parse(text)) : Answer.parse({});
}

/** A user of that name, who may write everywhere in a repository; one that is there already is as good. */
export async function join(repository: string, login: string): Promise<void> {
  const user = {
    username: login,
    email: `${login}@example.invalid`,
    password: `${login}-Secret-1`,
    must_change_password: false,
  };
  await ask('POST', '/admin/users', user).catch((error: Error) => {
    if (!/ 422 /u.test(error.message)) throw error;
  });
  await ask('PUT', `/repos/${repository}/collaborators/${login}`, { permission: 'write' });
}

/** Writes a file on a branch, a new one where it is not there. Answers the commit. */
export async function commit(
  repository: string,
  file: { readonly path: string; readonly text: string; readonly branch: string; readonly from?: string },
  message: string,
  as?: string,
): Promise<string> {
  const content = Buffer.from(file.text).toString('base64');
  const where = file.from === undefined ? { branch: file.branch } : { branch: file.from, new_branch: file.branch };
  const known = await ask('GET', `/repos/${repository}/contents/${file.path}?ref=${file.from ?? file.branch}`).catch(
    () => null,
  );
  const body = { content, message, ...where, ...(known === null ? {} : { sha: known.sha }) };
  const answer = await ask(known === null ? 'POST' : 'PUT', `/repos/${repository}/contents/${file.path}`, body, as);
  return answer.commit.sha;
}
