// Which issue an override means, by its number, and where several may be meant by its repository and server.

import type { Config } from '../core/config/config.ts';
import { coversRepository, namedRepositories, patternText } from '../core/config/patterns.ts';
import { nameOn, splitServer } from '../core/config/servers.ts';
import { EXIT, UserError } from '../core/errors.ts';
import { type FullIssue, refOf } from '../core/issue/issue.ts';
import { cleanLine } from '../core/task/untrusted.ts';
import type { Override } from './dispatch-issue.ts';
import type { DispatchDeps, GiteaSlice } from './pass-deps.ts';

/** The issue that an override means. Throws exit 2 when that is not clear, exit 5 when it is none that could go. */
export async function findIssue(
  deps: DispatchDeps,
  gitea: GiteaSlice,
  { number, repository }: Override,
): Promise<FullIssue> {
  const { repositories } = deps.config;
  const named = repository === null ? null : placesNamed(deps.config, repository);
  if (named?.length === 0) {
    throw usage(
      `${cleanLine(repository ?? '', 200)} is not among gitea.repositories`,
      `configured: ${patternsOf(deps.config)}`,
    );
  }
  const all = await readAll(deps.config, gitea, named ?? (await placesOf(deps, number)), number);
  // Closed issues and pull requests of the same number in other repositories are no alternatives.
  const open = all.filter((issue) => issue.state === 'open' && !issue.isPullRequest);
  const issues = open.length > 0 ? open : all;
  const [issue] = issues;
  if (!issue) {
    throw usage(
      `there is no issue #${number} in ${repository ?? patternsOf(deps.config)}, or this token may not see it`,
      repository === null && repositories.some((pattern) => pattern.name === null)
        ? 'in a repository without open issues that owner/* covers, name it with --repo'
        : 'check the number on Gitea',
    );
  }
  if (issues.length > 1) {
    const list = issues.map((each) => `  ${refOf(each)}  ${cleanLine(each.title, 80)}`);
    throw usage(
      [`#${number} fits ${issues.length} issues:`, ...list].join('\n'),
      `say which one: --repo ${issue.repository}`,
    );
  }
  if (issue.isPullRequest)
    throw refused(`${refOf(issue)} is a pull request, not an issue`, 'pull requests are never dispatched');
  if (issue.state === 'closed') throw refused(`${refOf(issue)} is closed`, `reopen it first: ${issue.url}`);
  return issue;
}

// The configured repositories that are meant by a name: one on each server, when it does not say on which.
function placesNamed({ servers, repositories }: Config, typed: string): readonly string[] {
  const { server, rest } = splitServer(typed);
  const places = servers.map(({ name }) => name).filter((name) => server === null || server === name);
  return places.map((name) => nameOn(name, rest)).filter((place) => coversRepository(repositories, place));
}

// What cannot be looked for may be what is meant: then nothing goes.
async function readAll(
  { servers }: Config,
  gitea: GiteaSlice,
  places: readonly string[],
  number: number,
): Promise<readonly FullIssue[]> {
  const read = async (repository: string): Promise<FullIssue | null> => {
    try {
      return await gitea.readIssue({ repository, number });
    } catch (error) {
      if (servers.length === 1 || places.length === 1 || !(error instanceof UserError)) throw error;
      throw maybeElsewhere(splitServer(repository).server ?? '', number, error);
    }
  };
  return (await Promise.all(places.map(read))).filter((issue) => issue !== null);
}

function maybeElsewhere(server: string, number: number, { message, exitCode, code }: ErrorOf): UserError {
  return new UserError(`whether #${number} is meant that ${server} has cannot be told: ${message}`, {
    exitCode,
    code,
    hint: 'name the server as well: --issue team:acme/app#5',
  });
}

type ErrorOf = Pick<UserError, 'message' | 'exitCode' | 'code'>;

/** So many repositories that `owner/*` covers are looked into for a bare number. */
const MAX_PLACES = 30;

// Where a bare number may be meant: each repository that is named, and of the others those that have open issues,
// beginning with those that have an open one of this number.
async function placesOf({ config, listIssues }: DispatchDeps, number: number): Promise<readonly string[]> {
  const named = namedRepositories(config.repositories);
  if (named.length === config.repositories.length) return named;
  const { issues, answers = [] } = await listIssues('all');
  const away = answers.find(({ error }) => error !== null);
  if (away?.error) throw maybeElsewhere(away.server, number, { ...away.error, exitCode: EXIT.unavailable });
  const fitting = issues.filter((issue) => issue.number === number);
  const places = [...fitting, ...issues].map((issue) => issue.repository).concat(named);
  const byName = new Map(places.toReversed().map((place) => [place.toLowerCase(), place]));
  return [...byName.values()].toReversed().slice(0, MAX_PLACES);
}

function patternsOf({ repositories }: Pick<Config, 'repositories'>): string {
  return repositories.map((pattern) => patternText(pattern)).join(', ');
}

/** What is refused: exit 5. */
export function refused(message: string, hint: string): UserError {
  return new UserError(message, { exitCode: EXIT.refused, code: 'refused', hint });
}

/** What is not clear enough, or none: exit 2. */
export function usage(message: string, hint: string): UserError {
  return new UserError(message, { exitCode: EXIT.usage, code: 'usage', hint });
}
