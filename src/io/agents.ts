// How requests leave this machine: straight, or through the proxy that the environment names, as curl and git do it.

import { Agent } from 'node:http';
import type { AgentOptions } from 'node:https';
import { EXIT, messageOf, UserError } from '../core/errors.ts';
import { readTextFile } from './files.ts';

interface Way {
  /** The variables HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, also in small letters. */
  readonly environment: NodeJS.ProcessEnv;
  /** Certificates of an authority of one's own, besides those that Node knows. */
  readonly caFile: string | null;
}

const MAX_CONNECTIONS = 4;

/**
 * The connections for requests to the server of an address; whoever made them destroys them. What one needs for proxies or for TLS
 * is loaded only where it is used. Throws exit 78 when the certificates or the proxy's address cannot be used.
 */
export async function createAgent(address: string, { environment, caFile }: Way): Promise<Agent> {
  const isSecure = new URL(address).protocol === 'https:';
  const options: AgentOptions = {
    keepAlive: true,
    maxSockets: MAX_CONNECTIONS,
    ...(caFile === null ? {} : { ca: [...(await authorities(caFile))] }),
  };
  const proxy = await proxyFor(address, environment);
  if (!isSecure) {
    return proxy === null ? new Agent(options) : new (await import('http-proxy-agent')).HttpProxyAgent(proxy, options);
  }
  if (proxy === null) return new (await import('node:https')).Agent(options);
  const tunnel = new (await import('https-proxy-agent')).HttpsProxyAgent(proxy, options);
  // It keeps its options for the way to the proxy; behind the proxy the certificates count as well.
  if (options.ca) Object.assign(tunnel.options, { ca: options.ca });
  return tunnel;
}

/** The proxy through which an address is asked, without its user and password; null when there is none. */
export async function proxyName(address: string, environment: NodeJS.ProcessEnv): Promise<string | null> {
  const proxy = await proxyFor(address, environment);
  return proxy === null ? null : proxy.origin;
}

async function proxyFor(address: string, environment: NodeJS.ProcessEnv): Promise<URL | null> {
  if (!Object.keys(environment).some((name) => /^(?:https?|all)_proxy$/iu.test(name) && environment[name])) return null;
  // It reads the environment of the process, which is the one that is meant.
  const { getProxyForUrl } = await import('proxy-from-env');
  const proxy = getProxyForUrl(address);
  if (proxy === '') return null;
  const url = URL.canParse(proxy) ? new URL(proxy) : null;
  if (url && /^https?:$/u.test(url.protocol)) return url;
  throw new UserError('the proxy that HTTP_PROXY or HTTPS_PROXY names has no http(s) address', {
    exitCode: EXIT.invalid,
    code: 'proxy_invalid',
    hint: 'such as HTTPS_PROXY=http://proxy.example.com:3128; NO_PROXY names hosts that are asked without it',
  });
}

async function authorities(caFile: string): Promise<readonly string[]> {
  try {
    const text = readTextFile(caFile);
    if (!text.includes('-----BEGIN CERTIFICATE-----')) throw new Error('it holds no certificate in PEM form');
    const { rootCertificates } = await import('node:tls');
    return [...rootCertificates, text];
  } catch (error) {
    throw new UserError(`gitea.caFile ${caFile} cannot be used: ${messageOf(error)}`, {
      exitCode: EXIT.invalid,
      code: 'ca_unusable',
      hint: 'name the file with the certificate of your authority (PEM), which this user can read',
      cause: error,
    });
  }
}
