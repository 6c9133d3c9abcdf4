// What a reader of a page on Gitea sees of a text, worked out apart from the dispatcher: rendered as Gitea does (CommonMark and
// GFM, raw HTML, line breaks, footnotes), read by a browser's HTML parser, cleaned as Gitea cleans it.

import MarkdownIt from 'markdown-it';
// @ts-expect-error -- the plugin has no types
import footnote from 'markdown-it-footnote';
import { type DefaultTreeAdapterTypes, parseFragment } from 'parse5';

const markdown = new MarkdownIt({ html: true, breaks: true });
markdown.use(footnote);
// Every address makes a link; what may not be linked to is cleaned away behind that.
markdown.validateLink = () => true;
markdown.inline.ruler.disable(['footnote_inline']);
// After one piece of HTML without an end the parser takes no more of its kind for HTML, as no server does.
markdown.inline.ruler.before('html_inline', 'with_and_without_ends', (state) => {
  Object.assign(state, { skipHtmlSpecial: false });
  return false;
});

// Gitea's sanitizer leaves these out with everything in them.
const LEFT_OUT = new Set(
  'script style iframe object noscript noembed noframes frame frameset nostyle template head'.split(' '),
);
const BREAKS = new Set(
  'address article aside blockquote br center dd div dl dt figure footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol option p pre section summary table td th tr ul'.split(
    ' ',
  ),
);

/** The words that are seen at once, those that are seen on opening something, and the addresses that can be followed. */
interface Page {
  readonly seen: ReadonlySet<string>;
  readonly collapsed: ReadonlySet<string>;
  readonly addresses: ReadonlySet<string>;
  /** The text itself. */
  readonly lines: readonly string[];
}

/** The page of a text, as CommonMark has it. */
function htmlOf(text: string): string {
  return markdown.render(text);
}

function pageOf(html: string): Page {
  const seen: string[] = [];
  const collapsed: string[] = [];
  const addresses: string[] = [];
  const visit = (node: DefaultTreeAdapterTypes.Node, isCollapsed: boolean): void => {
    if (node.nodeName === '#text' && 'value' in node) (isCollapsed ? collapsed : seen).push(node.value);
    if (!('childNodes' in node) || LEFT_OUT.has(node.nodeName)) return;
    if ('attrs' in node) {
      for (const { name, value } of node.attrs) {
        if ((name === 'href' || name === 'src') && !/^(?!https?:|mailto:)[a-z][a-z0-9+.-]*:/iu.test(value))
          addresses.push(value);
        // The language of a block of code: one short word.
        const [, language] = /(?:^|\s)language-(\S{1,20})(?:\s|$)/u.exec(value) ?? [];
        if (node.nodeName === 'code' && language !== undefined) addresses.push(language);
      }
    }
    const isLine = BREAKS.has(node.nodeName);
    if (isLine) (isCollapsed ? collapsed : seen).push('\n');
    const isClosed = node.nodeName === 'details' && 'attrs' in node && !node.attrs.some(({ name }) => name === 'open');
    for (const child of node.childNodes) visit(child, isCollapsed || isClosed);
    if (isLine) (isCollapsed ? collapsed : seen).push('\n');
  };
  visit(parseFragment(html), false);
  return {
    seen: wordsOf(seen.join('')),
    collapsed: wordsOf(collapsed.join('')),
    addresses: wordsOf(addresses.map(decoded).join(' ')),
    lines: seen,
  };
}

function decoded(address: string): string {
  try {
    return `${address} ${decodeURI(address)}`;
  } catch {
    return address;
  }
}

/** Its words, as written, two letters or longer. Invisible characters are no part of a word. */
function wordsOf(text: string): ReadonlySet<string> {
  return new Set(withoutInvisible(text).match(/[\p{L}\p{N}]{2,}/gu) ?? []);
}

function withoutInvisible(text: string): string {
  return text.replaceAll(/\p{Default_Ignorable_Code_Point}|\p{Bidi_Control}|\p{Cc}(?<![\n\t])/gu, '');
}

function joined(text: string): string {
  return [...withoutInvisible(text).matchAll(/[\p{L}\p{N}]+/gu)].map(([word]) => word).join('');
}

/**
 * What is wrong with a text that claims to show what the page of `raw` shows. `marker`: of the marks in it; what stands behind one
 * is named as perhaps unseen. `html`: the page, where somebody else has rendered it.
 */
export function faultsIn(
  shown: string,
  raw: string,
  marker: string,
  html = htmlOf(raw),
): { readonly unseen: string[]; readonly lost: string[] } {
  const page = pageOf(html);
  const marked: string[] = [];
  const open: string[] = [];
  let depth = 0;
  let isBroken = false;
  for (const piece of shown.split(new RegExp(`(\\[${marker}: [^\\]]*\\])`, 'u'))) {
    if (!piece.startsWith(`[${marker}: `)) (depth > 0 || isBroken ? marked : open).push(piece);
    else if (piece.includes('collapsed in')) depth += 1;
    else if (piece.includes('end of')) depth -= 1;
    else isBroken = true;
  }
  // Where one word ends and another begins may look otherwise: what hides between two halves is another matter.
  const text = `${open.join('\n')}\n${marked.join('\n')}`;
  // Behind broken HTML all of it stays as it was written.
  const untagged = markdown.utils.unescapeAll(text.replaceAll(/\\<\/?[a-z][^<>]*>/giu, ''));
  const all = `${joined(text)} ${joined(untagged)} ${joined(text.replaceAll(/\]\([^()\s]*\)| \([^()\s]*\)/gu, ''))}`;
  const seen = joined([...page.lines, ...page.addresses].join(' '));
  return {
    unseen: [...wordsOf(open.join('\n'))].filter((word) => !seen.includes(word)),
    lost: [...page.seen, ...page.collapsed].filter((word) => !all.includes(word)),
  };
}
