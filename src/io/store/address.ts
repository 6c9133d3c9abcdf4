// The address of the shared database. It may hold a password: it is read when it is needed, and stands in no message and no file of ours.

import { statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { EXIT, hintOf, messageOf, UserError } from '../../core/errors.ts';
import type { StoreConfig } from '../../core/store/store-config.ts';
import { readSecret } from '../secret-file.ts';

// The name of the credential that `systemd install` hands over.
const CREDENTIAL = 'store-url';

/** Whether the shared database is configured, or handed over. */
export interface Address {
  readonly value: string;
  /** Where it came from, for messages. */
  readonly source: string;
  /** Something the user should mend although it works. */
  readonly warning: string | null;
}

/** The address: systemd's credential `store-url` if it is there, else `store.urlFile`, else `store.url`. Throws exit 78. */
export function readAddress({ url, urlFile }: StoreConfig, environment: NodeJS.ProcessEnv): Address {
  const folder = environment['CREDENTIALS_DIRECTORY'];
  const credential = folder ? join(folder, CREDENTIAL) : null;
  if (credential !== null && statSync(credential, { throwIfNoEntry: false }))
    return fromFile(credential, `the systemd credential ${CREDENTIAL}`, false);
  if (urlFile !== null) return fromFile(urlFile, 'store.urlFile', true);
  if (url !== null) return { value: url, source: 'store.url', warning: null };
  throw invalid(
    'store is configured without an address: neither store.url nor store.urlFile is set, and there is no systemd credential',
    'put the address into a file that only you can read and name it as store.urlFile',
  );
}

/** What this machine is called among the others. */
export function hostName({ host }: StoreConfig): string {
  return (
    host ??
    (hostname()
      .toLowerCase()
      .replaceAll(/[^a-z0-9._-]/gu, '-')
      .slice(0, 63) ||
      'localhost')
  );
}

function fromFile(file: string, source: string, isOurs: boolean): Address {
  let found: ReturnType<typeof readSecret>;
  try {
    found = readSecret(file);
  } catch (error) {
    throw invalid(
      `the address of the database cannot be read: ${messageOf(error)}`,
      hintOf(error) ?? `check ${source}, and that this user may read it`,
      error,
    );
  }
  if (!/^postgres(?:ql)?:\/\/\S+$/u.test(found.value)) {
    throw invalid(
      `${file} (${source}) does not hold the address of a PostgreSQL database`,
      'it must hold one line such as postgres://dispatcher:PASSWORD@db.example.com/dispatcher',
    );
  }
  // The mode of what systemd hands over is not ours to mend.
  return { value: found.value, source, warning: isOurs ? found.warning : null };
}

function invalid(message: string, hint: string, cause?: unknown): UserError {
  return new UserError(message, { exitCode: EXIT.invalid, code: 'store_address', hint, cause });
}
