// `store` in the configuration, as the rest sees it.

import { durationOf } from '../clock.ts';
import type { RawConfig } from '../config/schema.ts';

/** The database that several machines share. */
export interface StoreConfig {
  /** May hold a password: never to be printed or written. */
  readonly url: string | null;
  readonly urlFile: string | null;
  /** Null: the system's host name. */
  readonly host: string | null;
  readonly leaseMs: number;
  readonly schema: string;
  readonly caFile: string | null;
}

/** Fills in the defaults. `read`: makes a path whole. */
export function normaliseStore(
  raw: NonNullable<RawConfig['store']>,
  read: (path: string | undefined) => string | null,
): StoreConfig {
  return {
    url: raw.url ?? null,
    urlFile: read(raw.urlFile),
    host: raw.host?.toLowerCase() ?? null,
    leaseMs: durationOf(raw.lease ?? '5m'),
    schema: raw.schema ?? 'dispatcher',
    caFile: read(raw.caFile),
  };
}
