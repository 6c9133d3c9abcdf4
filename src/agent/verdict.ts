// What becomes of a task by how the run on it ended.

import { shortDuration, toRfc3339 } from '../core/clock.ts';
import { EXIT, type ExitCode } from '../core/errors.ts';
import type { Stage } from '../core/mailbox/place.ts';
import {
  afterAttempt,
  afterHandBack,
  afterRelease,
  type WorkEvent,
  type WorkRecord,
} from '../core/mailbox/work-record.ts';
import type { Output } from '../io/output-file.ts';
import type { End } from '../io/run-command.ts';
import type { AgentDeps } from './agent-deps.ts';

/** Why a run was ended from here. */
export type Stop = 'timed out' | 'interrupted' | 'task gone' | 'task taken over';

/** How a run ended. */
export interface Outcome {
  readonly end: End;
  readonly stopped: Stop | null;
  readonly output: Output;
  readonly timeoutMs: number;
}

/** Where its task goes, with what record, and what is said of it. */
export interface Verdict {
  readonly stage: Stage;
  readonly record: WorkRecord;
  readonly exitCode: ExitCode;
  readonly message: string;
}

const REASON_LENGTH = 600;

/** The verdict on a run, after what was tried before. */
export function verdict(deps: AgentDeps, before: WorkRecord, { end, stopped, output, timeoutMs }: Outcome): Verdict {
  const now = deps.now();
  const event = (outcome: WorkEvent['outcome'], reason: string | null): WorkEvent => {
    return { at: toRfc3339(now), by: deps.user, outcome, reason, pullRequest: null, note: null };
  };
  if (stopped === 'interrupted') {
    const record = afterRelease(before, event('released', 'the run was interrupted'));
    return { stage: 'new', record, exitCode: EXIT.interrupted, message: 'is new again: the run was interrupted' };
  }
  if (stopped === null && end.code === 0) {
    return { stage: 'done', record: afterHandBack(before, event('done', null)), exitCode: EXIT.ok, message: 'is done' };
  }
  const how = stopped === 'timed out' ? `took longer than ${shortDuration(timeoutMs)} and was ended` : endText(end);
  const said = output.end(REASON_LENGTH);
  const reason = `the run ${how}${said === '' ? '' : `: ${said}`}`;
  const { record, isFinal } = afterAttempt(before, event(stopped === 'timed out' ? 'timed_out' : 'failed', reason), {
    now,
    most: deps.attempts,
  });
  const count = `${record.attempts} of ${deps.attempts}`;
  if (!isFinal) return { stage: 'new', record, exitCode: EXIT.failure, message: `is new again: run ${count} ${how}` };
  const blocked = afterHandBack(
    record,
    event('blocked', `${record.attempts} ${record.attempts === 1 ? 'run' : 'runs'} failed; ${reason}`),
  );
  return { stage: 'blocked', record: blocked, exitCode: EXIT.failure, message: `is blocked: run ${count} ${how}` };
}

function endText({ code, signal }: End): string {
  if (signal !== null) return `was ended by ${signal}`;
  return code === null ? 'could not be started' : `ended with ${code}`;
}
