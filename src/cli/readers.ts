// Commands that only look.

import type { Command } from 'commander';
import type { World } from '../deps/world.ts';
import { durationMs, type IssueArgument, issueArgument, portNumber } from './arguments.ts';
import type { Runner } from './runner.ts';

/** `status`, `explain`, `report`, `dashboard`. */
export function addReaders(program: Command, world: World, runs: Runner): void {
  program
    .command('status')
    .description('what is dispatched, waiting and next for each agent; reads local files only')
    .option('--agent <login>', 'only this agent')
    .option('--json', 'one JSON document (schemaVersion 1)')
    .option('-w, --watch', 'show it again every 2 s')
    .option('--exit-status', 'exit 3 unless the passes are healthy')
    .action(
      runs(async (options) => {
        const [{ status }, { statusDeps }] = await Promise.all([
          import('../commands/status.ts'),
          import('../deps/status.ts'),
        ]);
        return status(await statusDeps(world, options), options);
      }),
    );
  program
    .command('explain')
    .description('why each issue was chosen or passed over in the last pass')
    .option('--issue <number>', 'the whole story of this issue: 5, or acme/app#5', issueArgument)
    .option('--repo <owner/name>', 'the repository of --issue')
    .option('--agent <login>', 'only this agent')
    .option('--json', 'the rows of the last pass as JSON')
    .action(
      runs(async (options) => {
        const [{ explain }, { explainDeps }] = await Promise.all([
          import('../commands/explain.ts'),
          import('../deps/status.ts'),
        ]);
        const { issue, repo }: { issue?: IssueArgument; repo?: string } = options;
        const named = { ...options, issue: issue?.number, repo: repo ?? issue?.repository ?? undefined };
        return explain(await explainDeps(world, options), named);
      }),
    );
  addReport(program, world, runs);
  addDashboard(program, world, runs);
}

function addReport(program: Command, world: World, runs: Runner): void {
  program
    .command('report')
    .description('how it went: dispatched, finished, blocked, waited and worked; reads local files only')
    .option('--since <duration>', 'look back so far: 24h, 7d (the default), 90d', durationMs)
    .option('--agent <login>', 'only this agent')
    .option('--json', 'one JSON document (schemaVersion 1)')
    .action(
      runs(async (options) => {
        const [{ report }, { reportDeps }] = await Promise.all([
          import('../commands/report.ts'),
          import('../deps/report.ts'),
        ]);
        return report(reportDeps(world, options), options);
      }),
    );
}

function addDashboard(program: Command, world: World, runs: Runner): void {
  program
    .command('dashboard')
    .description('a read-only web page of the same, live; reads local files only')
    .option('--host <address>', 'the address to listen on (default: dashboard.host, or 127.0.0.1)')
    .option('--port <number>', 'the port (default: dashboard.port, or 8098); 0 for any', portNumber)
    .action(
      runs(async (options) => {
        const [{ dashboard }, { dashboardDeps }] = await Promise.all([
          import('../commands/dashboard.ts'),
          import('../deps/dashboard.ts'),
        ]);
        return dashboard(dashboardDeps(world, options), options);
      }),
    );
}
