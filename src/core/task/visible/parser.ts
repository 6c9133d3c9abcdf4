// The Markdown parser, set as Gitea's is, and told to leave words as they were written.

import MarkdownIt from 'markdown-it';
import type { StateBlock, StateInline } from 'markdown-it';

/** Where the parser leaves the lines of definitions, in the environment that it is given. */
export const DEFINITIONS = Symbol('definitions');

/** A parser for whole texts. */
export function createParser() {
  const markdown = new MarkdownIt({ html: true, linkify: false, maxNesting: 50 });
  // As they were written: entities and escapes apart from the text around them, addresses not encoded, and also those
  // that a page would not link to.
  markdown.core.ruler.disable(['text_join']);
  markdown.validateLink = () => true;
  markdown.normalizeLink = (url) => url;
  markdown.normalizeLinkText = (url) => url;
  const plain = new MarkdownIt({ html: true });
  plain.block.ruler.enableOnly(['reference']);
  plain.inline.ruler.enableOnly(['html_inline']);
  const [reference] = plain.block.ruler.getRules('');
  const [html] = plain.inline.ruler.getRules('');
  if (!reference || !html) throw new Error('the Markdown parser has no rule for definitions, or for HTML');
  markdown.block.ruler.at('reference', (state: StateBlock, start, end, silent) => {
    const from = (state.bMarks[start] ?? 0) + (state.tShift[start] ?? 0);
    // A footnote is no definition, although it looks like one.
    if (state.src.startsWith('[^', from)) return false;
    const isOne = reference(state, start, end, silent);
    const found: unknown = state.env[DEFINITIONS];
    if (isOne && !silent && Array.isArray(found)) found.push([start, state.line]);
    return isOne;
  });
  const endless = new WeakMap<StateInline, Set<string>>();
  markdown.inline.ruler.at('html_inline', (state: StateInline, silent) => {
    const end = endOf(state.src, state.pos);
    if (end === null) return html(state, silent);
    // The parser takes no more of these in a paragraph after one that has no end, whatever their ends are.
    const without = endless.get(state) ?? new Set();
    endless.set(state, without);
    if (without.has(end)) return false;
    if (!state.src.includes(end, state.pos + 2)) {
      without.add(end);
      return false;
    }
    return html(Object.assign(state, { skipHtmlSpecial: false }), silent);
  });
  return markdown;
}

// Null: what begins there ends where it is looked at, or is a tag.
function endOf(text: string, at: number): string | null {
  if (text.startsWith('<?', at)) return '?>';
  if (text.startsWith('<!--', at)) return /^-?>/u.test(text.slice(at + 4, at + 6)) ? null : '-->';
  if (text.startsWith('<![CDATA[', at)) return ']]>';
  return text.startsWith('<!', at) ? '>' : null;
}
