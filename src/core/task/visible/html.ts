// Raw HTML inside Markdown, as far as a reader sees anything of it. What a page does with broken HTML is not worked out: it is
// said that what follows may be hidden.

/** A part of a piece of HTML. */
export type HtmlPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'comment' }
  | { readonly kind: 'open'; readonly name: string; readonly attributes: ReadonlyMap<string, string> }
  | { readonly kind: 'close'; readonly name: string }
  /** A tag or comment without an end: the page may take what follows for a part of it. */
  | { readonly kind: 'broken'; readonly text: string };

const NAME = /[a-z][^\s/>]*/iuy;
const COMMENT_END = /--!?>/gu;

/** Takes HTML apart, in one go from its beginning to its end. */
export function htmlParts(html: string): readonly HtmlPart[] {
  const parts: HtmlPart[] = [];
  let from = 0;
  for (let open = html.indexOf('<'); open >= 0; open = html.indexOf('<', from)) {
    if (open > from) parts.push({ kind: 'text', text: html.slice(from, open) });
    const { part, end } = partAt(html, open);
    parts.push(part);
    from = end;
    if (part.kind === 'broken') return parts;
  }
  if (from < html.length) parts.push({ kind: 'text', text: html.slice(from) });
  return parts;
}

interface Found {
  readonly part: HtmlPart;
  readonly end: number;
}

const broken = (html: string, open: number): Found => ({
  part: { kind: 'broken', text: html.slice(open) },
  end: html.length,
});

function partAt(html: string, open: number): Found {
  if (html.startsWith('<!--', open)) {
    COMMENT_END.lastIndex = open + 2; // `<!-->` is a whole comment to a browser
    return COMMENT_END.exec(html) ? { part: { kind: 'comment' }, end: COMMENT_END.lastIndex } : broken(html, open);
  }
  const isClosing = html[open + 1] === '/';
  NAME.lastIndex = open + (isClosing ? 2 : 1);
  const [name] = NAME.exec(html) ?? [];
  if (name === undefined) {
    // To a browser `<?…>`, `<!…>` and `</…>` are comments up to the next `>`, and any other `<` is a sign.
    if (!/[!?/]/u.test(html[open + 1] ?? '')) return { part: { kind: 'text', text: '<' }, end: open + 1 };
    const end = html.indexOf('>', open);
    return end < 0 ? broken(html, open) : { part: { kind: 'comment' }, end: end + 1 };
  }
  const found = attributesFrom(html, NAME.lastIndex);
  if (!found) return broken(html, open);
  const lower = name.toLowerCase();
  return {
    part: isClosing ? { kind: 'close', name: lower } : { kind: 'open', name: lower, attributes: found.attributes },
    end: found.end,
  };
}

const SPACE = /[\s/]*/uy;
const ATTRIBUTE_NAME = /[^\s/>][^\s/>=]*/uy;
const EQUALS = /\s*=\s*/uy;
const UNQUOTED = /[^\s>]*/uy;

// Undefined: the tag has no end.
function attributesFrom(html: string, start: number) {
  const attributes = new Map<string, string>();
  let at = start;
  const take = (expression: RegExp): string | undefined => {
    expression.lastIndex = at;
    const [text] = expression.exec(html) ?? [];
    at += text?.length ?? 0;
    return text;
  };
  for (;;) {
    take(SPACE);
    if (html[at] === '>') return { attributes, end: at + 1 };
    const name = take(ATTRIBUTE_NAME);
    if (name === undefined) return undefined;
    let value = '';
    if (take(EQUALS) !== undefined) {
      const quote = html[at];
      if (quote === '"' || quote === "'") {
        const end = html.indexOf(quote, at + 1);
        if (end < 0) return undefined;
        value = html.slice(at + 1, end);
        at = end + 1;
      } else value = take(UNQUOTED) ?? '';
    }
    if (!attributes.has(name.toLowerCase())) attributes.set(name.toLowerCase(), value);
  }
}
