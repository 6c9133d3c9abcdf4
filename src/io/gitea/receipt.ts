// The only place that writes to Gitea, and only when a receipt is configured. Each part can be repeated without doubling.

import { createHmac } from 'node:crypto';
import type { ReceiptConfig } from '../../core/config/config.ts';
import { EXIT, messageOf, UserError } from '../../core/errors.ts';
import { fieldsOf } from '../../core/mailbox/fields.ts';
import { type Receipt, receiptHead, type ReceiptLeft, receiptStart, receiptText } from '../../core/task/receipt.ts';
import type { GiteaClient } from './client.ts';
import { itemsOf } from './items.ts';
import { issuePath, repositoryPath } from './paths.ts';
import { readUserId, unlessForbidden } from './rights.ts';

interface Sender {
  /** What only dispatchers with this token know. */
  readonly secret: string;
  readonly serverUrl: string;
}

/** Leaves reaction, label and comment as configured. What one of them fails of keeps none of the others from being left. */
export async function leaveReceipt(
  client: GiteaClient,
  { reaction, label, comment }: ReceiptConfig,
  receipt: Receipt,
  sender: Sender,
): Promise<ReceiptLeft> {
  const repository = repositoryPath(receipt.repository);
  const issue = issuePath(receipt);
  const missing: string[] = [];
  const part = async <T>(work: () => Promise<T>): Promise<T | null> => {
    try {
      return await work();
    } catch (error) {
      missing.push(messageOf(error));
      return null;
    }
  };
  if (reaction !== null && receipt.isFirst)
    await part(async () => client(`${issue}/reactions`, { method: 'POST', body: { content: reaction } }));
  if (label !== null && receipt.isFirst) {
    await part(async () => {
      const id = await labelId(client, repository, label);
      await client(`${issue}/labels`, { method: 'POST', body: { labels: [id] } });
    });
  }
  const left = comment ? await part(async () => leaveComment(client, { repository, issue }, receipt, sender)) : null;
  return { comment: left, missing: missing.length > 0 ? missing.join('; ') : null };
}

async function leaveComment(
  client: GiteaClient,
  { repository, issue }: { readonly repository: string; readonly issue: string },
  receipt: Receipt,
  { secret, serverUrl }: Sender,
): Promise<number | null> {
  const { agent, comment, isFirst } = receipt;
  const head = receiptHead(agent, sealOf(receipt, secret));
  const body = `${head}\n${receiptText(receipt, serverUrl)}`;
  const known = comment === null ? await ownComments(client, issue, { start: receiptStart(agent), head }) : [comment];
  for (const id of known) {
    // It may be gone, or another account's since the token is another one: then a new one is left.
    const edited = await unlessForbidden(async () =>
      client(`${repository}/issues/comments/${id}`, { method: 'PATCH', body: { body } }),
    );
    if (edited?.status === 200) return id;
  }
  // Somebody took it away meanwhile: it stays away.
  if (!isFirst) return comment;
  const made = await client(`${issue}/comments`, { method: 'POST', body: { body } });
  return made.status === 200 ? idOf(made.body) : null;
}

// After a lost answer or a lost state the comment is there, and nobody remembers it. Anybody can write what a receipt begins
// with, so only a comment of the token's own account counts; where the token may not tell whose it is, one with our seal.
async function ownComments(
  client: GiteaClient,
  issue: string,
  { start, head }: { readonly start: string; readonly head: string },
): Promise<readonly number[]> {
  const answer = await client(`${issue}/comments`);
  const comments: readonly unknown[] = answer.status === 200 && Array.isArray(answer.body) ? answer.body : [];
  const similar = comments.filter((comment) => bodyOf(comment).startsWith(start));
  if (similar.length === 0) return [];
  const account = await readUserId(client);
  return similar
    .filter((comment) =>
      account === null ? bodyOf(comment).startsWith(head) : idOf(fieldsOf(comment)['user']) === account,
    )
    .flatMap((comment) => idOf(comment) ?? []);
}

// Whoever copies it from one issue cannot use it on another one.
function sealOf({ repository, number, agent }: Receipt, secret: string): string {
  return createHmac('sha256', secret)
    .update(`dispatcher:receipt\n${repository}#${number}\n${agent}`)
    .digest('hex')
    .slice(0, 32);
}

// By id: older servers take no names. What does not exist they would drop in silence.
async function labelId(client: GiteaClient, repository: string, name: string): Promise<number> {
  for await (const label of itemsOf(client, `${repository}/labels`)) {
    const id = isNamed(label, name) ? idOf(label) : null;
    if (id !== null) return id;
  }
  throw new UserError(`there is no label ${name} in ${decodeURIComponent(repository.slice('/repos/'.length))}`, {
    exitCode: EXIT.invalid,
    code: 'label_missing',
    hint: 'make it on Gitea, or change receipt.label',
  });
}

function isNamed(label: unknown, name: string): boolean {
  const { name: given } = fieldsOf(label);
  return typeof given === 'string' && given.toLowerCase() === name.toLowerCase();
}

function bodyOf(comment: unknown): string {
  const { body } = fieldsOf(comment);
  return typeof body === 'string' ? body : '';
}

function idOf(value: unknown): number | null {
  const { id } = fieldsOf(value);
  return Number.isSafeInteger(id) ? Number(id) : null;
}
