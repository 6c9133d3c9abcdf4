import { EXIT, type ExitCode } from '../core/errors.ts';
import { refOf } from '../core/issue/issue.ts';
import { decisionRecord, withSince } from '../core/state/decision-record.ts';
import { cleanLine } from '../core/task/untrusted.ts';
import { dryRunReport } from '../views/dry-run.ts';
import { choose } from './choose.ts';
import { type Override, prepareOverride } from './dispatch-issue.ts';
import type { DispatchDeps } from './pass-deps.ts';
import { openLedger } from './ledger.ts';
import { type Met, meetOthers } from './meet-others.ts';
import { queueOf } from './offers.ts';
import { othersIn } from './search.ts';

/** The decision that a pass would make now, with every candidate's reason and the file it would write. Nothing is written. */
export async function dryRun(real: DispatchDeps, width: number): Promise<ExitCode> {
  return looking(real, async ({ deps, state, meeting, isElsewhere }, findings) => {
    const { listing, isStanding } = queueOf(await deps.listIssues('look'), meeting, deps.config);
    const others = othersIn(meeting, { isElsewhere, isStanding });
    const manner = { ignoreSlot: true, pauses: meeting.pauses, others, draft: () => {} };
    const { decision, task, offer, warnings, failure } = await choose(deps, state, listing, manner);
    deps.print(
      dryRunReport({
        decision,
        record: withSince(
          decisionRecord(decision, () => null),
          deps.state.decision(),
          deps.now(),
        ),
        task,
        warnings: [...findings, ...warnings],
        now: deps.now(),
        width,
      }),
    );
    if (offer) deps.print(`${refOf(offer.issue)} would be offered to the machine of ${cleanLine(offer.agent, 100)}\n`);
    if (failure !== null) throw failure;
    if (task) deps.say(`\nFor real: ${deps.commandLine('dispatch')}`);
  });
}

/** The same for the manual override of one issue. Throws what the override itself would. */
export async function dryRunIssue(real: DispatchDeps, override: Override): Promise<ExitCode> {
  return looking(real, async (met) => {
    const { task } = await prepareOverride(met, override);
    for (const gate of task.record.lifted) real.print(`would be lifted by --force: ${gate}\n`);
    real.print(`would write ${task.record.file}:\n\n${task.text}`);
  });
}

async function looking(
  real: DispatchDeps,
  look: (met: Met, findings: readonly string[]) => Promise<void>,
): Promise<ExitCode> {
  const deps = unwriting(real);
  try {
    const { state, findings } = openLedger(deps, deps.now());
    await look(
      await meetOthers(deps, state, true),
      findings.map((finding) => finding.message),
    );
    return EXIT.ok;
  } finally {
    await deps.store.close();
  }
}

// What is written before a task appears.
function unwriting(deps: DispatchDeps): DispatchDeps {
  return {
    ...deps,
    config: { ...deps.config, attachments: null },
    trying: { ...deps.trying, begin: () => {}, end: () => {} },
  };
}
