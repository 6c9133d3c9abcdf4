import { type Config, coversRepository, type RepositoryPattern } from '../../core/config/config.ts';
import { EXIT, UserError } from '../../core/errors.ts';
import type { Issue } from '../../core/issue/issue.ts';
import type { Listing } from '../../core/listing/listing.ts';
import type { GiteaClient, JsonAnswer } from './client.ts';
import { badAnswer } from './outage.ts';
import { parseListed } from './wire.ts';

/** The largest page a server hands out by default ([api] MAX_RESPONSE_ITEMS). */
const PAGE_SIZE = 50;
/** 20,000 issues: beyond this a server is taken to hand out pages without end. */
const MAX_PAGES = 400;
const CONCURRENCY = 4;

/** Told after each further page of a listing: what is listed, how many came, how many there are (null: unknown). */
export type Progress = (name: string, count: number, total: number | null) => void;

// One request path per owner, or per repository where only one of an owner is wanted.
interface Scope {
  readonly name: string;
  readonly path: string;
  readonly patterns: readonly RepositoryPattern[];
  /** The repository that elements without one belong to. */
  readonly repository: string | null;
}

/**
 * All open issues of the configured repositories. A repository or owner that the token cannot see is a warning while
 * another one can be read; else it throws exit 78. A server that lies is exit 75, never "no issues".
 */
export async function listOpenIssues(
  client: GiteaClient,
  { repositories, url }: Pick<Config, 'repositories' | 'url'>,
  progress: Progress = () => {},
): Promise<Listing> {
  const scopes = scopesOf(repositories);
  const results = await Promise.all(scopes.map((scope) => listScope(client, scope, progress)));
  const unreadable = scopes.filter((_, index) => results[index] === null).map((scope) => scope.name);
  if (unreadable.length === scopes.length) {
    throw new UserError(`Gitea at ${url} shows this token none of: ${unreadable.join(', ')}`, {
      exitCode: EXIT.invalid,
      code: 'gitea_not_found',
      hint: "check the spelling in gitea.repositories, that issues are switched on, and that the token's user may read them",
    });
  }
  const warnings = unreadable.map((name) => unreadableText(name));
  const byId = new Map<number, Issue>();
  let bad = 0;
  for (const result of results) {
    bad += result?.bad ?? 0;
    for (const issue of result?.issues ?? []) byId.set(issue.id, issue);
  }
  if (bad > 0) warnings.push(`Gitea sent ${bad} unreadable ${bad === 1 ? 'issue' : 'issues'}, left out of this pass`);
  return { issues: [...byId.values()], warnings, isUnread: () => false };
}

/** What is said of a repository or owner that the token cannot see. */
export function unreadableText(name: string): string {
  return `${name} cannot be read: misspelt, renamed, issues switched off, or not visible to this token`;
}

function scopesOf(patterns: readonly RepositoryPattern[]): readonly Scope[] {
  const owners = [...new Set(patterns.map((pattern) => pattern.owner.toLowerCase()))];
  return owners.map((ownerName) => {
    const group = patterns.filter((pattern) => pattern.owner.toLowerCase() === ownerName);
    const [first] = group;
    const owner = first?.owner ?? '';
    const lone =
      new Set(group.map((pattern) => pattern.name?.toLowerCase() ?? null)).size === 1 ? (first?.name ?? null) : null;
    return lone === null
      ? {
          name: group.map((pattern) => `${owner}/${pattern.name ?? '*'}`).join(', '),
          path: `/repos/issues/search?owner=${encodeURIComponent(owner)}&`,
          patterns: group,
          repository: null,
        }
      : {
          name: `${owner}/${lone}`,
          path: `/repos/${encodeURIComponent(owner)}/${encodeURIComponent(lone)}/issues?`,
          // The server redirects a renamed repository: whatever it is called now is what was asked for.
          patterns: [],
          repository: `${owner}/${lone}`,
        };
  });
}

interface ScopeListing {
  readonly issues: readonly Issue[];
  readonly bad: number;
}

// Null: the scope does not exist for this token.
async function listScope(client: GiteaClient, scope: Scope, progress: Progress): Promise<ScopeListing | null> {
  const elements = await readPages(client, scope, progress);
  if (elements === null) return null;
  const listed = elements.map((element) => parseListed(element, scope.repository));
  const bad = listed.filter((item) => item.kind === 'bad').length;
  if (bad > 0 && bad === listed.length) {
    throw badAnswer(`all ${bad} issues that Gitea sent for ${scope.name} are unreadable`);
  }
  const issues = listed.flatMap((item) => (item.kind === 'issue' ? [item.issue] : []));
  return {
    issues:
      scope.repository === null ? issues.filter((issue) => coversRepository(scope.patterns, issue.repository)) : issues,
    bad,
  };
}

// Stops when as many elements came as X-Total-Count promises, or at an empty page; never at a short one, since a server
// may be set to smaller pages than asked for.
async function readPages(client: GiteaClient, scope: Scope, progress: Progress): Promise<readonly unknown[] | null> {
  const read = async (page: number): Promise<JsonAnswer | null> => {
    const answer = await client(`${scope.path}state=open&type=issues&limit=${PAGE_SIZE}&page=${page}`);
    return answer.status === 200 ? answer : null;
  };
  const first = await read(1);
  if (first === null) return null;
  const elements = [...elementsOf(first, scope)];
  const size = elements.length;
  const total = first.totalCount;
  let page = 2;
  while (size > 0 && (total === null || elements.length < total)) {
    const expected = total === null ? 1 : Math.ceil((total - elements.length) / size);
    const batch = Math.max(1, Math.min(expected, CONCURRENCY));
    if (page + batch > MAX_PAGES)
      throw badAnswer(`Gitea hands out more than ${MAX_PAGES} pages of issues for ${scope.name}`);
    const answers = await Promise.all(Array.from({ length: batch }, async (_, index) => read(page + index)));
    const pages = answers.map((answer) => (answer === null ? [] : elementsOf(answer, scope)));
    elements.push(...pages.flat());
    progress(scope.name, elements.length, total);
    if (pages.some((items) => items.length === 0)) break;
    page += batch;
  }
  return elements;
}

function elementsOf(answer: JsonAnswer, scope: Scope): readonly unknown[] {
  if (Array.isArray(answer.body)) return answer.body;
  throw badAnswer(`Gitea sent something other than a list of issues for ${scope.name}`);
}
