// HTTP: ofetch, over a fetch of its own on Node's client. A timer pays for the first request every minute: Node's built-in fetch takes
// 110 ms of CPU for it (it compiles WebAssembly), and others over node:http 15 ms, most of them for streams of the web that nobody reads.

import http, { type Agent, type IncomingMessage } from 'node:http';
import { createFetch } from 'ofetch';

/** Names and values of header fields, as ofetch asks for them: Node loads its whole fetch when its own `Headers` is touched. */
class HeaderFields extends Map<string, string> {
  constructor(fields: Readonly<Record<string, string>> | Iterable<readonly [string, string]> = {}) {
    const pairs = Symbol.iterator in fields ? [...fields] : Object.entries(fields);
    super(pairs.map(([name, value]) => [name.toLowerCase(), value]));
  }
}

export interface HttpRequest {
  readonly method?: string;
  readonly headers: ConstructorParameters<typeof HeaderFields>[0];
  readonly body?: string;
  /** The connections, which are of the protocol of the address. */
  readonly agent: Agent;
  /** Ends the request, and the answer that is being read. */
  readonly signal: AbortSignal;
  /** The longest answer that is read, unpacked. */
  readonly maxBytes: number;
}

/** What is needed of a `Response`. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: Buffer;
  /** The body as text, without the mark that some servers begin with. */
  readonly text: () => Promise<string>;
}

/** The code of an error: an answer was longer than what is read. */
export const MAX_SIZE = 'max-size';

class TooLong extends Error {
  readonly code = MAX_SIZE;

  constructor(maxBytes: number) {
    super(`the answer is longer than ${maxBytes} bytes`);
  }
}

/** Sends a request and reads the whole answer, whatever its status; redirects are answers. Throws what the system says. */
export async function send(address: string, request: HttpRequest): Promise<HttpAnswer> {
  const { method = 'GET', body, agent, signal, maxBytes } = request;
  const headers = { 'accept-encoding': 'gzip', ...Object.fromEntries(new HeaderFields(request.headers)) };
  // TLS is a good deal of code: a server next door is asked without it.
  const protocol = address.startsWith('https:') ? (await import('node:https')).default : http;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    protocol.request(address, { method, headers, agent, signal }, resolve).on('error', reject).end(body);
  });
  const packed = await wholeBody(response, maxBytes);
  const isPacked = /^(?:x-)?gzip$/iu.test(response.headers['content-encoding'] ?? '');
  const bytes = isPacked ? await unpacked(packed, maxBytes) : packed;
  return {
    status: response.statusCode ?? 0,
    headers: {
      get: (name) => {
        const value = response.headers[name.toLowerCase()];
        return typeof value === 'string' ? value : null;
      },
    },
    body: bytes,
    text: async () => bytes.toString('utf8').replace(/^\uFEFF/u, ''),
  };
}

/** What ofetch gets besides its own options. */
export type Way = Pick<HttpRequest, 'agent' | 'signal' | 'maxBytes'>;

/** ofetch over `send`, which is as much of a fetch as ofetch needs. */
export const ofetch = createFetch({
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  fetch: send as unknown as typeof fetch,
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  Headers: HeaderFields as unknown as typeof Headers,
  AbortController,
});

// By its events: reading it as an iterator is slower.
async function wholeBody(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let length = 0;
    response
      .on('data', (part: Buffer) => {
        length += part.length;
        if (length > maxBytes) response.destroy(new TooLong(maxBytes));
        else parts.push(part);
      })
      .on('end', () => resolve(Buffer.concat(parts, length)))
      // A connection that breaks off is an error too.
      .on('error', reject);
  });
}

async function unpacked(bytes: Buffer, maxBytes: number): Promise<Buffer> {
  if (bytes.length === 0) return bytes;
  const { constants, gunzip } = await import('node:zlib');
  return new Promise((resolve, reject) => {
    // Some servers leave the end of the packing out, and browsers do not mind.
    const options = { maxOutputLength: maxBytes, finishFlush: constants.Z_SYNC_FLUSH };
    gunzip(bytes, options, (error, whole) => {
      if (error === null) resolve(whole);
      else reject('code' in error && error.code === 'ERR_BUFFER_TOO_LARGE' ? new TooLong(maxBytes) : error);
    });
  });
}
