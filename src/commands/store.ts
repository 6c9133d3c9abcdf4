// The database that several machines share: made, brought up to date, looked at.

import { EXIT, type ExitCode } from '../core/errors.ts';
import type { Instant } from '../core/clock.ts';
import type { Machines } from '../core/store/machines.ts';
import { machineLines, machinesTsv } from '../views/store.ts';

/** What making the tables came to. */
interface Made {
  readonly before: number | null;
  readonly now: number;
  readonly server: string;
}

export interface StoreDeps {
  /** What the schema is called. */
  readonly schema: string;
  readonly make: () => Promise<Made>;
  readonly machines: () => Promise<Machines>;
  readonly now: () => Instant;
  readonly isTerminal: boolean;
  readonly width: number;
  readonly commandLine: (command: string) => string;
  readonly print: (text: string) => void;
  readonly say: (line: string) => void;
}

/** Makes the tables, or brings them to the form of this version: once, from any machine. */
export async function makeTables(deps: StoreDeps): Promise<ExitCode> {
  const { before, now, server } = await deps.make();
  const what =
    before === null
      ? 'has its tables now'
      : before === now
        ? 'has its tables already'
        : `went from form ${before} to ${now}`;
  deps.print(`PostgreSQL ${server}: schema ${deps.schema} ${what}.\n`);
  if (before === null) deps.say(`Next, on each machine: ${deps.commandLine('doctor')}, and then its timer`);
  return EXIT.ok;
}

/** Prints the machines, who asked Gitea last, and what each of them has. */
export async function storeStatus(deps: StoreDeps, options: { readonly json?: boolean }): Promise<ExitCode> {
  const machines = await deps.machines();
  if (options.json) deps.print(`${JSON.stringify({ schemaVersion: 1, ...machines }, null, 2)}\n`);
  else if (deps.isTerminal) deps.print(`${machineLines(machines, deps.now(), deps.width).join('\n')}\n`);
  else deps.print(machinesTsv(machines, deps.now()));
  return EXIT.ok;
}
