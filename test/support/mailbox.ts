import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Workspace } from './command.ts';

/** A task file as a pass writes it, without one. `path`: below the task folder. */
export function addTask(
  { folder }: Pick<Workspace, 'folder'>,
  path: string,
  facts: Readonly<Record<string, unknown>> = {},
): void {
  const issue = Number(/(\d+)\.md$/u.exec(path)?.[1]);
  const all = {
    schema: 'dispatcher.task/1',
    ref: `acme/app#${issue}`,
    issue,
    repository: 'acme/app',
    title: `Issue ${issue}`,
    priority: 'NORMAL',
    agent: path.split('/')[0],
    createdAt: new Date(issue * 1000).toISOString(),
    attempt: 1,
    trigger: 'timer',
    ...facts,
  };
  const lines = Object.entries(all).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
  const file = join(folder, '.agent-tasks', path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `---\n${lines.join('\n')}\n---\n\n# ${all.ref}\n`);
}

/** What lies in the folder of hans. */
export function mailboxOf(at: Pick<Workspace, 'tasks'>): readonly string[] {
  return at
    .tasks()
    .flatMap((name) => (name.startsWith('.agent-tasks/hans/') ? [name.slice('.agent-tasks/hans/'.length)] : []));
}
