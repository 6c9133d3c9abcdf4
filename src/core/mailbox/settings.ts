// What the agent's side needs of the configuration, which it may not be allowed to read: each pass leaves it in the task
// folder. Others can write there, so it holds nothing but bounded numbers.

import type { TaskNames } from './place.ts';
import type { Config } from '../config/config.ts';
import { splitServer } from '../config/servers.ts';
import { taskFileMatcher, taskFileName } from '../task/file-name.ts';

export interface MailboxSettings {
  /** After so long a task that is taken is stalled. */
  readonly stalledAfterMs: number;
  /** Where tasks appear below an agent's folder, as in the configuration. */
  readonly taskFile: string;
  /** So many failed runs, and a task is blocked; by agent where it is not the usual number. */
  readonly attempts: Readonly<Record<string, number>>;
}

/** The file's name in the task folder. */
export const SETTINGS_FILE = '.dispatcher.json';

/** So many failed runs of an agent of which nothing else is configured, and a task is blocked. */
export const USUAL_ATTEMPTS = 3;
const USUAL_STALLED_AFTER_MS = 24 * 60 * 60_000;
const MOST_ATTEMPTS = 100;
const LONGEST_MS = 366 * 24 * 60 * 60_000;

const TASK_FILE = /^(?=.{1,300}$)(?=.*\{number\})(?:[A-Za-z0-9._/-]|\{(?:number|owner|repo|server)\})+\.md$/u;

const SCHEMA = 'dispatcher.settings/1';

/** The settings of a configuration. */
export function settingsOf({
  agents,
  stalledAfterMs,
  taskFile,
}: Pick<Config, 'agents' | 'stalledAfterMs' | 'taskFile'>): MailboxSettings {
  const attempts = [...(agents ?? [])].flatMap(([name, agent]) =>
    agent.attempts === USUAL_ATTEMPTS ? [] : [[name, agent.attempts]],
  );
  return { stalledAfterMs, taskFile, attempts: Object.fromEntries(attempts) };
}

/** The settings as the text of their file. */
export function settingsText(settings: MailboxSettings): string {
  return `${JSON.stringify({ schema: SCHEMA, ...settings })}\n`;
}

/** Reads the file; what it does not say as a sensible number is as usual. */
export function parseSettings(text: string): MailboxSettings {
  const fields = objectOf(parsed(text));
  const isOurs = fields['schema'] === SCHEMA;
  const attempts = Object.entries(objectOf(isOurs ? fields['attempts'] : {})).flatMap(([name, count]) =>
    isWithin(count, MOST_ATTEMPTS) ? [[name, count]] : [],
  );
  const after = isOurs ? fields['stalledAfterMs'] : undefined;
  const pattern = isOurs ? fields['taskFile'] : undefined;
  return {
    stalledAfterMs: isWithin(after, LONGEST_MS) ? after : USUAL_STALLED_AFTER_MS,
    taskFile: typeof pattern === 'string' && TASK_FILE.test(pattern) ? pattern : 'issue-{number}.md',
    attempts: Object.fromEntries(attempts),
  };
}

/** The names of task files, as the configuration's pattern makes them. */
export function taskNames({ taskFile }: Pick<MailboxSettings, 'taskFile'>): TaskNames {
  const expression = taskFileMatcher(taskFile);
  return {
    // With a number where another task had the name.
    isOne: (home) =>
      home.length < 2000 && (expression.test(home) || expression.test(home.replace(/\.\d{1,3}\.md$/u, '.md'))),
    nameFor: (ref) => {
      const place = placeIn(ref);
      return place === null || isOfBefore(taskFile, place.repository) ? null : taskFileName({ taskFile }, place);
    },
    wasOne: (home, ref) => {
      const place = placeIn(ref);
      if (place === null || !isOfBefore(taskFile, place.repository)) return false;
      const { server, rest } = splitServer(place.repository);
      // With as many folders as told them apart then.
      const folders = [
        ...(server === null ? [] : ['{server}']),
        ...rest.split('/').map((_, at) => ['{owner}', '{repo}'][at]),
      ];
      const file = taskFile.slice(taskFile.lastIndexOf('/') + 1);
      return [0, 1, 2, 3].some((cut) => {
        const name = taskFileName({ taskFile: [...folders.slice(cut), file].join('/') }, place);
        return home.replace(/\.\d{1,3}\.md$/u, '.md') === name;
      });
    },
  };
}

function placeIn(ref: string): { readonly repository: string; readonly number: number } | null {
  const [, repository, number] = REF.exec(ref) ?? [];
  return repository === undefined ? null : { repository, number: Number(number) };
}

// Dispatched when there was one server and now there are several, or the other way round.
function isOfBefore(taskFile: string, repository: string): boolean {
  return taskFile.includes('{server}') !== (splitServer(repository).server !== null);
}

const NAME = String.raw`(?!\.{1,2}[/#])[A-Za-z0-9._-]{1,100}`;
const REF = new RegExp(`^((?:[a-z][a-z0-9-]{0,29}:)?${NAME}/${NAME})#(\\d{1,15})$`, 'u');

function isWithin(value: unknown, most: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 && value <= most;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}
