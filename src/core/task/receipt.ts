import type { Progress } from '../mailbox/progress.ts';
import { maskSecrets } from './secrets.ts';

/** What is to be left on a dispatched issue. */
export interface Receipt {
  readonly repository: string;
  readonly number: number;
  readonly agent: string;
  /** When it was dispatched; null: nobody knows any more. */
  readonly at: string | null;
  readonly attempt: number;
  /** How far its agent is. */
  readonly progress: Progress | null;
  /** The comment to edit; null: there is none yet. */
  readonly comment: number | null;
  /** False: all of it was left before, and only the comment is to tell how far the agent is now. */
  readonly isFirst: boolean;
}

const MARKER = '<!-- dispatcher:receipt ';

/** What the comment of an agent's receipt begins with, of any version; the name of the agent is one that can be a folder's. */
export function receiptStart(agent: string): string {
  return `${MARKER}${agent} `;
}

/** The first line of that comment. Its seal tells our own from one that somebody else began with the same words. */
export function receiptHead(agent: string, seal: string): string {
  return `${receiptStart(agent)}${seal} -->`;
}

/** The comment below its first line. What the agent wrote stands in it as code, which names and calls nobody. */
export function receiptText({ agent, at, attempt, progress }: Receipt, serverUrl: string): string {
  const when = at === null ? '' : ` at ${at}`;
  const times = attempt > 1 ? `, for the ${attempt}. time` : '';
  return `Dispatched to **${agent}**${when}${times}.${progress === null ? '' : progressText(progress, serverUrl)}`;
}

function progressText({ stage, at, reason, pullRequest }: Progress, serverUrl: string): string {
  const when = at === null ? '' : ` at ${at}`;
  switch (stage) {
    case 'new':
      return at === null ? '' : `\n\nNew again${when}.`;
    case 'doing':
      return `\n\nTaken${when}.`;
    case 'blocked':
      return `\n\nBlocked${when}${reason === null ? '; nobody said why.' : `:\n\n${asCode(reason)}`}`;
    case 'done':
      return `\n\nDone${when}${pullRequest === null ? '.' : `: ${pullRequestText(pullRequest, serverUrl)}`}`;
  }
}

// Only what is a pull request of this server, or a number of this repository, is a link.
function pullRequestText(text: string, serverUrl: string): string {
  const number = /^#?(\d{1,15})$/u.exec(text)?.[1];
  if (number !== undefined) return `#${number}`;
  const below = text.startsWith(`${serverUrl}/`) ? text.slice(serverUrl.length + 1) : '';
  return /^[\w.-]{1,100}\/[\w.-]{1,100}\/pulls\/\d{1,15}$/u.test(below) ? text : `\n\n${asCode(text)}`;
}

// A fence that nothing in the text can close.
function asCode(text: string): string {
  const runs = [...text.matchAll(/`+/gu)].map(([run]) => run.length);
  const fence = '`'.repeat(Math.max(3, ...runs.map((length) => length + 1)));
  return `${fence}text\n${maskSecrets(text)}\n${fence}`;
}

/** Whether a comment is the receipt of a dispatcher, and so no news. */
export function isReceipt(body: string): boolean {
  return body.startsWith(MARKER);
}

/** What came of leaving a receipt. */
export interface ReceiptLeft {
  /** The id of its comment, if it has one. */
  readonly comment: number | null;
  /** The parts that could not be left, in words; null: none. */
  readonly missing: string | null;
}
