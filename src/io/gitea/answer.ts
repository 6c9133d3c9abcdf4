// What the server's answers mean: JSON, "not found", or an error that says what failed, where, why and how to mend it.

import { fromRfc3339 } from '../../core/clock.ts';
import { EXIT, UserError } from '../../core/errors.ts';
import { cleanLine } from '../../core/task/untrusted.ts';
import { badAnswer, outage, shortPath } from './outage.ts';

export interface JsonAnswer {
  readonly status: 200;
  readonly body: unknown;
  readonly totalCount: number | null;
  /** The server's clock when it answered, to the second. */
  readonly date: number | null;
}
/** 400 and 404 are the server's words about what was asked, not about its own state. */
export type Answer = JsonAnswer | { readonly status: 400 | 404 };

/** An answer as it came. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly text: string;
}

/** Who asked, for messages. */
interface Asker {
  readonly url: string;
  readonly tokenSource: string;
}

/** What an answer means. Throws exit 4 when the token is refused, exit 75 when the answer cannot be used. */
export function interpret(answer: RawAnswer, path: string, options: Asker, verb: 'read' | 'change'): Answer {
  const { status } = answer;
  if (status === 401) {
    throw new UserError(`Gitea refused the token (401) at ${options.url}`, {
      exitCode: EXIT.token,
      code: 'gitea_unauthorized',
      hint: `the token came from ${options.tokenSource}; create one with scope read:issue at ${options.url}/user/settings/applications, then: dispatcher token`,
    });
  }
  if (status === 403) {
    throw new UserError(`Gitea does not let this token ${verb} ${shortPath(path)} (403)`, {
      exitCode: EXIT.token,
      code: 'gitea_forbidden',
      hint: `the token came from ${options.tokenSource}; it needs the scope ${verb === 'read' ? 'read' : 'write'}:issue, and its user must be able to ${verb === 'read' ? 'see the repository' : 'do that'}`,
    });
  }
  const isJson = /\bjson\b/iu.test(answer.headers.get('content-type') ?? '');
  if (status === 404 || status === 400) {
    if (isJson || answer.headers.get('content-type')?.startsWith('text/plain')) return { status };
    throw notApi(answer, path, options);
  }
  if (status < 200 || status > 299) {
    throw outage(`Gitea at ${options.url} answered ${status} to ${shortPath(path)}`, {
      code: 'gitea_error',
      hint: "look into the server's log; the next pass tries again",
    });
  }
  if (!isJson) throw notApi(answer, path, options);
  const total = Number.parseInt(answer.headers.get('x-total-count') ?? '', 10);
  return {
    status: 200,
    body: parsed(answer, path, options),
    totalCount: Number.isSafeInteger(total) && total >= 0 ? total : null,
    date: fromRfc3339(answer.headers.get('date') ?? '') ?? null,
  };
}

function parsed(answer: RawAnswer, path: string, options: Asker): unknown {
  try {
    return JSON.parse(answer.text);
  } catch (error) {
    throw badAnswer(
      `Gitea at ${options.url} answered ${shortPath(path)} with broken JSON (${answer.text.length} characters)`,
      error,
    );
  }
}

function notApi(answer: RawAnswer, path: string, options: Asker): UserError {
  const type = cleanLine(answer.headers.get('content-type') ?? 'nothing', 60);
  return outage(
    `Gitea at ${options.url} answered ${shortPath(path)} with ${type} (status ${answer.status}) where JSON was expected`,
    {
      code: 'gitea_not_api',
      hint: 'check gitea.url and its path prefix; a login page or bot wall in front of the server has the same effect',
    },
  );
}

/** How long the server wants to be left alone, in milliseconds: seconds or an HTTP date; null when it does not say. */
export function retryAfter({ headers }: RawAnswer): number | null {
  const value = headers.get('retry-after');
  if (value === null) return null;
  if (/^\d+$/u.test(value)) return Number(value) * 1000;
  const served = Date.parse(headers.get('date') ?? '');
  const at = Date.parse(value);
  // Against the server's own clock: this machine's may differ.
  return Number.isNaN(at) || Number.isNaN(served) ? null : Math.max(0, at - served);
}
