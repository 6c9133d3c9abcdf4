// What the fake server lets a token with write:issue do: react, label, comment.

import type { IncomingMessage } from 'node:http';
import { commentJson, labelJson } from './json.ts';
import type { Context, Json, Problem } from './server.ts';

/** The account that the token belongs to. */
export const BOT = 'dispatcher';

/** Answers a POST or PATCH. */
export function write(context: Context, request: IncomingMessage, path: string, json: Json, problem: Problem): void {
  if (!context.scopes.some((scope) => scope === 'write:issue' || scope === 'all')) {
    return problem(403, 'token does not have at least one of required scope(s): [write:issue]');
  }
  let text = '';
  request.setEncoding('utf8').on('data', (part: string) => (text += part));
  request.on('end', () => {
    const body: Record<string, unknown> = JSON.parse(text);
    const [, repository = '', number, what = ''] =
      /^\/repos\/([^/]+\/[^/]+)\/issues\/(\d+)\/(reactions|labels|comments)$/u.exec(decodeURI(path)) ?? [];
    const [, where = '', id] = /^\/repos\/([^/]+\/[^/]+)\/issues\/comments\/(\d+)$/u.exec(decodeURI(path)) ?? [];
    if (id !== undefined) return edit(context, where, Number(id), String(body['body']), json, problem);
    const issue = context.store.find(repository, Number(number));
    if (!issue) return problem(404, "The target couldn't be found.");
    const ref = `${issue.repository}#${issue.number}`;
    if (what === 'reactions') {
      return json(context.store.addReaction(ref, String(body['content'])) ? 201 : 200, { content: body['content'] });
    }
    if (what === 'labels') {
      const ids: readonly unknown[] = Array.isArray(body['labels']) ? body['labels'] : [];
      // Unknown ones are dropped in silence.
      const known = (context.labels.get(repository.toLowerCase()) ?? []).filter((name) =>
        ids.includes(labelJson(name).id),
      );
      context.store.editIssue(ref, { labels: [...new Set([...issue.labels, ...known])] });
      return json(
        200,
        known.map((name) => labelJson(name)),
      );
    }
    context.store.addComment(ref, { author: BOT, body: String(body['body']) });
    const comment = context.store.find(repository, issue.number)?.comments.at(-1);
    return comment ? json(201, commentJson(comment, issue, context)) : problem(500, '');
  });
}

function edit(context: Context, repository: string, id: number, body: string, json: Json, problem: Problem): void {
  for (const issue of context.store.issues) {
    const index = issue.comments.findIndex((comment) => comment.id === id);
    if (index < 0 || issue.repository.toLowerCase() !== repository.toLowerCase()) continue;
    if (issue.comments[index]?.author !== BOT && !context.mayEditOthers) return problem(403, '');
    context.store.editComment(`${issue.repository}#${issue.number}`, index, body);
    return json(200, { id, body });
  }
  return problem(404, "The target couldn't be found.");
}
