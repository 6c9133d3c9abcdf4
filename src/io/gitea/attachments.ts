// Attachments of an issue, saved beside its task before that appears. Only from the configured server, only so much of it,
// and under names that are ours.

import type { Agent } from 'node:http';
import { basename, dirname, extname, relative, sep } from 'node:path';
import { type Attachment, attachmentsIn, type FullIssue } from '../../core/issue/issue.ts';
import { type Slice, unlessAborted } from '../deadline.ts';
import { send } from '../http.ts';
import { followWithin } from '../redirects.ts';
import { type Folder, makingTaskFolder } from '../tasks/ground.ts';

/** What is saved, and from where. */
export interface AttachmentRules {
  readonly serverUrl: string;
  readonly token: string;
  /** The connections: a proxy's, an authority's of one's own. */
  readonly agent: Agent;
  readonly tasksDirectory: string;
  /** Bytes of a single one. */
  readonly maxBytes: number;
  /** Endings without their dot, lower-cased. */
  readonly types: readonly string[];
}

const MOST_FILES = 20;
const AT_ONCE = 4;
/** What there must be left to begin one. Milliseconds. */
const SHORTEST_MS = 500;

/**
 * Saves what the rules allow into `issue-5.attachments/` beside the task file: the issue's, then those of the newest comments.
 * Answers each saved one's path, relative to the task file, by its address. What cannot be had in the time of the slice is left out: its address stands in the task all the
 * same, and those that are there already are not loaded again.
 */
export async function saveAttachments(
  issue: FullIssue,
  taskFile: string,
  rules: AttachmentRules,
  { signal, timeLeft }: Slice,
): Promise<ReadonlyMap<string, string>> {
  const wanted = attachmentsIn({ ...issue, comments: issue.comments.toReversed() })
    .filter((attachment) => isWanted(attachment, rules))
    .slice(0, MOST_FILES);
  const saved = new Map<string, string>();
  if (wanted.length === 0) return saved;
  const folder = `${basename(taskFile, extname(taskFile))}.attachments`;
  const way = [...relative(rules.tasksDirectory, dirname(taskFile)).split(sep), folder];
  // Opened for each: while one was downloaded, the agent may have done anything to it.
  const inFolder = (work: (place: Folder) => boolean): boolean =>
    makingTaskFolder(rules.tasksDirectory, (root) => root.making(way, work));
  const save = async ({ url }: Attachment, file: string): Promise<void> => {
    if (!inFolder((place) => place.look(file)?.kind === 'file')) {
      if (timeLeft() < SHORTEST_MS) return;
      const bytes = await download(url, rules, signal);
      if (bytes === null || !inFolder((place) => isKept(place, file, bytes))) return;
    }
    saved.set(url, `${folder}/${file}`);
  };
  const queue = wanted.map((each) => ({ each, file: fileName(each) })).values();
  const work = async (): Promise<void> => {
    for (const { each, file } of queue) await save(each, file);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return saved;
}

function isWanted({ name, size, url }: Attachment, { serverUrl, maxBytes, types }: AttachmentRules): boolean {
  const type = extname(name).slice(1).toLowerCase();
  return url.startsWith(`${serverUrl}/attachments/`) && size <= maxBytes && types.includes(type);
}

// Its own for each, and the same at any time: most pictures are called image.png, and others may come in front.
function fileName({ name, url }: Attachment): string {
  return `${url.replaceAll(/[^A-Za-z0-9]/gu, '').slice(-8)}-${safeName(name)}`;
}

/** Letters, digits, dots and dashes, not too long, and with its ending. */
function safeName(whole: string): string {
  // The end of it, since that tells the type. As long as a name can be on Gitea.
  const name = whole.slice(-255);
  const ending = extname(name).toLowerCase();
  const stem = name.slice(0, name.length - ending.length).replaceAll(/[^A-Za-z0-9._-]+/gu, '-');
  return `${stem.replaceAll(/^[.-]+|[.-]+$/gu, '').slice(0, 80) || 'file'}${ending}`;
}

// The token goes to the configured server alone: an answer that leads elsewhere (to a store of objects) is not followed.
async function download(
  address: string,
  { serverUrl, token, agent, maxBytes }: AttachmentRules,
  signal: AbortSignal,
): Promise<Buffer | null> {
  try {
    const request = { headers: { authorization: `Bearer ${token}` }, agent, signal, maxBytes };
    // The signal ends a body that drips as well.
    const end = await followWithin(serverUrl, address, async (at) => unlessAborted(signal, send(at, request)));
    return end.kind === 'answer' && end.answer.status === 200 ? end.answer.body : null;
  } catch {
    return null;
  }
}

// Under another name until it is whole: what a killed pass, or a full disk, leaves must not be taken for the attachment. That name
// is the same in each pass, so that the next one takes away what is left.
function isKept(folder: Folder, file: string, bytes: Buffer): boolean {
  const draft = `.${file}.tmp`;
  folder.remove(draft);
  try {
    folder.write(draft, bytes);
    folder.rename(draft, folder, file);
    folder.sync();
  } finally {
    folder.remove(draft);
  }
  return folder.look(file)?.kind === 'file';
}
