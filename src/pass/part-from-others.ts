// A pass ends: the other machines learn how it went, and what it decided.

import { messageOf } from '../core/errors.ts';
import { parseDecision } from '../core/state/decision-record.ts';
import type { Heartbeat } from '../core/state/last-pass.ts';
import { scopeOf } from './meet-others.ts';
import type { DispatchDeps } from './pass-deps.ts';
import type { Course } from './record.ts';

/** Tells the others. What goes wrong here is a warning: the pass is over, and the next one tells its own. */
export async function partFromOthers(deps: DispatchDeps, before: Heartbeat | null, course: Course): Promise<void> {
  if (course.met === null || course.met.meeting.windows === null) return;
  const after = deps.state.heartbeat();
  try {
    const overview = await deps.store.leave({
      lastPass: after?.lastPass ?? null,
      hasListed: course.hasListed,
      scope: scopeOf(deps.config),
      decision: course.decision && after?.rows !== before?.rows ? deps.state.decision() : null,
    });
    if (course.decision === null && after) keepDecision(deps, after, overview?.decision);
  } catch (error) {
    deps.log({
      name: 'WARNING',
      message: `the other machines could not be told how this pass went: ${messageOf(error)}`,
    });
  }
}

// What another machine decided for all is what is shown here as well.
function keepDecision(deps: DispatchDeps, heartbeat: Heartbeat, told: unknown): void {
  const decision = told === null ? undefined : parseDecision(told);
  if (!decision) return;
  const rows = deps.sha256(JSON.stringify(decision));
  if (rows !== heartbeat.rows) deps.state.writeHeartbeat({ ...heartbeat, rows }, decision);
}
