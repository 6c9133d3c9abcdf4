// What an update file says of a pull request. Names of files, of branches and of checks are words of others too.

import { toRfc3339 } from '../clock.ts';
import type { Check, LineComment } from '../issue/pull-feedback.ts';
import type { Quoter } from './quote.ts';
import { cleanInline, cleanLine, cleanLogin } from './untrusted.ts';
import type { PullNews } from './watched-pull.ts';

const TEXT_LIMIT = 10_000;
const LINES_LIMIT = 20_000;
const MOST_CHECKS = 30;
/** Of all texts of a pull request together. */
const MOST_CHARACTERS = 200_000;

/** A pull request as blocks for a template, each null or empty when there is nothing of it. */
export function pullSection({ ref, pull, isOurs, ...news }: PullNews, quoting: Quoter) {
  const { url, updatedAt: at } = pull;
  const source = (by: string) => ({ by, at, url });
  const text = budget(quoting, MOST_CHARACTERS);
  const reviews = news.reviews.map(({ author, at: when, state, body, url: address, isNew, comments }) => ({
    author: cleanLogin(author),
    at: toRfc3339(when),
    url: address,
    state: isNew ? cleanInline(state.toLowerCase().replaceAll('_', ' '), 40) : null,
    body: isNew ? text(body, { by: `review by ${cleanLogin(author)}`, at: when, url: address }) : null,
    comments: comments.map((each) => ({
      author: cleanLogin(each.author),
      at: toRfc3339(each.at),
      place: quoting.lines(placeOf(each), source(`a place that ${cleanLogin(each.author)} comments on`), LINES_LIMIT),
      body: text(each.body, { by: `comment by ${cleanLogin(each.author)}`, at: each.at, url: address }),
    })),
  }));
  const comments = news.comments.map(({ author, createdAt, url: address, body }) => ({
    author: cleanLogin(author),
    createdAt: toRfc3339(createdAt),
    url: address,
    body: text(body, { by: `comment by ${cleanLogin(author)}`, at: createdAt, url: address }),
  }));
  return {
    ref,
    url,
    isOurs,
    author: cleanLogin(pull.author),
    title: quoting.lines(`Title: ${cleanLine(pull.title)}`, source('title of the pull request'), LINES_LIMIT),
    head: pull.head?.slice(0, 12) ?? null,
    base: pull.base === null ? null : cleanInline(pull.base, 200),
    isConflict: news.isConflict,
    checks: quoting.lines(checksText(news.checks), source('checks that failed'), LINES_LIMIT),
    reviews,
    comments,
    unread: pull.unread.map((each) => cleanInline(each, 400)),
    omitted: text.omitted(),
  };
}

// Long texts one after the other, until there are too many characters; how many were left out.
function budget(quoting: Quoter, most: number) {
  let left = most;
  let omitted = 0;
  const text = (body: string, source: Parameters<Quoter['quote']>[1]): string | null => {
    if (left <= 0 && body.trim() !== '') {
      omitted += 1;
      return null;
    }
    left -= Math.min(body.length, TEXT_LIMIT);
    return quoting.quote(quoting.read(body, TEXT_LIMIT), source);
  };
  return Object.assign(text, { omitted: () => omitted });
}

function placeOf({ path, line, oldLine }: LineComment): string {
  const file = cleanLine(path, 1000);
  if (line !== null) return `${file}, line ${line}`;
  return oldLine === null ? file : `${file}, line ${oldLine} as it was before`;
}

function checksText(checks: readonly Check[]): string {
  const lines = checks.slice(0, MOST_CHECKS).map(({ name, description, url }) => {
    const told = description.trim() === '' ? '' : `: ${cleanLine(description, 500)}`;
    return `- ${cleanLine(name)}${told}${url === null ? '' : ` (${url})`}`;
  });
  const more = checks.length - lines.length;
  return [...lines, ...(more > 0 ? [`(${more} more)`] : [])].join('\n');
}
