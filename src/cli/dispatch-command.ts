import type { DispatchDeps } from '../pass/pass-deps.ts';
import { EXIT, type ExitCode, UserError } from '../core/errors.ts';
import type { IssueArgument } from './arguments.ts';
import type { GlobalOptions, World } from '../deps/world.ts';

export interface DispatchOptions {
  readonly issue?: IssueArgument;
  readonly repo?: string;
  readonly agent?: string;
  readonly force?: boolean;
  readonly dryRun?: boolean;
  readonly timer?: boolean;
}

/** `dispatch` in its four forms: the pass or one issue, for real or dry. */
export async function dispatchCommand(
  world: World,
  globals: GlobalOptions,
  options: DispatchOptions,
): Promise<ExitCode> {
  const { issue, repo, agent, force = false, dryRun = false } = options;
  if (issue === undefined) {
    const needless = [repo && '--repo', agent && '--agent', force && '--force'].find(Boolean);
    if (needless) {
      throw new UserError(`${needless} needs --issue`, {
        exitCode: EXIT.usage,
        code: 'usage',
        hint: 'dispatcher dispatch --issue 5 ...',
      });
    }
  }
  const { dispatchDeps } = await import('../deps/dispatch.ts');
  const deps = await dispatchDeps(world, { ...globals, ...options });
  if (issue === undefined) return dryRun ? runDry(world, deps) : (await import('../pass/pass.ts')).dispatch(deps);
  const override = { number: issue.number, repository: repo ?? issue.repository, agent: agent ?? null, force };
  if (dryRun) return (await import('../pass/dry-run.ts')).dryRunIssue(deps, override);
  return (await import('../pass/dispatch-issue.ts')).dispatchIssue(deps, override);
}

async function runDry(world: World, deps: DispatchDeps): Promise<ExitCode> {
  const { dryRun } = await import('../pass/dry-run.ts');
  const { terminalWidth } = await import('../views/terminal.ts');
  return dryRun(deps, terminalWidth(world));
}
