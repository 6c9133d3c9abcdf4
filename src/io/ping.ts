// The dead man's ping: a service that expects one after each pass, and raises the alarm when it does not come.

import { fetch, Headers } from 'node-fetch-native/node';
import { createFetch } from 'ofetch';
import { messageOf } from '../core/errors.ts';
import { createAgents } from './agents.ts';
import { deadline, unlessAborted } from './deadline.ts';

const TIMEOUT_MS = 3000;

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
  const agents = await createAgents(address, { environment, caFile: null });
  const limit = deadline(TIMEOUT_MS);
  const agent = url.protocol === 'https:' ? agents['https:'] : agents['http:'];
  const settings = {
    method: 'POST',
    body: failure ?? 'ok',
    headers: { 'content-type': 'text/plain; charset=utf-8', 'user-agent': userAgent },
    retry: 0,
    responseType: 'text' as const,
    signal: limit.signal,
    agent,
  };
  try {
    await unlessAborted(limit.signal, createFetch({ fetch, Headers, AbortController }).raw(url.href, settings));
  } catch (error) {
    // The message of the HTTP layer holds the address.
    const why = messageOf(error).replaceAll(url.href, url.host).replaceAll(address, url.host);
    throw new Error(`${url.host} did not take the ping: ${why}`, { cause: error });
  } finally {
    limit.clear();
    agent.destroy();
  }
}
