// The only place that writes to Gitea, and only when a receipt is configured. Each part can be repeated without doubling.

import type { ReceiptConfig } from '../../core/config/config.ts';
import { EXIT, messageOf, UserError } from '../../core/errors.ts';
import { type Receipt, receiptHead, type ReceiptLeft } from '../../core/task/receipt.ts';
import type { GiteaClient } from './client.ts';

const PAGE_SIZE = 50;
const MAX_PAGES = 10;

/** Leaves reaction, label and comment as configured. What one of them fails of keeps none of the others from being left. */
export async function leaveReceipt(
  client: GiteaClient,
  { reaction, label, comment }: ReceiptConfig,
  receipt: Receipt,
): Promise<ReceiptLeft> {
  const repository = `/repos/${receipt.repository.split('/').map(encodeURIComponent).join('/')}`;
  const issue = `${repository}/issues/${receipt.number}`;
  const missing: string[] = [];
  const part = async <T>(work: () => Promise<T>): Promise<T | null> => {
    try {
      return await work();
    } catch (error) {
      missing.push(messageOf(error));
      return null;
    }
  };
  if (reaction !== null)
    await part(async () => client(`${issue}/reactions`, { method: 'POST', body: { content: reaction } }));
  if (label !== null) {
    await part(async () => {
      const id = await labelId(client, repository, label);
      await client(`${issue}/labels`, { method: 'POST', body: { labels: [id] } });
    });
  }
  const left = comment ? await part(async () => leaveComment(client, repository, issue, receipt)) : null;
  return { comment: left, missing: missing.length > 0 ? missing.join('; ') : null };
}

async function leaveComment(
  client: GiteaClient,
  repository: string,
  issue: string,
  { agent, at, attempt, comment }: Receipt,
): Promise<number | null> {
  const head = receiptHead(agent);
  const times = attempt > 1 ? `, for the ${attempt}. time` : '';
  const body = `${head}\nDispatched to **${agent}** at ${at}${times}.`;
  const known = comment ?? (await commentWith(client, issue, head));
  if (known !== null) {
    const edited = await client(`${repository}/issues/comments/${known}`, { method: 'PATCH', body: { body } });
    if (edited.status === 200) return known;
  }
  const made = await client(`${issue}/comments`, { method: 'POST', body: { body } });
  return made.status === 200 ? idOf(made.body) : null;
}

// After a lost answer or a lost state the comment is there, and nobody remembers it.
async function commentWith(client: GiteaClient, issue: string, head: string): Promise<number | null> {
  const answer = await client(`${issue}/comments`);
  if (answer.status !== 200 || !Array.isArray(answer.body)) return null;
  const found = answer.body.find(
    (comment: unknown) =>
      typeof comment === 'object' &&
      comment !== null &&
      'body' in comment &&
      typeof comment.body === 'string' &&
      comment.body.startsWith(head),
  );
  return idOf(found);
}

// By id: older servers take no names. What does not exist they would drop in silence.
async function labelId(client: GiteaClient, repository: string, name: string): Promise<number> {
  for (let page = 1; page <= MAX_PAGES; page += 1) {
    const answer = await client(`${repository}/labels?limit=${PAGE_SIZE}&page=${page}`);
    const labels: readonly unknown[] = answer.status === 200 && Array.isArray(answer.body) ? answer.body : [];
    const id = idOf(labels.find((label) => isNamed(label, name)));
    if (id !== null) return id;
    if (labels.length === 0) break;
  }
  throw new UserError(`there is no label ${name} in ${decodeURIComponent(repository.slice('/repos/'.length))}`, {
    exitCode: EXIT.invalid,
    code: 'label_missing',
    hint: 'make it on Gitea, or change receipt.label',
  });
}

function isNamed(label: unknown, name: string): boolean {
  if (typeof label !== 'object' || label === null || !('name' in label)) return false;
  return typeof label.name === 'string' && label.name.toLowerCase() === name.toLowerCase();
}

function idOf(value: unknown): number | null {
  return typeof value === 'object' && value !== null && 'id' in value && Number.isSafeInteger(value.id)
    ? Number(value.id)
    : null;
}
