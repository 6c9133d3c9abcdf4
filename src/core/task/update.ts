// News of an issue whose task an agent has: a file beside the task, quoted as safely as the task itself.

import { type Instant, toRfc3339 } from '../clock.ts';
import { renderFrontMatter } from './front-matter.ts';
import { type FullIssue, refOf, withSaved } from '../issue/issue.ts';
import type { News } from './news.ts';
import { placeFields, quotedIssue, savedPaths } from './document.ts';
import { pullSection } from './pull-sections.ts';
import { quoter, type QuotingFacts } from './quote.ts';
import type { TrackedTask } from './tracked.ts';

const UPDATE_SCHEMA = 'dispatcher.update/1';

/** So many files of news are written for one task. */
export const MOST_UPDATES = 20;

/** The data of `update.md.hbs`. */
export type UpdateData = ReturnType<typeof updateData>;

interface UpdateFacts extends QuotingFacts {
  readonly at: Instant;
}

/** The front matter of the file with the news. */
export function updateFrontMatter(issue: FullIssue, task: TrackedTask, news: News, at: Instant): string {
  return renderFrontMatter({
    schema: UPDATE_SCHEMA,
    ref: refOf(issue),
    issue: issue.number,
    ...placeFields(issue),
    url: issue.url,
    agent: task.agent,
    task: task.file.slice(task.file.lastIndexOf('/') + 1),
    update: task.updates + 1,
    changed: news.changed,
    updatedAt: toRfc3339(issue.updatedAt),
    writtenAt: toRfc3339(at),
    issueId: issue.id,
  });
}

/** What the template of news may print: only what changed. */
export function updateData(issue: FullIssue, task: TrackedTask, news: News, facts: UpdateFacts) {
  const has = (name: string): boolean => news.changed.includes(name);
  const saved = savedPaths(issue);
  const told = { ...issue, attachments: has('body') ? issue.attachments : [], comments: news.comments };
  const quoting = quoter(facts, saved);
  const { hidden, ...quoted } = quotedIssue(withSaved(told, saved), quoting);
  return {
    issue: {
      ref: refOf(issue),
      number: issue.number,
      url: issue.url,
      summary: has('title') || has('labels') || has('milestone') || has('due') ? quoted.summary : null,
      body: has('body') ? quoted.body : null,
      isBodyEmpty: has('body') && quoted.body === null,
      comments: quoted.comments,
      commentsOmitted: quoted.commentsOmitted,
      attachments: quoted.attachments,
    },
    pullRequests: news.pulls.map((pull) => pullSection(pull, quoting)),
    agent: { name: task.agent },
    update: {
      number: task.updates + 1,
      isLast: task.updates + 1 >= MOST_UPDATES,
      changed: news.changed.join(', '),
      at: toRfc3339(facts.at),
    },
    hidden,
    marker: facts.marker,
    version: facts.version,
  };
}
