// What follows a dispatch: first told when it fails, unless doctor looks.

import type { Config } from '../core/config/config.ts';
import type { Finding } from '../core/health/finding.ts';
import { shellWord } from '../core/shell-word.ts';

/** Whether a token may leave receipts, and the repositories that lack their label. */
export interface ReceiptRights {
  readonly mayWrite: boolean;
  readonly unlabelled: readonly string[];
}

export interface FollowUpDeps {
  /** Whether a program is there and can be started, as the pass would start it. */
  readonly isProgram: (name: string) => boolean;
}

/** What is to say of attachments, the hook and the monitor. */
export function* followUpFindings(config: Config, deps: FollowUpDeps): Generator<Finding> {
  const { attachments, onDispatch, monitor } = config;
  if (attachments) {
    const message = `saved beside the task: ${attachments.types.join(', ')}; at most ${attachments.maxBytes} bytes each`;
    yield { check: 'attachments', status: 'ok', message, fix: null };
  }
  const [program] = onDispatch?.command ?? [];
  if (program !== undefined) {
    yield deps.isProgram(program)
      ? { check: 'onDispatch', status: 'ok', message: `${program} can be started`, fix: null }
      : {
          check: 'onDispatch',
          status: 'failed',
          message: `${program} is not there, or cannot be executed`,
          fix: `chmod +x ${shellWord(program)}; or name a program by its absolute path as onDispatch.command`,
        };
  }
  if (monitor.pingUrl !== null) {
    const message = `${new URL(monitor.pingUrl).host} is told after each pass`;
    yield { check: 'monitor', status: 'note', message, fix: null };
  }
}

/** What is to say of the receipts that a token is to leave. */
export async function* receiptFindings(
  { receipt }: Config,
  look: () => Promise<ReceiptRights>,
): AsyncGenerator<Finding> {
  const { mayWrite, unlabelled } = await look();
  if (!mayWrite) {
    yield {
      check: 'receipt',
      status: 'failed',
      message: 'the token may not write to issues',
      fix: 'make a token with the scope write:issue, then: dispatcher token; or take receipt out of the configuration',
    };
  }
  for (const repository of unlabelled) {
    yield {
      check: 'receipt',
      status: 'failed',
      message: `${repository} has no label ${JSON.stringify(receipt.label)}`,
      fix: 'make that label there (or for the organisation), or mend receipt.label',
    };
  }
  if (mayWrite && unlabelled.length === 0) {
    yield { check: 'receipt', status: 'ok', message: 'the token may leave them', fix: null };
  }
}
