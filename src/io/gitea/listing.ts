// What is open, asked for by what changed. A quiet pass asks twice for each scope: what changed since the watermark, and a page
// of the listing that goes round.

import { coversRepository } from '../../core/config/patterns.ts';
import type { Server } from '../../core/config/servers.ts';
import { EXIT, messageOf, UserError } from '../../core/errors.ts';
import type { Issue } from '../../core/issue/issue.ts';
import type { Listing } from '../../core/listing/listing.ts';
import { UNREADABLE } from '../../core/listing/open-issues.ts';
import { type Scope, scopesOf } from '../../core/listing/scope.ts';
import { addsUp } from '../../core/listing/scope-state.ts';
import { renamedTexts, unfinishedText } from '../../core/listing/warnings.ts';
import type { ScopeCache } from '../state/listing-cache.ts';
import type { GiteaClient } from './client.ts';
import { type Finding, followScope, type Progress } from './scope.ts';

export interface ListingOptions {
  readonly cacheOf: (scope: Scope) => ScopeCache;
  /** Called when a scope begins: what is remembered of scopes that are not listed any more is of no use. */
  readonly forget?: () => void;
  /** Told after each further page of a long listing. */
  readonly progress?: Progress;
  /** Repositories of which it is to be told which pull requests moved. */
  readonly watched?: readonly string[];
  /** False: a long listing goes on in the next pass. */
  readonly hasTime?: () => boolean;
}

/** So many scopes are asked at once. */
const CONCURRENCY = 4;
/** A first listing that takes longer than so many passes does not hold up the other scopes. */
const MOST_PASSES = 30;

/**
 * The open issues of the configured repositories. A repository or owner that cannot be read is a warning while another one
 * can; else it throws: exit 78 when none is there for this token, and what Gitea did otherwise. A server that lies is exit 75,
 * never "no issues".
 */
