// Attachments lie beside a task before the text appears that shows them. Whatever goes wrong with them, the text goes: their
// addresses stand in it.

import { messageOf } from '../core/errors.ts';
import { type FullIssue, refOf, withSaved } from '../core/issue/issue.ts';
import type { DispatchDeps, GiteaSlice } from './pass-deps.ts';

/** The issue with the paths of what is saved of `told`, which its agent is told of, beside the task file. */
export async function withAttachments(
  deps: Pick<DispatchDeps, 'config' | 'isInterrupted' | 'log'>,
  gitea: GiteaSlice,
  issue: FullIssue,
  { told, file }: { readonly told: FullIssue; readonly file: string },
): Promise<FullIssue> {
  if (!deps.config.attachments) return issue;
  try {
    return withSaved(issue, await gitea.saveAttachments(told, file));
  } catch (error) {
    if (deps.isInterrupted()) throw error;
    deps.log({ name: 'WARNING', message: `the attachments of ${refOf(issue)} are not saved: ${messageOf(error)}` });
    return issue;
  }
}
