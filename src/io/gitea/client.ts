// The only place that speaks HTTP with Gitea: one request with its redirects, repetitions and limits of time and size. What the
// answers mean is answer.ts.

import type { Agent } from 'node:http';
import type { FetchOptions } from 'ofetch';
import { UserError } from '../../core/errors.ts';
import { cleanLine } from '../../core/task/untrusted.ts';
import { deadline, type Slice, unlessAborted } from '../deadline.ts';
import { ofetch, type Way } from '../http.ts';
import { followWithin } from '../redirects.ts';
import { type Answer, interpret, type RawAnswer, retryAfter } from './answer.ts';
import { isFinal, MAX_BODY_BYTES, outage, REQUEST_TIMEOUT_MS, turnedAway, unreachable } from './outage.ts';

const MAX_RETRIES = 2;
const RETRIED_STATUSES = new Set([429, 502, 503, 504]);

export interface ClientOptions {
  readonly url: string;
  /** Null: asks as nobody. */
  readonly token: string | null;
  /** Where the token came from, for messages. */
  readonly tokenSource: string;
  readonly version: string;
  /** The connections, which are closed with `signal`. */
  readonly agent: Agent;
  /** Ends every request: the deadline of the pass, or an interrupt. */
  readonly signal: AbortSignal;
  /** Milliseconds until the deadline. */
  readonly timeLeft: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** The longest a single request may take, its body included. Default: 15 s. */
  readonly requestTimeoutMs?: number;
  /** 0 to 1, for the jitter between retries. */
  readonly random: () => number;
  /** Receives a line for each request, without the token. */
  readonly trace?: (line: string) => void;
}

/** Something to write: only receipts do. It is never repeated by itself, since the answer may be what got lost. */
interface Write {
  readonly method: 'POST' | 'PATCH';
  readonly body: Readonly<Record<string, unknown>>;
}

/** Something to read that may be less than the longest answer. */
interface Read {
  readonly maxBytes: number;
}

/** `slice`: the request and its repetitions end with that as well. */
export type GiteaClient = (path: string, request?: Write | Read, slice?: Slice) => Promise<Answer>;

interface Asked {
  readonly maxBytes: number;
  readonly write: Write | undefined;
  readonly slice: Slice | undefined;
}

/** A reader of `/api/v1` paths: `client('/repos/acme/app/issues/5')`. It throws UserErrors with exit 4 or 75. */
export function createClient(options: ClientOptions): GiteaClient {
  const request = createRequest(options);
  return async (path, asked, slice) => {
    const write = asked && 'method' in asked ? asked : undefined;
    const maxBytes = asked && 'maxBytes' in asked ? asked.maxBytes : MAX_BODY_BYTES;
    const address = `${options.url}/api/v1${path}`;
    const retries = write ? 0 : MAX_RETRIES;
    for (let attempt = 0; ; attempt += 1) {
      const outcome = await attempted(() =>
        follow(async (at) => request(at, { maxBytes, write, slice }), address, options),
      );
      if (outcome.kind === 'answer' && !RETRIED_STATUSES.has(outcome.answer.status)) {
        return interpret(outcome.answer, path, options, write ? 'change' : 'read');
      }
      const wait = outcome.kind === 'answer' ? retryAfter(outcome.answer) : null;
      const pause = wait ?? (250 + 500 * options.random()) * 2 ** attempt;
      const timeLeft = Math.min(options.timeLeft(), slice?.timeLeft() ?? Number.POSITIVE_INFINITY);
      if (attempt === retries || (outcome.kind === 'error' && !outcome.retry) || pause >= timeLeft) {
        throw outcome.kind === 'answer'
          ? turnedAway(outcome.answer.status, path, options.url)
          : unreachable(outcome.error, { url: options.url, path, maxBytes, ...whatEnded(options, slice) });
      }
      await options.sleep(pause);
    }
  };
}

// The slice of one issue may be over while the pass has time left.
function whatEnded({ signal }: ClientOptions, slice: Slice | undefined): { signal: AbortSignal; within: string } {
  return slice?.signal.aborted && !signal.aborted
    ? { signal: slice.signal, within: 'one issue' }
    : { signal, within: 'a pass' };
}

function createRequest({
  token,
  version,
  agent,
  signal,
  trace,
  requestTimeoutMs = REQUEST_TIMEOUT_MS,
}: ClientOptions): (address: string, asked: Asked) => Promise<RawAnswer> {
  // A connection in the midst of an endless answer would keep the process alive.
  signal.addEventListener('abort', () => agent.destroy());
  const headers = {
    accept: 'application/json',
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    'user-agent': `dispatcher/${version} (agent-dispatcher)`,
  };
  return async (address, { maxBytes, write, slice }) => {
    const started = performance.now();
    const limit = deadline(requestTimeoutMs, signal, ...(slice ? [slice.signal] : []));
    const settings: FetchOptions<'text'> & Way = {
      headers,
      ...(write ? { method: write.method, body: JSON.stringify(write.body) } : {}),
      // Retries are decided above: ofetch would repeat a 503 once by itself, without looking at Retry-After.
      retry: 0,
      ignoreResponseError: true,
      responseType: 'text',
      signal: limit.signal,
      agent,
      maxBytes,
    };
    try {
      const response = await unlessAborted(limit.signal, ofetch.raw<string, 'text'>(address, settings));
      trace?.(`${write?.method ?? 'GET'} ${address} ${response.status} ${Math.round(performance.now() - started)}ms`);
      return { status: response.status, headers: response.headers, text: response._data ?? '' };
    } finally {
      limit.clear();
    }
  };
}

// Redirects stay on the configured server: the token goes nowhere else. Gitea sends a 307 for renamed repositories.
async function follow(
  request: (address: string) => Promise<RawAnswer>,
  start: string,
  { url }: ClientOptions,
): Promise<RawAnswer> {
  const end = await followWithin(url, start, request);
  switch (end.kind) {
    case 'answer':
      return end.answer;
    case 'elsewhere':
      throw outage(`Gitea at ${url} redirects to another server (${cleanLine(end.origin ?? 'no address', 100)})`, {
        code: 'gitea_redirect',
        hint: 'set gitea.url to the address the server really answers at; the token was not sent there',
      });
    case 'circle':
      throw outage(`Gitea at ${url} redirects in a circle`, {
        code: 'gitea_redirect',
        hint: 'check the reverse proxy in front of it',
      });
  }
}

type Attempt =
  | { readonly kind: 'answer'; readonly answer: RawAnswer }
  | { readonly kind: 'error'; readonly error: unknown; readonly retry: boolean };

async function attempted(run: () => Promise<RawAnswer>): Promise<Attempt> {
  try {
    return { kind: 'answer', answer: await run() };
  } catch (error) {
    if (error instanceof UserError) throw error;
    return { kind: 'error', error, retry: !isFinal(error) };
  }
}
