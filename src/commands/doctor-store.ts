// The database that several machines share, as far as one is configured.

import { shortDuration } from '../core/clock.ts';
import type { Config } from '../core/config/config.ts';
import { failed, type Finding, ok } from '../core/health/finding.ts';
import type { Overview } from '../core/store/overview.ts';

/** What was found out about the database. */
export interface Examined {
  /** Where its address came from. */
  readonly source: string;
  /** Something to mend about that. */
  readonly warning: string | null;
  readonly server: string;
  readonly isEncrypted: boolean;
  /** How far the clock of this machine is ahead of the one of the database, in milliseconds. */
  readonly clockAhead: number;
  /** What this user may not do; null: all that is needed may be done. */
  readonly lacks: string | null;
  readonly host: string;
  readonly overview: Overview;
}

export interface StoreCheckDeps {
  /** Throws what is wrong with it. */
  readonly examineStore: (config: Config) => Promise<Examined>;
}

/** Clocks that differ by more than this are worth a word: no limit hangs on them, and times in files and logs do. */
const CLOCKS_MS = 5000;

/** A line for each thing that the store needs. None where this machine works alone. */
export async function* storeFindings(deps: StoreCheckDeps, config: Config): AsyncGenerator<Finding> {
  if (config.store === null) return;
  let found: Examined;
  try {
    found = await deps.examineStore(config);
  } catch (error) {
    yield failed('store', error, 'dispatcher store status');
    return;
  }
  const { source, warning, server, isEncrypted, clockAhead, lacks, host, overview } = found;
  const how = isEncrypted ? 'over TLS' : 'not over TLS';
  yield ok('store', `PostgreSQL ${server}, schema ${config.store.schema}, ${how}, address from ${source}`);
  if (warning !== null) yield { check: 'store', status: 'warning', message: warning, fix: 'chmod 600 that file' };
  if (lacks !== null) {
    const fix = `let the owner of the schema grant it: grant all on all tables in schema ${config.store.schema} to this user`;
    yield { check: 'store', status: 'failed', message: `this user may not ${lacks}`, fix };
  }
  if (Math.abs(clockAhead) > CLOCKS_MS) {
    const message = `the clock of this machine is ${shortDuration(Math.abs(clockAhead))} ${clockAhead > 0 ? 'ahead of' : 'behind'} the one of the database; the limit goes by the latter`;
    yield { check: 'store', status: 'warning', message, fix: 'timedatectl set-ntp true' };
  }
  const lost = overview.hosts.filter(({ isLost, name }) => isLost && name !== host);
  yield ok(
    'machines',
    `this one is ${host}; at the store: ${overview.hosts.map(({ name }) => name).join(', ') || 'none yet'}`,
  );
  for (const { name, seenAgo, tasks } of lost) {
    const message = `${name} was last there ${shortDuration(seenAgo)} ago; ${tasks.length} tasks lie there that others do not get`;
    if (tasks.length > 0)
      yield {
        check: 'machines',
        status: 'warning',
        message,
        fix: `dispatcher status on ${name}, or dispatch them anew with --force`,
      };
  }
}
