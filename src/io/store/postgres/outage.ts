// What goes wrong with a database, in words: what, why, how to mend it, and with which exit code.

import { EXIT, type ExitCode, messageOf, systemCode, UserError } from '../../../core/errors.ts';
import { cleanLine } from '../../../core/task/untrusted.ts';

interface Told {
  readonly code: string;
  readonly exitCode: ExitCode;
  readonly what: string;
  readonly hint: string;
}

const LATER = EXIT.unavailable;
const MEND = EXIT.invalid;

const TOLD: Readonly<Record<string, Told>> = {
  '28': {
    code: 'store_refused',
    exitCode: MEND,
    what: 'lets this user not in',
    hint: 'check user and password in the address, and pg_hba.conf of the server',
  },
  '3D000': {
    code: 'store_missing',
    exitCode: MEND,
    what: 'is not there',
    hint: 'create it: createdb -O dispatcher dispatcher',
  },
  '3F000': uninitialised(),
  '42P01': uninitialised(),
  '42501': {
    code: 'store_forbidden',
    exitCode: MEND,
    what: 'does not let this user do that',
    hint: 'let the owner of the schema run: dispatcher store init, or grant this user all on the schema and its tables',
  },
  '42704': {
    code: 'store_too_old',
    exitCode: MEND,
    what: 'is too old, or no PostgreSQL of its own (a pooler in front of it)',
    hint: 'PostgreSQL 14 or newer is needed, and a direct connection',
  },
  '53100': {
    code: 'store_full',
    exitCode: LATER,
    what: 'has no room left on its disk',
    hint: 'make room on the database server',
  },
  '53': {
    code: 'store_busy',
    exitCode: LATER,
    what: 'has no connection or memory left',
    hint: 'raise max_connections, or let fewer connect',
  },
  '25006': {
    code: 'store_read_only',
    exitCode: LATER,
    what: 'takes no writes: a replica, or made read-only',
    hint: 'name the primary in the address, or all servers: postgres://user@one,two/name',
  },
  '55P03': {
    code: 'store_busy',
    exitCode: LATER,
    what: 'is held up by somebody else',
    hint: 'look for what holds it: select * from pg_stat_activity',
  },
  '57014': {
    code: 'store_busy',
    exitCode: LATER,
    what: 'took too long',
    hint: 'look at the load of the database server',
  },
  '40': {
    code: 'store_busy',
    exitCode: LATER,
    what: 'was asked for the same by two machines at once',
    hint: 'nothing to do: the next pass tries again',
  },
};

const UNREACHABLE: Told = {
  code: 'store_unreachable',
  exitCode: LATER,
  what: 'cannot be reached',
  hint: 'is it running, and the address right? Nothing is dispatched meanwhile, and nothing is lost',
};

/** Whatever else the server says to a statement: it is there, and answers. */
const FAILED: Told = {
  code: 'store_failed',
  exitCode: LATER,
  what: 'refused a statement',
  hint: 'see the log of the database server; if it is in order there, please report this message. Nothing is lost',
};
/** States of which the server tells when it ends a conversation: a failed connection, a shutdown. */
const ENDING = /^(?:08|57P)/u;
const STATE = /^[0-9A-Z]{5}$/u;

function uninitialised(): Told {
  return {
    code: 'store_uninitialised',
    exitCode: MEND,
    what: 'has no tables of the dispatcher yet, or this user may not see them',
    hint: 'once, from one machine: dispatcher store init',
  };
}

/** An error of the database as one that people can mend. `secret` is in no message, whoever put it there. */
export function storeError(error: unknown, secret: string | undefined): UserError {
  if (error instanceof UserError) return error;
  const state = systemCode(error) || (/password|SASL|SCRAM/u.test(messageOf(error)) ? '28P01' : '');
  const told = certificate(state) ?? TOLD[state] ?? TOLD[state.slice(0, 2)] ?? unknown(state);
  const why = masked(cleanLine(messageOf(error) || state || 'no answer', 300), secret);
  return new UserError(`the database of the store ${told.what}: ${why}`, {
    exitCode: told.exitCode,
    code: told.code,
    hint: told.hint,
  });
}

function unknown(state: string): Told {
  return STATE.test(state) && !/^E[A-Z]/u.test(state) && !ENDING.test(state) ? FAILED : UNREACHABLE;
}

function certificate(state: string): Told | undefined {
  return /CERT|SELF_SIGNED|ALTNAME|SSL|TLS/u.test(state)
    ? {
        code: 'store_certificate',
        exitCode: MEND,
        what: 'has a certificate that does not hold',
        hint: 'name the certificates of its authority as store.caFile; the name in the address must be one of the certificate',
      }
    : undefined;
}

function masked(text: string, secret: string | undefined): string {
  return secret ? text.replaceAll(secret, '•••') : text;
}
