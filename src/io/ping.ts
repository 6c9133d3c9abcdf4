// The dead man's ping: a service that expects one after each pass, and raises the alarm when it does not come.

import { messageOf } from '../core/errors.ts';
import { createAgent } from './agents.ts';
import { deadline, unlessAborted } from './deadline.ts';
import { ofetch } from './http.ts';
import { followWithin } from './redirects.ts';

const TIMEOUT_MS = 3000;
/** Nobody reads what it answers. */
const MAX_BYTES = 1024 * 1024;

/**
 * Tells the service that a pass went well (`failure` null), or why it did not: to the address itself, or with `/fail`
 * behind its path, as healthchecks services take it. Throws when the service did not take it within 3 s; the message has
 * its host only, since whoever knows the whole address can ping.
 */
export async function ping(
  address: string,
  failure: string | null,
  { userAgent, environment }: { readonly userAgent: string; readonly environment: NodeJS.ProcessEnv },
): Promise<void> {
  const url = new URL(address);
  if (failure !== null) url.pathname = `${url.pathname.replace(/\/$/u, '')}/fail`;
  const agent = await createAgent(address, { environment, caFile: null });
  const limit = deadline(TIMEOUT_MS);
  const request = {
    method: 'POST' as const,
    body: failure ?? 'ok',
    headers: { 'content-type': 'text/plain; charset=utf-8', 'user-agent': userAgent },
    retry: 0,
    responseType: 'text' as const,
    signal: limit.signal,
    agent,
    maxBytes: MAX_BYTES,
  };
  try {
    const asked = followWithin(url.href, url.href, async (at) => ofetch.raw(at, request));
    const end = await unlessAborted(limit.signal, asked);
    if (end.kind !== 'answer') throw new Error('it leads to another address');
  } catch (error) {
    // The message of the HTTP layer holds the address.
    const why = messageOf(error).replaceAll(url.href, url.host).replaceAll(address, url.host);
    throw new Error(`${url.host} did not take the ping: ${why}`, { cause: error });
  } finally {
    limit.clear();
    agent.destroy();
  }
}
