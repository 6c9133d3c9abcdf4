// What is wrong with a configuration although each value is well-formed by itself.

import { isSingle, parsePattern } from './patterns.ts';
import type { RawConfig } from './schema.ts';
import { durationOf } from '../clock.ts';
import { isSeveral, serverProblems } from './servers-check.ts';

/** A complaint about a value that is well-formed by itself but not together with the rest. */
export interface ConfigProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Rules that span several keys. */
export function crossCheck(raw: RawConfig): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  if (durationOf(raw.rateLimit ?? '60s') < 1000) {
    problems.push({ path: ['rateLimit'], message: 'must be at least 1s' });
  }
  for (const [login, agent] of Object.entries(raw.agents ?? {})) {
    if (durationOf(agent?.rateLimit ?? '60s') < 1000)
      problems.push({ path: ['agents', login, 'rateLimit'], message: 'must be at least 1s' });
  }
  for (const [name, limit] of Object.entries(raw.rateLimits?.repositories ?? {})) {
    if (durationOf(limit) < 1000)
      problems.push({ path: ['rateLimits', 'repositories', name], message: 'must be at least 1s' });
  }
  if (durationOf(raw.history?.keep ?? '90d') < 86_400_000) {
    problems.push({ path: ['history', 'keep'], message: 'must be at least 1d' });
  }
  if (durationOf(raw.store?.lease ?? '5m') < 120_000) {
    problems.push({ path: ['store', 'lease'], message: 'must be at least 2m: passes come once a minute' });
  }
  if (raw.store?.url !== undefined && raw.store.urlFile !== undefined) {
    problems.push({ path: ['store', 'urlFile'], message: 'stands beside store.url: only one of them' });
  }
  if (durationOf(raw.tasks?.stalledAfter ?? '24h') < 60_000) {
    problems.push({ path: ['tasks', 'stalledAfter'], message: 'must be at least 1m' });
  }
  if (durationOf(raw.onDispatch?.timeout ?? '10s') > 30_000) {
    problems.push({ path: ['onDispatch', 'timeout'], message: 'must be at most 30s' });
  }
  const name = namingProblem(raw.tasks?.file ?? '', raw.gitea);
  if (name !== null) problems.push({ path: ['tasks', 'file'], message: name });
  problems.push(...serverProblems(raw));
  const logins = Object.keys(raw.agents ?? {});
  for (const login of logins) {
    if (login !== login.toLowerCase() && logins.includes(login.toLowerCase())) {
      problems.push({
        path: ['agents', login],
        message: 'names an agent twice: Gitea logins do not tell upper from lower case',
      });
    }
  }
  return problems;
}

// Two issues must never have one name, nor a task the name of something else.
function namingProblem(pattern: string, gitea: RawConfig['gitea']): string | null {
  const folders = pattern.split('/').slice(0, -1);
  const reserved = folders.find((name) =>
    /^(?:doing|blocked|done|archive|node_modules|\.git)$|\.attachments$/u.test(name),
  );
  if (reserved !== undefined) return `must not have a folder ${reserved}, which means something else there`;
  if (/(?:^|\/)\.[^/]*$|\.update-\{number\}\.md$/u.test(pattern))
    return 'must not begin with a dot, nor be called as news is (….update-{number}.md)';
  if (!isSeveral(gitea) && pattern.includes('{server}')) return 'has {server}, and there is only one';
  const repositories = [gitea].flat().flatMap((server) => server.repositories.map(parsePattern));
  if (isSingle(repositories)) return null;
  // Names of owners and repositories hold letters, digits, dots, dashes and underscores: only a slash ends one for certain.
  const isAmbiguous =
    /\{(?:owner|repo|server)\}[^/{}]*\{(?:owner|repo|server)\}/u.test(pattern) ||
    /\{(?:owner|repo|server)\}\d*\{number\}|\{number\}\d*\{(?:owner|repo|server)\}/u.test(pattern);
  return isAmbiguous
    ? 'would give different issues one name: put / between {server}, {owner} and {repo}, and - or / before {number}'
    : null;
}
