import type { Config } from '../core/config/config.ts';
import { namedRepositories } from '../core/config/patterns.ts';
import { isNamedBy, nameOn, splitServer } from '../core/config/servers.ts';
import { EXIT, type ExitCode, messageOf } from '../core/errors.ts';
import { candidatesOf } from '../core/issue/candidate.ts';
import { type FullIssue, type Issue, refOf } from '../core/issue/issue.ts';
import { candidatesIn, NO_DECISION, type RowRecord } from '../core/state/decision-record.ts';
import { cleanLine } from '../core/task/untrusted.ts';
import { jsonText } from '../core/json-text.ts';
import { candidateStory, countedStory, passReport, traces } from '../views/explain.ts';
import { type SnapshotDeps, takeSnapshot } from './take-snapshot.ts';

export interface ExplainOptions {
  readonly issue?: number | undefined;
  readonly repo?: string | undefined;
  readonly agent?: string;
  readonly json?: boolean;
}

export interface ExplainDeps extends SnapshotDeps {
  readonly width: number;
  readonly print: (text: string) => void;
  /** The assigned open issues of a number, as the last pass knew them. */
  readonly listedIssues: (number: number) => readonly Issue[];
  /** Asks Gitea, for what no local file knows. Null: there is no such issue, or the token may not see it. */
  readonly readIssue: (at: { readonly repository: string; readonly number: number }) => Promise<FullIssue | null>;
}

/** Why the last pass did with each candidate what it did; with `issue` the story of one, also when it was no candidate. */
export async function explain(deps: ExplainDeps, options: ExplainOptions): Promise<ExitCode> {
  const { state } = deps.readState();
  const isMeant = ({ issue, repository, agent }: Pick<RowRecord, 'issue' | 'repository' | 'agent'>): boolean =>
    (options.issue === undefined || issue === options.issue) &&
    (options.repo === undefined || isNamedBy(options.repo, repository)) &&
    (options.agent === undefined || agent.toLowerCase() === options.agent.toLowerCase());
  const { rows: all, rest: allRest } = state.lastPass ?? NO_DECISION;
  const rows = all.filter((row) => isMeant(row));
  const rest = allRest.filter(({ agent }) => options.agent === undefined || agent === options.agent.toLowerCase());
  if (options.json) {
    const finishedAt = state.lastPass?.finishedAt ?? null;
    deps.print(`${jsonText({ schemaVersion: 1, finishedAt, rows, rest }, 2)}\n`);
    return EXIT.ok;
  }
  const now = deps.now();
  if (options.issue === undefined) {
    deps.print(passReport(state.lastPass, { rows, rest }, { now, width: deps.width }));
    return EXIT.ok;
  }
  const snapshot = takeSnapshot(deps);
  const stories = rows.flatMap((row) =>
    candidateStory({ row, place: all.indexOf(row) + 1, of: candidatesIn({ rows: all, rest: allRest }), snapshot }, now),
  );
  const known = traces(
    snapshot.agents.flatMap(({ name: agent, tasks }) =>
      tasks.filter(
        ({ file, stage, issue, repository, server = null }) =>
          file !== null &&
          stage !== null &&
          isMeant({ issue: issue ?? 0, repository: nameOn(server, repository ?? ''), agent }),
      ),
    ),
    deps.readDispatches().filter(({ ref, agent }) => isMeant({ ...placeOf(ref), agent })),
    now,
  );
  const counted = candidatesOf(allRest.length > 0 ? deps.listedIssues(options.issue) : [], deps.config)
    .filter(({ issue, agent }) => isMeant({ issue: issue.number, repository: issue.repository, agent }))
    .filter(({ key }) => rows.every((row) => row.key !== key))
    .flatMap((candidate) => countedStory(candidate, allRest, now));
  const isKnown = rows.length + counted.length > 0;
  const missing = isKnown ? [] : await whyMissing(deps, options.issue, options.repo);
  deps.print(`${[...stories, ...counted, ...missing, ...known].join('\n')}\n`);
  return EXIT.ok;
}

// The listing holds assigned open issues only: what is not among them, Gitea itself has to tell about.
async function whyMissing(deps: ExplainDeps, number: number, repo: string | undefined): Promise<readonly string[]> {
  const head = `#${number} was not among the candidates of the last pass.`;
  const places = repo === undefined ? namedRepositories(deps.config.repositories) : placesFor(deps.config, repo);
  try {
    const found = await Promise.all(places.map(async (repository) => deps.readIssue({ repository, number })));
    const sentences = found.flatMap((issue) => (issue ? [`  ${whyNot(deps.config, issue)}`] : []));
    if (sentences.length > 0) return [head, ...sentences];
    const where =
      places.length > 0 ? places.map((place) => cleanLine(place, 200)).join(', ') : 'a repository named with --repo';
    return [head, `  Gitea shows this token no issue of that number in ${where}.`, ...POSSIBLE];
  } catch (error) {
    return [head, ...POSSIBLE, `  (Gitea could not be asked: ${cleanLine(messageOf(error), 300)})`];
  }
}

const POSSIBLE = [
  '  That is so when it is closed, a pull request, assigned to nobody, in a repository that gitea.repositories does not',
  "  cover, or not visible to the token's user, and when it was assigned after the last pass.",
];

function whyNot({ agents }: Config, issue: FullIssue): string {
  const ref = refOf(issue);
  if (issue.isPullRequest) return `${ref} is a pull request; only issues are dispatched.`;
  if (issue.state === 'closed') return `${ref} is closed.`;
  if (issue.assignees.length === 0) return `${ref} is assigned to nobody: ${issue.url}`;
  const assignees = issue.assignees.map((login) => cleanLine(login, 100));
  const isKnown = agents === null || issue.assignees.some((login) => agents.has(login.toLowerCase()));
  return isKnown
    ? `${ref} is open and assigned to ${assignees.join(', ')}: the next pass sees it.`
    : `${ref} is assigned to ${assignees.join(', ')}, none of them a configured agent.`;
}

// A name without a server may be one on each.
function placesFor({ servers }: Config, repo: string): readonly string[] {
  const { server, rest } = splitServer(repo);
  return server === null ? servers.map(({ name }) => nameOn(name, rest)) : [repo];
}

function placeOf(ref: string): { readonly repository: string; readonly issue: number } {
  const [repository = '', number] = ref.split('#');
  return { repository, issue: Number(number) };
}
