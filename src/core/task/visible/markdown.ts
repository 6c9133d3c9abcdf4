// The one rule of what a task file may hold of a text: what a reader of its page on Gitea sees. The text stays as it was
// written where it is seen; what is not seen is taken out, or stands between marks, and is counted. The page is worked out by
// the Markdown parser that also shows it on the dashboard, set as Gitea's is.

import type { Token } from 'markdown-it';
import { cleanCharacters } from '../untrusted.ts';
import { createParser, DEFINITIONS } from './parser.ts';
import { mark, newPage, type Page, type Unseen } from './page.ts';
import { CITATION, printHtml, printInline } from './print.ts';
import { openSheet, type Range, type Sheet } from './sheet.ts';

export interface Visible {
  readonly text: string;
  readonly unseen: Readonly<Unseen>;
}

/** How an address of a text is shown: absolute, or as the path of what was saved. Null: as a page would, not at all. */
export type ShowAddress = (url: string) => string | null;

/** A text as its page shows it. `marker`: a word that its author cannot have known. */
export function visibleMarkdown(raw: string, marker: string, showAddress: ShowAddress): Visible {
  const { text, removed } = cleanCharacters(raw);
  const page = newPage(marker, showAddress);
  page.unseen.characters = removed;
  const sheet = openSheet(text);
  const definitions: Range[] = [];
  const tokens = parser.parse(text, { [DEFINITIONS]: definitions });
  page.footnotes = footnotesIn(tokens);
  const [, last] = tokens.findLast(({ map }) => map !== null)?.map ?? [0, 0];
  const end = Math.max(last, ...definitions.map(([, to]) => to));
  for (const [index, token] of tokens.entries()) {
    if (!token.map) continue;
    page.isAtEnd = token.map[1] >= end;
    passage(tokens, index, token.map, sheet, page);
    if (!page.isBroken) continue;
    sheet.keepFrom(token.map[1]);
    break;
  }
  for (const range of definitions) definition(range, sheet, page);
  // What came as an entity may be invisible too.
  const shown = cleanCharacters(`${markAbove(page, tokens)}${sheet.text()}`);
  page.unseen.characters += shown.removed;
  return { text: shown.text, unseen: page.unseen };
}

function passage(tokens: readonly Token[], index: number, map: Range, sheet: Sheet, page: Page): void {
  const token = tokens[index];
  if (!token) return;
  const { type, content } = token;
  if (type === 'inline') paragraph(token, map, tokens[index - 1]?.type === 'heading_open', sheet, page);
  else if (type === 'html_block') sheet.replace(map, content, printHtml(content, page), true);
  else if (page.skip !== null && token.nesting === 0) sheet.drop(map);
  else if (type === 'tr_open') row(tokens, index, map, sheet, page);
  else if (type === 'fence') fence(token, map, sheet, page);
}

// Footnotes stand at the end of a page, whatever stood in front of them in the text. And a definition hides the labels that
// name it wherever they stand.
function markAbove(page: Page, tokens: readonly Token[]): string {
  const texts = tokens.flatMap(({ type, content }) => (type === 'inline' ? [content] : []));
  if (texts.some((text) => hasDoubtfulDefinition(text)) || isFootnoteTwice(texts) || hasCodeBelowTable(tokens)) {
    const words = mark(
      page,
      'read in one way by some pages and otherwise by others: what follows may be unseen in the page',
    );
    // A part is shown a second time.
    if (texts.includes(words)) return '';
    page.unseen.collapsed += 1;
    return `${words}\n\n`;
  }
  const isOpen = page.skip !== null || page.isBroken || page.details > 0;
  return isOpen && page.footnotes.size > 0
    ? `${mark(page, 'broken HTML: what follows may be unseen in the page')}\n\n`
    : '';
}

const LIKE_A_DEFINITION = /^[ \t]{0,3}\[[^\]\n]{1,999}\]:[ \t]{0,99}\n?[ \t]{0,99}([^\s<]\S{0,2000})/gmu;

// Brackets without their other half are no address to CommonMark, and one to some servers.
function hasDoubtfulDefinition(text: string): boolean {
  return [...text.matchAll(LIKE_A_DEFINITION)].some(([, address = '']) => /[()]/u.test(address));
}

const parser = createParser();

const ORDINARY = new Set([
  'text',
  'softbreak',
  'hardbreak',
  'code_inline',
  'em_open',
  'em_close',
  'strong_open',
  'strong_close',
  's_open',
  's_close',
]);

function paragraph(token: Token, map: Range, isHeading: boolean, sheet: Sheet, page: Page): void {
  const kept = withoutFootnotes(token.content, page);
  const attributes = isHeading ? attributesAt(kept) : '';
  const content = kept.slice(0, kept.length - attributes.length);
  const isWhole = content === token.content;
  if (!isWhole) page.unseen.texts += 1;
  const children = (isWhole ? token.children : parser.parseInline(content, {})[0]?.children) ?? [];
  if (isWhole && page.skip === null && children.every((child) => isOrdinary(child, page))) return;
  sheet.replace(map, token.content, printInline(children, page));
}

