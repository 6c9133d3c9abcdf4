// What is said when Gitea cannot be used right now: exit 75, what failed, where, why, and how to mend it.

import { EXIT, messageOf, systemCode, UserError } from '../../core/errors.ts';
import { cleanLine } from '../../core/task/untrusted.ts';
import { MAX_SIZE } from '../http.ts';

/** The longest a single request may take. */
export const REQUEST_TIMEOUT_MS = 15_000;
/** The longest answer that is read. */
export const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** The code of an answer that was longer than what is read. */
export const TOO_LARGE = 'gitea_too_large';

/** An error with exit 75. */
export function outage(message: string, options: { code: string; hint: string; cause?: unknown }): UserError {
  return new UserError(message, { exitCode: EXIT.unavailable, ...options });
}

/** The server answered, but with nothing that can be used. */
export function badAnswer(message: string, cause?: unknown): UserError {
  return outage(message, {
    code: 'gitea_bad_answer',
    hint: "look into the server's log, or at a proxy in front of it; the next pass tries again",
    cause,
  });
}

/** The server, or a proxy in front of it, kept answering "later". */
export function turnedAway(status: number, path: string, url: string): UserError {
  return outage(`Gitea at ${url} answered ${status} to ${shortPath(path)}`, {
    code: status === 429 ? 'gitea_throttled' : 'gitea_unavailable',
    hint: 'the next pass tries again',
  });
}

interface Unanswered {
  readonly url: string;
  readonly path: string;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  /** Whose time was over. */
  readonly within: string;
}

/** No answer came at all. */
export function unreachable(cause: unknown, { url, path, maxBytes, signal, within }: Unanswered): UserError {
  if (signal.aborted) {
    return outage(`Gitea at ${url} did not answer within the time of ${within}`, {
      code: 'gitea_timeout',
      hint: 'check the server and the network; the next pass tries again',
      cause,
    });
  }
  if (codesOf(cause).includes(MAX_SIZE)) {
    return outage(`Gitea at ${url} answered ${shortPath(path)} with more than ${maxBytes / 1024 / 1024} MiB`, {
      code: TOO_LARGE,
      hint: 'look at what is so long there: a text of many megabytes can be made shorter, or the issue closed',
      cause,
    });
  }
  return outage(`Gitea at ${url} cannot be reached: ${reasonOf(cause)}`, {
    code: 'gitea_unreachable',
    hint: CERTIFICATE.test(codesOf(cause))
      ? 'to trust your own certificate authority, name its file as gitea.caFile (or set NODE_EXTRA_CA_CERTS for the command and its unit)'
      : codesOf(cause).includes('EPROTO')
        ? 'if the server speaks plain HTTP at that port, begin gitea.url with http://'
        : 'check gitea.url, the network and the server; the next pass tries again',
    cause,
  });
}

const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO/u;

/** Whether a repetition cannot help: a name that does not resolve, a closed port, a certificate, a body over the limit. */
export function isFinal(error: unknown): boolean {
  return /ENOTFOUND|ECONNREFUSED|CERT|SELF_SIGNED|UNABLE_TO|max-size|ERR_TLS|EPROTO/u.test(codesOf(error));
}

/** An API path without its query, safe to print. */
export function shortPath(path: string): string {
  return cleanLine(path.split('?')[0] ?? path, 120);
}

// ofetch, and proxies, wrap what the system said.
function codesOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  return [systemCode(error), error.name, codesOf(error.cause)].join(' ');
}

function reasonOf(error: unknown): string {
  const codes = codesOf(error);
  if (codes.includes('TimeoutError') || codes.includes('AbortError'))
    return `no answer within ${REQUEST_TIMEOUT_MS / 1000} s`;
  if (codes.includes('ENOTFOUND') || codes.includes('EAI_AGAIN')) return 'the host name does not resolve';
  if (codes.includes('ECONNREFUSED')) return 'the connection was refused';
  if (codes.includes('EPROTO')) return 'it does not speak TLS as expected';
  if (codes.includes('ECONNRESET') || codes.includes('PREMATURE_CLOSE')) return 'the connection broke off';
  return cleanLine(messageOf(rootOf(error)), 200);
}

function rootOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? rootOf(error.cause) : error;
}
