/** What is to be left on a dispatched issue. */
export interface Receipt {
  readonly repository: string;
  readonly number: number;
  readonly agent: string;
  readonly at: string;
  readonly attempt: number;
  /** The comment to edit; null: there is none yet. */
  readonly comment: number | null;
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
