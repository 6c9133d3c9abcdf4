// A task as an agent reads it: what its file says, its news, and how the work went so far.

import type { Stage } from '../core/mailbox/place.ts';
import type { Sighting } from '../core/mailbox/urgency.ts';
import type { WorkRecord } from '../core/mailbox/work-record.ts';
import { parseFrontMatter } from '../core/task/front-matter.ts';
import { fileTask } from '../core/task/status.ts';
import type { AgentDeps } from './agent-deps.ts';

/** The document of `next --json`; deploy/agents/README.md describes each field. Fields may be added, never changed. */
export interface TaskDocument {
  readonly schemaVersion: 1;
  readonly agent: string;
  readonly ref: string | null;
  readonly title: string | null;
  readonly url: string | null;
  readonly priority: string | null;
  readonly stage: Stage;
  /** Absolute path. */
  readonly file: string;
  /** Which run of the work this is, 1 for the first. */
  readonly attempt: number;
  readonly events: WorkRecord['events'];
  readonly attachments: string | null;
  readonly news: readonly { readonly file: string; readonly text: string }[];
  readonly frontMatter: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** Everything about a task; null when its file has gone. */
export function describeTask(deps: AgentDeps, task: Sighting): TaskDocument | null {
  const { mailbox } = deps;
  const found = deps.read(task.path);
  if (found === null) return null;
  const work = mailbox.workOf(task);
  const { news, attachments } = mailbox.companions(task);
  const fields = parseFrontMatter(found.text) ?? new Map<string, unknown>();
  const { ref, title, url, priority } = fileTask(found.path, task.stage, fields);
  return {
    schemaVersion: 1,
    agent: mailbox.agent,
    ref,
    title,
    url,
    priority,
    stage: task.stage,
    file: found.path,
    attempt: work.attempts + 1,
    events: work.events,
    attachments,
    news: news.flatMap((file) => {
      const text = deps.read(file.slice(mailbox.path.length + 1))?.text;
      return text === undefined ? [] : [{ file, text }];
    }),
    frontMatter: Object.fromEntries(fields),
    text: found.text,
  };
}
