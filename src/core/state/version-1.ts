// The state file as the first version wrote it: one file with everything in it. It is read once, by the first pass of a
// newer version, and until then by whoever looks.

import * as z from 'zod/mini';
import { toRfc3339 } from '../clock.ts';
import { taskKey } from '../issue/identity.ts';
import { TrackedTaskSchema } from '../task/tracked.ts';
import { DispatchRecordSchema } from './dispatch-record.ts';
import { RowsSchema } from './decision-record.ts';
import { HeartbeatSchema, type PassHistory } from './last-pass.ts';
import { EMPTY_STATE, instantText, type State } from './state.ts';

const LONG_AGO = toRfc3339(0);

// Made when there is an old file: a pass needs it once in its life.
function version1Schema() {
  const { lastPass, lastSuccessAt, consecutiveFailures, failingSince } = HeartbeatSchema.shape;

  const TaskSchema = z.extend(z.omit(TrackedTaskSchema, { server: true, attempt: true, hook: true }), {
    recheckAt: z.nullable(z.string()),
  });
  return z.object({
    version: z.literal(1),
    lastDispatch: z.nullable(
      z.object({
        at: instantText,
        ref: z.nullable(z.string()),
        pending: z.nullable(DispatchRecordSchema),
        uptime: z._default(z.nullable(z.object({ bootId: z.string(), ms: z.number() })), null),
      }),
    ),
    lastPass: z.nullable(z.extend(lastPass, { rows: RowsSchema })),
    lastSuccessAt,
    consecutiveFailures,
    failingSince,
    failures: z.record(z.string(), z.object({ message: z.string(), reason: z.optional(z.string()) })),
    tasks: z._default(z.nullable(z.record(z.string(), TaskSchema)), null),
    vanishedSince: z._default(z.nullable(instantText), null),
  });
}

/** What an old state file says, as the parts that there are now; undefined when it is none. Its only server was `server`. */
export function fromVersion1(
  raw: unknown,
  server: string,
): { readonly state: State; readonly history: PassHistory } | undefined {
  const result = version1Schema().safeParse(raw);
  if (!result.success) return undefined;
  const old = result.data;
  const tasks = Object.values(old.tasks ?? {}).map(({ recheckAt: _recheckAt, ...task }) => [
    taskKey(server, task.issueId, task.agent),
    { ...task, server, attempt: task.dispatches, hook: null },
  ]);
  // What was backed off or held is asked about again in its turn; the old waits are not worth keeping.
  const asked = Object.entries(old.failures).map(([key, { message, reason }]) => {
    const [id, ...agent] = key.split(':');
    const kind = reason === 'blocked' || reason === 'held' ? 'hold' : 'read';
    const hold = kind === 'hold' ? { hold: { reason, updatedAt: 0, waitsFor: [] } } : {};
    const turn = { askedAt: LONG_AGO, dueAt: LONG_AGO, tries: 0, message, ...hold };
    return [`${kind} ${taskKey(server, Number(id), agent.join(':'))}`, turn];
  });
  const { lastDispatch } = old;
  return {
    state: {
      ...EMPTY_STATE,
      lastDispatch: lastDispatch && {
        ...lastDispatch,
        pending: lastDispatch.pending && { record: lastDispatch.pending, task: null },
      },
      turns: Object.fromEntries(asked),
      tasks: old.tasks && Object.fromEntries(tasks),
      vanishedSince: old.vanishedSince,
    },
    history: { ...old, lastPass: old.lastPass && { ...old.lastPass, rest: [] }, lastDispatch: null },
  };
}