export async function listOpenIssues(
  client: GiteaClient,
  { repositories, url }: Pick<Server, 'repositories' | 'url'>,
  { cacheOf, forget = () => {}, progress = () => {}, hasTime = () => true, watched = [] }: ListingOptions,
): Promise<Listing> {
  const scopes = scopesOf(repositories).map((scope) => ({ scope, cache: cacheOf(scope) }));
  if (scopes.some(({ cache }) => cache.state().since === null)) forget();
  const wantsPulls = ({ patterns }: Scope): boolean => watched.some((name) => coversRepository(patterns, name));
  const findings: Finding[] = [];
  const unsaved: string[] = [];
  const waiting = inTurn(scopes);
  const turn = 1 + Math.max(...scopes.map(({ cache }) => cache.state().turn));
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [index, { scope, cache }] = next;
      const isInTime = hasTime();
      findings[index] = await followScope(client, scope, cache, { progress, hasTime, wantsPulls: wantsPulls(scope) });
      if (isInTime) cache.state().turn = turn;
      // Also when it failed: what came before that holds.
      try {
        cache.save();
      } catch (error) {
        unsaved.push(`what is known of ${scope.name} cannot be remembered: ${messageOf(error)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));

  const unread = scopes.filter((_, index) => findings[index]?.kind !== 'read');
  if (unread.length === scopes.length) throw failureOf(findings, unread, url);
  const read = scopes.filter((_, index) => findings[index]?.kind === 'read');
  const unfinished = read.filter(({ cache }) => !cache.state().isWhole);
  const isHeld =
    unfinished.some(({ cache }) => cache.state().passes <= MOST_PASSES) || unfinished.length === read.length;
  const isWhole = unfinished.length === 0 || !isHeld;
  const whole = (): readonly Followed[] => read.filter(({ cache }) => cache.state().isWhole);
  let issues: readonly Issue[] | undefined;
  return {
    get issues() {
      return (issues ??= isWhole ? issuesOf(whole(), null) : []);
    },
    find: (ids) => (isWhole ? issuesOf(whole(), ids) : []),
    warnings: [
      ...scopes.flatMap(({ scope, cache }, index) => warningsOf(scope, cache, findings[index])),
      ...lostText(findings, read),
      ...unsaved,
    ],
    pulls: {
      moved: findings.flatMap((finding) => (finding.kind === 'read' ? finding.pulls : [])),
      isUntold: (repository) =>
        scopes.some(({ scope }, index) => {
          const finding = findings[index];
          return finding?.kind === 'read' && finding.areUntold && coversRepository(scope.patterns, repository);
        }),
    },
    isPartial: unread.length + unfinished.length > 0,
    stamp: stampOf(scopes, findings, isWhole),
    isUnread: (repository) =>
      !isWhole || [...unread, ...unfinished].some(({ scope }) => coversRepository(scope.patterns, repository)),
  };
}

/** What is said of a repository or owner that the token cannot see. */
export function unreadableText(name: string): string {
  return `${name} cannot be read: misspelt, renamed, issues switched off, or not visible to this token`;
}

// Those first for which the passes before had no time: a slow server would never be asked for the last ones.
function inTurn(scopes: readonly Followed[]): [number, Followed][] {
  return [...scopes.entries()].toSorted(([, a], [, b]) => a.cache.state().turn - b.cache.state().turn);
}

interface Followed {
  readonly scope: Scope;
  readonly cache: ScopeCache;
}

// `isWhole` changes by the count of passes alone.
function stampOf(scopes: readonly Followed[], findings: readonly Finding[], isWhole: boolean): string | undefined {
  const stamps = scopes.map(({ cache }) => cache.stamp());
  return stamps.includes(undefined) ? undefined : JSON.stringify([stamps, findings.map(({ kind }) => kind), isWhole]);
}

// All, or those with some ids.
function issuesOf(read: readonly Followed[], ids: ReadonlySet<number> | null): readonly Issue[] {
  const byId = new Map<number, Issue>();
  for (const { scope, cache } of read) {
    const issues = ids === null ? cache.issues() : cache.find(ids);
    if (!issues) {
      throw new UserError(`what is remembered of the issues of ${scope.name} is broken`, {
        exitCode: EXIT.unavailable,
        code: 'listing_broken',
        hint: 'nothing is needed: it is thrown away, and the next pass lists all of them anew',
      });
    }
    for (const issue of issues) byId.set(issue.id, issue);
  }
  return [...byId.values()];
}

function warningsOf(scope: Scope, cache: ScopeCache, finding: Finding | undefined): readonly string[] {
  if (finding?.kind === 'missing') return [unreadableText(scope.name)];
  if (finding?.kind === 'failed') return [`${scope.name} could not be read: ${messageOf(finding.error)}`];
  const state = cache.state();
  const unfinished = state.isWhole ? [] : [unfinishedText(scope, state)];
  const differs =
    state.isWhole && finding?.lost === 0 && addsUp(state) && state.off !== 0 && state.total !== null
      ? [`${scope.name} has ${state.total} open issues by Gitea's count, and shows ${state.open.size()}`]
      : [];
  return [...(finding?.left ?? []), ...unfinished, ...renamedTexts(scope, state.names), ...differs];
}

function lostText(findings: readonly Finding[], read: readonly Followed[]): readonly string[] {
  const lost = findings.reduce((sum, finding) => sum + (finding.kind === 'read' ? finding.lost : 0), 0);
  const bad = read.reduce((sum, { cache }) => sum + cache.state().open.count(UNREADABLE), lost);
  return bad > 0 ? [`Gitea sent ${bad} unreadable ${bad === 1 ? 'issue' : 'issues'}, left out of this pass`] : [];
}

// The error that stands for all: a token that is refused everywhere weighs more than a scope that is not there.
function failureOf(findings: readonly Finding[], unread: readonly Followed[], url: string): UserError {
  const errors = findings.flatMap((finding) => (finding.kind === 'failed' ? [finding.error] : []));
  return (
    errors.find((error) => error.exitCode === EXIT.token) ??
    errors[0] ??
    new UserError(`Gitea at ${url} shows this token none of: ${unread.map(({ scope }) => scope.name).join(', ')}`, {
      exitCode: EXIT.invalid,
      code: 'gitea_not_found',
      hint: "check the spelling in gitea.repositories, that issues are switched on, and that the token's user may read them",
    })
  );
}
