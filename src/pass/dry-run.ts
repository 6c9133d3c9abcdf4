import { EXIT, type ExitCode } from '../core/errors.ts';
import { decisionRecord, withSince } from '../core/state/decision-record.ts';
import { dryRunReport } from '../views/dry-run.ts';
import { choose } from './choose.ts';
import { type Override, prepareOverride } from './dispatch-issue.ts';
import type { DispatchDeps } from './pass-deps.ts';
import { openLedger } from './ledger.ts';

/** The decision that a pass would make now, with every candidate's reason and the file it would write. Nothing is written. */
export async function dryRun(real: DispatchDeps, width: number): Promise<ExitCode> {
  const deps = unwriting(real);
  const { state, findings } = openLedger(deps, deps.now());
  const listing = await deps.listIssues('look');
  const manner = { ignoreSlot: true, pauses: deps.state.pauses(), draft: () => {} };
  const { decision, task, warnings, failure } = await choose(deps, state, listing, manner);
  deps.print(
    dryRunReport({
      decision,
      record: withSince(
        decisionRecord(decision, () => null),
        deps.state.decision(),
        deps.now(),
      ),
      task,
      warnings: [...findings.map((finding) => finding.message), ...warnings],
      now: deps.now(),
      width,
    }),
  );
  if (failure !== null) throw failure;
  if (task) deps.say(`\nFor real: ${deps.commandLine('dispatch')}`);
  return EXIT.ok;
}

/** The same for the manual override of one issue. Throws what the override itself would. */
export async function dryRunIssue(real: DispatchDeps, override: Override): Promise<ExitCode> {
  const deps = unwriting(real);
  const { state } = openLedger(deps, deps.now());
  const { task } = await prepareOverride(deps, state, override);
  for (const gate of task.record.lifted) deps.print(`would be lifted by --force: ${gate}\n`);
  deps.print(`would write ${task.record.file}:\n\n${task.text}`);
  return EXIT.ok;
}

// What is written before a task appears.
function unwriting(deps: DispatchDeps): DispatchDeps {
  return {
    ...deps,
    config: { ...deps.config, attachments: null },
    trying: { ...deps.trying, begin: () => {}, end: () => {} },
  };
}
