// An agent's folder is a small mailbox: where a task file lies says how far its work is, and moving it is saying so.

import { shellWord } from '../shell-word.ts';

/** `new`: nobody has it yet. `doing`: taken. `blocked`: it needs somebody. */
export const STAGES = ['new', 'doing', 'blocked', 'done'] as const;
export type Stage = (typeof STAGES)[number];

/** Where a dispatched task's file was found. `gone`: nowhere any more. */
export const WHEREABOUTS = [...STAGES, 'gone'] as const;
export type Whereabouts = (typeof WHEREABOUTS)[number];

/** The folders of the stages that have one; a new task lies in the agent's folder itself. */
export const STAGE_FOLDERS = ['doing', 'blocked', 'done'] as const;

/** What is over goes here. */
export const ARCHIVE = 'archive';

const PLACES: ReadonlySet<string> = new Set([...STAGE_FOLDERS, ARCHIVE]);

/** Whether a folder of that name says how far the tasks in it are, and is no part of where a task belongs. */
export function isPlaceFolder(name: string): boolean {
  return PLACES.has(name);
}

/** The line of shell that hands a new task back as finished. `folder`: the agent's; `file`: below it, absolute. */
export function moveCommand(folder: string, file: string): string {
  const target = `${folder}/${pathIn('done', file.slice(folder.length + 1))}`;
  return `mkdir -p ${shellWord(target.slice(0, target.lastIndexOf('/')))} && mv -n ${shellWord(file)} ${shellWord(target)}`;
}

/** Left in an agent's folder by whoever made a task new there; the worker takes it away before it looks. */
export const WAKE_FILE = '.wake';

/** Where a task file is, below its agent's folder. */
export interface Place {
  readonly stage: Stage;
  /** The path without the folder of its stage, such as `issue-5.md` or `acme/app/issue-5.md`: the same in each stage. */
  readonly home: string;
}

/** How task files are called where they appear, below their agent's folder. */
export interface TaskNames {
  readonly isOne: (home: string) => boolean;
  /** The name for `acme/app#5`; null for what is no reference. */
  readonly nameFor: (ref: string) => string | null;
  /** Whether a task of that reference appeared there when there was one server and now there are several, or the other way round. */
  readonly wasOne: (home: string, ref: string) => boolean;
}

/**
 * Reads a path below an agent's folder. One that is in no folder of a stage and not where tasks appear was put there by
 * somebody: it is taken. Null: it is archived.
 */
export function placeOf(path: string, ref: string, names: TaskNames): Place | null {
  const folder = path.includes('/') ? path.split('/').slice(0, -1).find(isPlaceFolder) : undefined;
  const read = folder === undefined ? path : homeOf(path);
  const isNamed = names.isOne(read);
  // Moved by hand without its folders, or into others: its reference tells where it belongs.
  const home = isNamed ? read : (names.nameFor(ref) ?? read);
  if (folder === undefined) return { stage: isNamed || names.wasOne(read, ref) ? 'new' : 'doing', home };
  const stage = STAGE_FOLDERS.find((name) => name === folder);
  return stage === undefined ? null : { stage, home };
}

/** A path below an agent's folder without the folders that say how far the task is. */
export function homeOf(path: string): string {
  const names = path.split('/');
  return [...names.slice(0, -1).filter((name) => !isPlaceFolder(name)), ...names.slice(-1)].join('/');
}

/** The path of a task in a stage, below its agent's folder. */
export function pathIn(stage: Stage, home: string): string {
  return stage === 'new' ? home : `${stage}/${home}`;
}

/** What belongs to a task and lies beside it: its news, attachments, what its runs printed, and how they ended. */
export function isCompanion(name: string, taskFile: string): boolean {
  const stem = stemOf(taskFile);
  return (
    name.startsWith(`${stem}.`) &&
    /^\.(?:update-\d+\.md|attachments|work\.json|output-\d+\.txt)$/u.test(name.slice(stem.length))
  );
}

/** Whether a file of that name says who has a task. */
export function isClaim(name: string, taskFile: string): boolean {
  return name.startsWith(claimName(taskFile, ''));
}

/** The file that says who has a task, under the word of that claim. */
export function claimName(taskFile: string, word: string): string {
  return `.${taskFile}.taken-${word}`;
}

/** Whether a file of that name is a task: no news, nothing hidden. */
export function isTaskFileName(name: string): boolean {
  if (!name.endsWith('.md') || name.startsWith('.') || name.includes('\n')) return false;
  return !name.includes('.update-') || !/\.update-\d+\.md$/u.test(name);
}

/** `issue-5` of `issue-5.md`. */
export function stemOf(taskFile: string): string {
  return taskFile.replace(/\.md$/u, '');
}
