// How a task moves between the places of its agent's folder: one rename each, with its claims, its record and what belongs to it.

import { basename, dirname } from 'node:path';
import { type Claim, claimText, parseClaim, type Taken } from '../../core/mailbox/claim.ts';
import {
  claimName,
  isClaim,
  isCompanion,
  pathIn,
  type Place,
  type Stage,
  STAGE_FOLDERS,
  stemOf,
} from '../../core/mailbox/place.ts';
import type { Sighting } from '../../core/mailbox/urgency.ts';
import { parseWork, type WorkRecord, workText } from '../../core/mailbox/work-record.ts';
import type { Folder } from './ground.ts';
import { MOST_FILES, type Survey } from './survey.ts';
import { wakeWorker } from './wake.ts';

/** What became of a move: done, the task is not there any more, or somebody else has it or its place. */
export type Moved = 'moved' | 'gone' | 'taken';

const CLAIM_BYTES = 4096;
const RECORD_BYTES = 256 * 1024;
const NO_OTHERS: Survey['others'] = new Map();

/** Who has the task of a file. Null: there is no such file. */
export function takersIn(folder: Folder, name: string): Taken | null {
  const look = folder.look(name);
  if (look?.kind !== 'file') return null;
  const claims = claimsIn(folder, name).flatMap((each) => parseClaim(folder.read(each, CLAIM_BYTES)?.text ?? '') ?? []);
  return { claims, movedAt: look.changedAt };
}

/** How the work on the task of a file went so far. */
export function workIn(folder: Folder, name: string): WorkRecord {
  return parseWork(folder.read(recordName(name), RECORD_BYTES)?.text ?? '');
}

/** Takes a new task. The claim is there before it: whoever sees the task in doing/ sees that somebody has it. */
export function taken(
  home: Folder,
  task: Sighting,
  { claim, word, others }: { readonly claim: Claim; readonly word: string; readonly others: Survey['others'] },
): Moved {
  const name = basename(task.path);
  return home.making(foldersOf(pathIn('doing', task.home)), (doing) => {
    const own = claimName(name, word);
    doing.write(own, claimText(claim));
    const moved = home.inside(foldersOf(task.path), (from) => from.rename(name, doing, name)) ?? 'gone';
    if (moved !== 'moved') {
      doing.remove(own);
      return moved;
    }
    for (const other of claimsIn(doing, name)) if (other !== own) doing.remove(other);
    // Of ten thousand names the look has just told which belong to no other task. What comes later follows with the next move.
    gather(home, task, doing, others);
    return moved;
  });
}

/**
 * Takes over a task in `doing`. Each writes its claim first and then looks for others that hold: of two, the later one sees the earlier
 * one. Both may see each other and leave it to the next; never do both take it.
 */
export function takenOver(
  { folder, name, home }: { readonly folder: Folder; readonly name: string; readonly home: Folder },
  task: Sighting,
  { claim, word }: { readonly claim: Claim; readonly word: string },
  mayBeTaken: (taken: Taken) => boolean,
): Moved {
  const before = folder.look(name);
  if (before?.kind !== 'file') return 'gone';
  const own = claimName(name, word);
  folder.write(own, claimText(claim));
  const others = claimsIn(folder, name).filter((each) => each !== own);
  const claims = others.flatMap((each) => parseClaim(folder.read(each, CLAIM_BYTES)?.text ?? '') ?? []);
  const now = folder.look(name);
  if (now === null || !mayBeTaken({ claims, movedAt: now.changedAt })) {
    folder.remove(own);
    return now === null ? 'gone' : 'taken';
  }
  for (const other of others) folder.remove(other);
  gather(home, task, folder);
  return 'moved';
}

interface HandBack {
  readonly to: Stage;
  readonly record: WorkRecord | null;
  readonly word: string | null;
}

/** Moves a task to a stage. What belongs to it goes first: whoever takes it in its new place has its record there. */
export function handedBack(home: Folder, task: Sighting, { to, record, word }: HandBack): Moved {
  const name = basename(task.path);
  return (
    home.inside(foldersOf(task.path), (from) => {
      const claims = claimsIn(from, name);
      if (word !== null && !claims.includes(claimName(name, word))) return 'gone';
      if (from.look(name)?.kind !== 'file') return 'gone';
      const moved = home.making(foldersOf(pathIn(to, task.home)), (target) => {
        const there = basename(task.home);
        if (to !== task.stage && target.look(there) !== null) return 'taken';
        gather(home, task, target);
        if (record !== null) target.replace(recordName(there), workText(record));
        if (to === task.stage) return 'moved';
        const outcome = from.rename(name, target, there);
        target.sync();
        return outcome;
      });
      if (moved === 'moved' && to !== task.stage) for (const claim of claims) from.remove(claim);
      if (moved === 'moved' && to === 'new') wakeWorker(home);
      return moved;
    }) ?? 'gone'
  );
}

// Into the folder where the task is or is about to be, under the task's name there; over nothing.
function gather(home: Folder, task: Sighting, target: Folder, others: Survey['others'] = NO_OTHERS): void {
  for (const { at, name } of companionsIn(home, task, others)) {
    home.inside(at, (folder) => (folder.path === target.path ? 'taken' : folder.rename(name, target, name)));
  }
}

/** What belongs to a task, in whichever of its places it lies. */
export function companionsIn(
  home: Folder,
  task: Place & { readonly path: string },
  others: Survey['others'] = NO_OTHERS,
): { readonly at: readonly string[]; readonly name: string }[] {
  const places = new Set(
    [task.path, ...(['new', ...STAGE_FOLDERS] as const).map((stage) => pathIn(stage, task.home))].map((path) =>
      path.slice(0, path.lastIndexOf('/') + 1),
    ),
  );
  return [...places].flatMap((place) => {
    const at = foldersOf(`${place}x`);
    const names = others.get(place) ?? home.inside(at, (folder) => folder.names(MOST_FILES)) ?? [];
    return names.filter((name) => isCompanion(name, basename(task.home))).map((name) => ({ at, name }));
  });
}

function claimsIn(folder: Folder, name: string): readonly string[] {
  return folder.names(MOST_FILES).filter((each) => isClaim(each, name) && folder.look(each)?.kind === 'file');
}

/** The file beside a task that says how the work on it went. */
export function recordName(name: string): string {
  return `${stemOf(name)}.work.json`;
}

/** The folders on the way to a path. */
export function foldersOf(path: string): readonly string[] {
  return dirname(path)
    .split('/')
    .filter((name) => name !== '' && name !== '.');
}
