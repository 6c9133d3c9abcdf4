// What an address of a database means: where to connect, as whom, and how far the other side has to prove who it is.

import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { EXIT, messageOf, UserError } from '../../../core/errors.ts';

/** Where and how to connect. Several servers: the one that takes writes is used. */
export interface Target {
  readonly servers: readonly { readonly host: string; readonly port: number }[];
  readonly user: string;
  readonly password: string | undefined;
  readonly database: string;
  readonly ssl: false | ConnectionOptions;
}

const KNOWN = new Set(['host', 'port', 'sslmode', 'sslrootcert', 'target_session_attrs', 'application_name']);
const LOCAL = /^(?:localhost|127(?:\.\d+){3}|::1|\/.*)$/u;

/**
 * Reads `postgres://user:password@one,two:5433/name?sslmode=…`. Where nothing is said of TLS, it is wanted with a certificate that
 * holds, except of this machine itself. Throws exit 78, and never says what the address is.
 */
export function parseTarget(address: string, caFile: string | null): Target {
  const form = /^postgres(?:ql)?:\/\/(?:(?<login>[^@/?]*)@)?(?<hosts>[^/?]*)(?:\/(?<name>[^?]*))?(?:\?(?<query>.*))?$/u;
  const { login = '', hosts = '', name = '', query = '' } = form.exec(address)?.groups ?? {};
  const options = new URLSearchParams(query);
  const unknown = [...options.keys()].find((key) => !KNOWN.has(key));
  if (unknown !== undefined) throw invalid(`has an option that is not known: ${unknown}`);
  const colon = login.indexOf(':');
  const user = decoded(colon === -1 ? login : login.slice(0, colon));
  if (user === '') throw invalid('names no user');
  const servers = (options.get('host') ?? (decoded(hosts) || 'localhost'))
    .split(',')
    .map((each) => serverIn(each, options.get('port')));
  return {
    servers,
    user,
    password: colon === -1 ? undefined : decoded(login.slice(colon + 1)),
    database: decoded(name) || user,
    ssl: tlsOf(options.get('sslmode'), caFile ?? options.get('sslrootcert'), servers),
  };
}

function serverIn(text: string, port: string | null): Target['servers'][number] {
  const [, host = '', own] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/u.exec(text.trim()) ?? [];
  const number = Number(own ?? port ?? 5432);
  if (host === '' || !Number.isInteger(number) || number < 1 || number > 65_535) throw invalid('names no server');
  return { host: host.replaceAll(/^\[|\]$/gu, ''), port: number };
}

function tlsOf(mode: string | null, caFile: string | null, servers: Target['servers']): Target['ssl'] {
  const isLocal = servers.every(({ host }) => LOCAL.test(host));
  switch (mode ?? (isLocal && caFile === null ? 'disable' : 'verify-full')) {
    case 'disable':
      return false;
    // As libpq means it: nobody listens in, and nobody is asked who he is.
    case 'require':
      return caFile === null ? { rejectUnauthorized: false } : { ca: authority(caFile), rejectUnauthorized: true };
    case 'verify-ca':
      return { ...withAuthority(caFile), rejectUnauthorized: true, checkServerIdentity: () => undefined };
    case 'verify-full':
      return { ...withAuthority(caFile), rejectUnauthorized: true };
    default:
      throw invalid('must have sslmode=disable, require, verify-ca or verify-full');
  }
}

function withAuthority(caFile: string | null): { readonly ca?: string } {
  return caFile === null ? {} : { ca: authority(caFile) };
}

function authority(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UserError(`the certificates of the database's authority cannot be read: ${messageOf(error)}`, {
      exitCode: EXIT.invalid,
      code: 'store_address',
      hint: `check store.caFile, and that this user may read ${file}`,
      cause: error,
    });
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid('has a % that is followed by no two hexadecimal digits');
  }
}

function invalid(why: string): UserError {
  return new UserError(`the address of the database ${why}`, {
    exitCode: EXIT.invalid,
    code: 'store_address',
    hint: 'such as postgres://dispatcher:PASSWORD@db.example.com:5432/dispatcher; special characters of a password as %XX',
  });
}
