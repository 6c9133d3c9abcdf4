// The manual override: one issue, now, by hand.

import { candidateFor } from '../core/issue/candidate.ts';
import { untilSlot } from '../core/choice/slot.ts';
import { shortDuration } from '../core/clock.ts';
import type { Config } from '../core/config/config.ts';
import { EXIT, type ExitCode, type UserError } from '../core/errors.ts';
import { type FullIssue, refOf } from '../core/issue/issue.ts';
import { judgeOverride } from '../core/choice/override.ts';
import { lastDispatchAt, type State } from '../core/state/state.ts';
import { cleanLine } from '../core/task/untrusted.ts';
import { factsOf } from './choose.ts';
import { findIssue, refused, usage } from './find-issue.ts';
import { followUp } from './follow-up/follow-up.ts';
import { startHooks } from './follow-up/hooks.ts';
import { receipts } from './follow-up/receipts.ts';
import { archivedHold, holdOf } from './hold.ts';
import { openLedger } from './ledger.ts';
import type { DispatchDeps } from './pass-deps.ts';
import type { PreparedTask } from './prepare.ts';
import { handOver } from './hand-over.ts';
import { type Met, meetOthers } from './meet-others.ts';
import { underLock } from './under-lock.ts';
import { taskFor } from './try-candidate.ts';

export interface Override {
  readonly number: number;
  readonly repository: string | null;
  readonly agent: string | null;
  readonly force: boolean;
}

/** Dispatches one issue out of turn. Throws exit 5 when a gate is closed, exit 2 when it is not clear what is meant. */
export async function dispatchIssue(deps: DispatchDeps, override: Override): Promise<ExitCode> {
  return underLock(deps, async () => {
    const ledger = openLedger(deps, deps.now());
    ledger.repair();
    ledger.findings.forEach(deps.log);
    const met = await meetOthers(deps, ledger.state);
    const { task, slotOpensAt } = await prepareOverride(met, override);
    for (const gate of task.record.lifted) deps.print(`lifted by --force: ${gate}\n`);
    if (slotOpensAt > deps.now()) deps.say(`Waiting ${shortDuration(slotOpensAt - deps.now())} for the slot.`);
    await deps.sleep(untilSlot(slotOpensAt, deps.now()));
    if (deps.isInterrupted()) return EXIT.interrupted;
    let { state } = met;
    const ready = { task, draft: deps.tasks.draft(task.candidate, task.text) };
    const published = await handOver(deps, state, ready, (next) => (state = next));
    deps.state.write(state);
    if (published.kind === 'failed') throw published.error;
    if (published.kind === 'not') return EXIT.refused;
    deps.say(task.record.file);
    await tellOthers(deps, state, task);
    return EXIT.ok;
  });
}

// The task is out: whatever becomes of the rest is a warning, and tried again by the passes.
async function tellOthers(deps: DispatchDeps, state: State, { candidate, record }: PreparedTask): Promise<void> {
  const hooks = startHooks(deps, { ...state, tasks: {} });
  hooks.start(candidate.key, record);
  const left = await followUp(deps, state, { issues: [], warnings: [], isUnread: () => true }, [receipts]);
  const told = await hooks.finish(left.state);
  if (told.state !== state) deps.state.write(told.state);
  for (const message of [...left.warnings, ...told.warnings]) deps.log({ name: 'WARNING', message });
}

/** How long Gitea may take for an override. Milliseconds. */
const PATIENCE_MS = 30_000;

/** Finds and renders what an override asks for, without writing anything: the override and its dry run share it. */
export async function prepareOverride(
  { deps, state, isElsewhere }: Met,
  override: Override,
): Promise<{ readonly task: PreparedTask; readonly slotOpensAt: number }> {
  const gitea = deps.gitea(PATIENCE_MS);
  const issue = await findIssue(deps, gitea, override);
  const candidate = candidateFor(issue, chooseAgent(deps.config, issue, override), deps.config);
  if (isElsewhere(candidate.agent)) throw elsewhere(candidate.agent);
  const repository = await gitea.readRepository(issue);
  const hold =
    (await holdOf(gitea, deps.config, issue, candidate.agent)) ?? (repository.isArchived ? archivedHold(issue) : null);
  // A task that failed before is what people run this command for: it is tried again at once.
  const facts = factsOf(
    deps,
    { heldBack: new Map(hold ? [[candidate.key, hold]] : []), pauses: deps.state.pauses() },
    state,
  );
  const now = deps.now();
  const verdict = judgeOverride(candidate, facts, lastDispatchAt(state), now, override.force);
  if (verdict.kind === 'refused') {
    throw refused(
      [
        `${refOf(issue)} is not dispatched to ${cleanLine(candidate.agent, 100)}:`,
        ...verdict.gates.map((gate) => `  ${gate}`),
      ].join('\n'),
      verdict.canForce
        ? 'add --force to lift this'
        : 'not even --force lifts this; name a configured agent with --agent',
    );
  }
  const isAssigned = issue.assignees.some((login) => login.toLowerCase() === candidate.agent);
  const lifted = isAssigned ? verdict.lifted : [`not assigned to ${candidate.agent}`, ...verdict.lifted];
  deps.tasks.checkWay(candidate);
  const at = Math.max(now, verdict.slotOpensAt);
  const trigger = override.force ? 'forced' : 'manual';
  const render = await deps.template(candidate.agent);
  return {
    task: await taskFor(deps, gitea, candidate, issue, { at, trigger, lifted, facts, render, repository }),
    slotOpensAt: at,
  };
}

function chooseAgent(config: Config, issue: FullIssue, { agent, force }: Override): string {
  const ref = refOf(issue);
  const assigned = issue.assignees.map((login) => login.toLowerCase());
  if (agent !== null) {
    const name = agent.toLowerCase();
    if (config.agents && !config.agents.has(name)) {
      throw refused(
        `${cleanLine(name, 100)} is not among the configured agents`,
        `configured: ${[...config.agents.keys()].join(', ')}`,
      );
    }
    if (assigned.includes(name) || force) return name;
    throw refused(
      `${ref} is not assigned to ${cleanLine(name, 100)}`,
      'assign it on Gitea, or add --force to send it there all the same',
    );
  }
  if (assigned.length === 0) {
    throw refused(`${ref} is assigned to nobody`, `assign it: ${issue.url} — or send it with: --agent NAME --force`);
  }
  const agents = config.agents ? assigned.filter((login) => config.agents?.has(login)) : assigned;
  const [first] = agents;
  if (first === undefined) {
    throw refused(
      `${ref} is assigned to ${assigned.map((login) => cleanLine(login, 100)).join(', ')}, none of them a configured agent`,
      'add the login to agents in the configuration, or send it with: --agent NAME --force',
    );
  }
  if (agents.length > 1) {
    throw usage(
      `${ref} is assigned to ${agents.map((login) => cleanLine(login, 100)).join(' and ')}`,
      `say which one: --agent ${cleanLine(first, 100)}`,
    );
  }
  return first;
}

// Only there is its folder.
function elsewhere(agent: string): UserError {
  return refused(
    `${cleanLine(agent, 100)} lives on another machine`,
    'run the command there: dispatcher status names the machines and their agents',
  );
}