function isOrdinary({ type, content }: Token, { footnotes }: Page): boolean {
  if (type !== 'text') return ORDINARY.has(type);
  return !/<[A-Za-z/!?]/u.test(content) && (footnotes.size === 0 || !content.includes('[^'));
}

const FOOTNOTE = /^\s{0,3}\[\^([^\][\s]{1,100})\]:/u;

// The numbers of the footnotes that are there and that something points to.
function footnotesIn(tokens: readonly Token[]): ReadonlyMap<string, string> {
  const defined = new Set<string>();
  const cited = new Set<string>();
  for (const { children } of tokens) {
    const text = (children ?? []).map(({ type, content }) =>
      type === 'text' ? content : type === 'softbreak' ? '\n' : '\uFFFC',
    );
    for (const line of text.join('').split('\n')) {
      const [definition = '', named] = FOOTNOTE.exec(line) ?? [];
      if (named !== undefined) defined.add(named);
      for (const [, label = ''] of line.slice(definition.length).matchAll(CITATION)) cited.add(label);
    }
  }
  const labels = [...cited].filter((label) => defined.has(label));
  return new Map(labels.map((label, index) => [label, String(index + 1)]));
}

// Right below a table, four blanks make code to some, and another row to others.
function hasCodeBelowTable(tokens: readonly Token[]): boolean {
  const ends = new Set(tokens.flatMap(({ type, map }) => (type === 'table_open' && map ? [map[1]] : [])));
  return tokens.some(({ type, map }) => type === 'code_block' && map !== null && ends.has(map[0]));
}

// Of two with one label some pages show the first, and others the second.
function isFootnoteTwice(texts: readonly string[]): boolean {
  const labels = texts.flatMap((text) =>
    text.split('\n').flatMap((line) => FOOTNOTE.exec(line)?.[1]?.toLowerCase() ?? []),
  );
  return new Set(labels).size < labels.length;
}

// Footnotes that nothing points to are not on the page.
function withoutFootnotes(content: string, { footnotes }: Page): string {
  if (!content.includes('[^')) return content;
  let isKept = true;
  return content
    .split('\n')
    .map((line) => {
      const [, label] = FOOTNOTE.exec(line) ?? [];
      if (label !== undefined) isKept = footnotes.has(label);
      return isKept ? line : '';
    })
    .join('\n')
    .trimEnd();
}

const ATTRIBUTE = /\s*(?:[#.][\w:-]+|[A-Za-z_:][\w:.-]*=(?:"[^"]*"|[\w.+-]+|\[[^\]]*\]))[,\s]*/uy;

// Attributes that a heading may end with (`{#id title="…"}`).
function attributesAt(content: string): string {
  const open = content.endsWith('}') ? content.lastIndexOf('{') : -1;
  if (open < 0) return '';
  let at = open + 1;
  while (at < content.length - 1) {
    ATTRIBUTE.lastIndex = at;
    if (!ATTRIBUTE.test(content)) return '';
    at = ATTRIBUTE.lastIndex;
  }
  return content.slice(open);
}

// A row may have more cells than its table: those are not on the page.
function row(tokens: readonly Token[], index: number, map: Range, sheet: Sheet, page: Page): void {
  const cells: string[] = [];
  let isOrdinaryRow = page.skip === null;
  for (let at = index + 1; tokens[at] && tokens[at]?.type !== 'tr_close'; at += 1) {
    const { type, content = '', children } = tokens[at] ?? {};
    if (type !== 'inline') continue;
    isOrdinaryRow &&= (children ?? []).every((child) => isOrdinary(child, page));
    cells.push(isOrdinaryRow ? content : printInline(children ?? [], page));
  }
  const line = sheet.line(map[0]);
  const [prefix = ''] = /^[\s>]*/u.exec(line) ?? [];
  const bare = (text: string): string => text.replaceAll(/[\s|\\>]/gu, '');
  const isWhole = bare(line) === bare(cells.join(''));
  if (isOrdinaryRow && isWhole) return;
  if (isOrdinaryRow) page.unseen.texts += 1;
  sheet.write(
    map[0],
    `${prefix}| ${cells.map((cell) => cell.replaceAll('\n', ' ').replaceAll('|', '\\|')).join(' | ')} |`,
  );
}

// Of what stands behind a fence a page shows nothing; the word for the language stays.
function fence({ info, markup }: Token, map: Range, sheet: Sheet, page: Page): void {
  const [language = '', ...more] = info.trim().split(/\s+/u);
  const isPlain = /^[A-Za-z0-9+#.-]{0,20}$/u.test(language);
  if (isPlain && more.length === 0) return;
  page.unseen.texts += 1;
  const line = sheet.line(map[0]);
  const at = line.lastIndexOf(markup, line.length - info.length) + markup.length;
  sheet.write(map[0], line.slice(0, at) + (isPlain ? language : ''));
}

function definition(range: Range, sheet: Sheet, page: Page): void {
  const line = sheet.line(range[0]);
  const [target = ''] = line
    .slice(line.indexOf(']:') + 2)
    .trim()
    .split(/\s/u, 1);
  if (!page.shown.has(target.replaceAll(/^<|>$/gu, ''))) page.unseen.texts += 1;
  sheet.drop(range);
}
