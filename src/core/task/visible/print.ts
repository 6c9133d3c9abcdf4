// Markdown and HTML, written again with what a reader of the page sees, and nothing else.

import type { Token } from 'markdown-it';
import { decodeEntities } from './entities.ts';
import { htmlParts } from './html.ts';
import { mark, type Page, shownAddress } from './page.ts';

// Gitea leaves these out with everything in them.
const LEFT_OUT = new Set([
  'script',
  'style',
  'iframe',
  'object',
  'noscript',
  'noembed',
  'noframes',
  'frame',
  'frameset',
  'nostyle',
]);
const OWN_LINE = new Set(
  'address article aside blockquote br center dd div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section summary table tr ul'.split(
    ' ',
  ),
);
const CELL = new Set(['td', 'th']);
const MEDIA = new Set(['img', 'video', 'audio']);
/** Attributes that say how, not what. */
const LAYOUT = new Set(
  'align width height class id rel target type start value colspan rowspan border open dir lang name'.split(' '),
);

/** Raw HTML as plain text: what stands between the tags. */
export function printHtml(html: string, page: Page): string {
  let out = '';
  for (const part of htmlParts(html)) {
    if (page.skip !== null) {
      if (part.kind === 'close' && part.name === page.skip) page.skip = null;
      continue;
    }
    if (part.kind === 'text') out += literal(decodeEntities(part.text));
    else if (part.kind === 'comment') page.unseen.comments += 1;
    else if (part.kind === 'open') out += printOpen(part.name, part.attributes, page);
    else if (part.kind === 'close') out += printClose(part.name, page);
    else out += printBroken(part.text, page);
  }
  return out;
}

function printOpen(name: string, attributes: ReadonlyMap<string, string>, page: Page): string {
  if (LEFT_OUT.has(name)) {
    page.unseen.texts += 1;
    page.skip = name;
    return '';
  }
  const isMedia = MEDIA.has(name);
  const address = shownAddress(
    page,
    decodeEntities((isMedia ? attributes.get('src') : name === 'a' ? attributes.get('href') : '') ?? ''),
  );
  if (hidesWords(attributes, address)) page.unseen.texts += 1;
  if (name === 'a') page.links.push(address);
  if (isMedia && address !== null) return `![](${address})`;
  if (name === 'details' && !attributes.has('open')) {
    page.details += 1;
    page.unseen.collapsed += 1;
    return `\n${mark(page, 'collapsed in the page from here')}\n`;
  }
  const line = OWN_LINE.has(name) ? '\n' : CELL.has(name) ? ' ' : '';
  if (!attributes.has('style') && !attributes.has('hidden') && !attributes.has('color')) return line;
  page.unseen.collapsed += 1;
  return `${line}${mark(page, 'styled, perhaps unseen in the page')} `;
}

function printClose(name: string, page: Page): string {
  if (name === 'a') {
    const address = page.links.pop() ?? null;
    return address === null ? '' : ` (${address})`;
  }
  if (name === 'details' && page.details > 0) {
    page.details -= 1;
    return `\n${mark(page, 'end of what is collapsed')}\n`;
  }
  return OWN_LINE.has(name) ? '\n' : '';
}

// What follows may be a part of it, or not: it stays, and is named. Behind it there is nothing: that is not on the page.
function printBroken(text: string, page: Page): string {
  page.unseen.texts += 1;
  page.isBroken = true;
  if (page.isAtEnd) return '';
  page.unseen.collapsed += 1;
  return `\n${mark(page, 'broken HTML: what follows may be unseen in the page')}\n${literal(text)}`;
}

// An attribute counts when it could tell somebody something.
function hidesWords(attributes: ReadonlyMap<string, string>, address: string | null): boolean {
  return [...attributes].some(
    ([name, value]) =>
      !LAYOUT.has(name) &&
      !(address !== null && (name === 'src' || name === 'href')) &&
      (/\p{L}/u.test(value) || name.length > 20),
  );
}

/** Two dashes inside: no comment by the older CommonMark, whose servers show it in the midst of a paragraph. */
const DOUBTFUL = /^<!--(?:-?>|[^]*?--[^>]|[^]*--->$)/u;

function isDoubtful(html: string): boolean {
  return html.startsWith('<!--') && DOUBTFUL.test(html) && /[\p{L}\p{N}]/u.test(html);
}

