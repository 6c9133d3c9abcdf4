import { join } from 'node:path';
import { type Issue } from '../../core/issue/issue.ts';
import { issueOn } from '../../core/issue/on-server.ts';
import { issuesIn } from '../../core/listing/row.ts';
import { linesIn, namesIn } from './cache-files.ts';
import { readHead, stateIn } from './listing-cache.ts';

/** The assigned open issues of a number in all that is remembered, as far as it can be read. */
export function rememberedIssues(stateDirectory: string, number: number): readonly Issue[] {
  const folder = join(stateDirectory, 'listing');
  return namesIn(folder).flatMap((name) => {
    const [, key] = /^([0-9a-f]{16})\.json$/u.exec(name) ?? [];
    const path = (ending: string): string => join(folder, `${key}.${ending}`);
    const head = key === undefined ? undefined : readHead(path('json'), key);
    const state = head && stateIn(head, path);
    if (!state) return [];
    const lines = linesIn(path(`${head.rows.file}.rows`), head.rows.bytes);
    // Thousands of lines need not be parsed for one.
    const of = new RegExp(`^\\[(\\d+),"[^"]*",${number},`, 'u');
    const ids = new Set(lines.flatMap((line) => of.exec(line)?.[1] ?? []).map(Number));
    const issues = issuesIn(lines, state.open.get, ids) ?? [];
    const { server } = head;
    return server === undefined ? issues : issues.map((issue) => issueOn(server, issue));
  });
}