function printDoubtful(html: string, page: Page): string {
  page.unseen.collapsed += 1;
  const begin = mark(page, 'a comment, collapsed in some pages and shown in others');
  return `${begin} ${literal(html)} ${mark(page, 'end of what is collapsed')}`;
}

/** The inline parts of a paragraph, heading or cell. */
export function printInline(children: readonly Token[], page: Page): string {
  let out = '';
  const links: { readonly at: number; readonly address: string | null; readonly isAuto: boolean }[] = [];
  const { isAtEnd } = page;
  for (const [index, token] of children.entries()) {
    // A paragraph goes on behind a piece of HTML in it.
    page.isAtEnd = isAtEnd && index === children.length - 1;
    if (token.type === 'html_inline') {
      out +=
        isDoubtful(token.content) && page.skip === null
          ? printDoubtful(token.content, page)
          : printHtml(token.content, page);
      continue;
    }
    if (page.skip !== null) continue;
    if (token.type === 'link_open') {
      const isAuto = token.markup === 'autolink';
      if (token.attrGet('title')) page.unseen.texts += 1;
      links.push({ at: out.length, address: shownAddress(page, String(token.attrGet('href') ?? '')), isAuto });
    } else if (token.type === 'link_close') {
      const link = links.pop();
      if (link) out = out.slice(0, link.at) + printLink(out.slice(link.at), link, page);
    } else out += printToken(token, page);
  }
  return tame(out);
}

function printLink(
  text: string,
  { address, isAuto }: { readonly address: string | null; readonly isAuto: boolean },
  page: Page,
): string {
  if (isAuto) return `<${text}>`;
  // Nothing to click on: nobody sees where it leads.
  if (text.trim() === '' || address === null) {
    page.unseen.texts += 1;
    return text;
  }
  return `[${text}](${address})`;
}

function printToken(token: Token, page: Page): string {
  switch (token.type) {
    case 'text':
      return numbered(plain(token.content), page);
    case 'text_special':
      return token.info === 'entity' ? literal(decodeEntities(token.markup)).replace(/^&$/u, '\\&') : token.markup;
    case 'code_inline':
      return printCode(token);
    case 'softbreak':
      return '\n';
    case 'hardbreak':
      return '  \n';
    case 'image':
      return printImage(token, page);
    default:
      return token.markup;
  }
}

function printCode({ content, markup }: Token): string {
  const isTight =
    !content.startsWith('`') && !content.endsWith('`') && !(content.startsWith(' ') && content.endsWith(' '));
  return isTight || content.trim() === '' ? markup + content + markup : `${markup} ${content} ${markup}`;
}

function printImage(token: Token, page: Page): string {
  if (token.content.trim() !== '' || token.attrGet('title')) page.unseen.texts += 1;
  const address = shownAddress(page, String(token.attrGet('src') ?? ''));
  if (address === null) page.unseen.texts += 1;
  return address === null ? '' : `![](${address})`;
}

// Signs that were nothing but signs stay so, whatever stood beside them and is gone.
function plain(text: string): string {
  return text.replaceAll(/<(?=[A-Za-z/!?]|$)/gu, '\\<').replaceAll('`', '\\`');
}

/** Where a text points to footnotes. */
export const CITATION = /\[\^([^\][\s]{1,100})\]/gu;

function numbered(text: string, { footnotes }: Page): string {
  return text.replaceAll(CITATION, (whole, label: string) => {
    const number = footnotes.get(label);
    return number === undefined ? whole : `[^${number}]`;
  });
}

// What came as an entity, or out of HTML, is no Markdown.
function literal(text: string): string {
  return text.replaceAll(/<(?=[A-Za-z/!?]|$)|[`~]|&(?=#?[A-Za-z0-9]{1,32};)/gu, '\\$&');
}

// The beginning of a line decides what a line is: one that was text stays so, when what stood before it is gone.
const NO_TEXT = /^(?=~~~|\||=+$|\[[^\]^][^\]]{0,200}\]:)/u;

function tame(text: string): string {
  return text
    .split('\n')
    .map((line, index) => (index === 0 ? line : line.trimStart()).replace(NO_TEXT, '\\'))
    .join('\n');
}
