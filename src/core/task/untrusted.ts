// Text that came from Gitea was written by strangers. Everything that shows it passes through here first.

/** What was taken out of a text because a reader on Gitea could not have seen it. */
interface Removed {
  readonly comments: number;
  readonly invisible: number;
}

export interface CleanText {
  readonly text: string;
  readonly removed: Removed;
}

// Scripts whose letters join, or do not, by a joiner: it changes how a word reads.
const JOINING =
  '\\p{scx=Arab}\\p{scx=Syrc}\\p{scx=Mong}\\p{scx=Deva}\\p{scx=Beng}\\p{scx=Guru}\\p{scx=Gujr}\\p{scx=Orya}\\p{scx=Taml}\\p{scx=Telu}\\p{scx=Knda}\\p{scx=Mlym}\\p{scx=Sinh}\\p{scx=Mymr}\\p{scx=Khmr}\\p{scx=Tibt}';
const RIGHT_TO_LEFT = '\\p{scx=Hebr}\\p{scx=Arab}\\p{scx=Syrc}\\p{scx=Thaa}\\p{scx=Nkoo}';
// What has no shape of its own, but is seen in what stands beside it.
const SEEN = [
  // A family or the rainbow flag is one picture made of several.
  `(?<=\\p{Extended_Pictographic}[\\uFE0F\\u20E3]?|\\p{Emoji_Modifier})\\u200D(?=\\p{Extended_Pictographic})`,
  `(?<=[\\p{Emoji}\\p{S}])[\\uFE0E\\uFE0F]`,
  // The flags of England, Scotland and Wales: no other words in tag characters.
  `(?<=\\u{1F3F4})\\u{E0067}\\u{E0062}(?:\\u{E0065}\\u{E006E}\\u{E0067}|\\u{E0073}\\u{E0063}\\u{E0074}|\\u{E0077}\\u{E006C}\\u{E0073})\\u{E007F}`,
  `(?<=[${JOINING}])[\\u200C\\u200D](?=[${JOINING}])`,
  // Half a letter at the end of a word.
  `(?<=[${JOINING}]\\p{M})\\u200D(?![\\u200B-\\u200F])`,
  `(?<=\\p{scx=Mong})[\\u180B-\\u180D]`,
  // A mark of direction beside a letter of such a script, which decides where a sign between two words stands.
  `(?<=[${RIGHT_TO_LEFT}])[\\u200E\\u200F](?![\\u200B-\\u200F])|(?<![\\u200B-\\u200F])[\\u200E\\u200F](?=[${RIGHT_TO_LEFT}])`,
];
// Characters with no visible shape: zero-width, bidi controls, tag characters, fillers, variation selectors.
const UNSEEN = '[^\\P{Default_Ignorable_Code_Point}]|\\p{Bidi_Control}|[\\uFFF9-\\uFFFB]';
// The first group: what is seen after all. Few characters can be, and the others are told by one look.
let invisible: RegExp | undefined;
function replaceInvisible(text: string, replacement: (character: string, seen?: string) => string): string {
  // Building it takes milliseconds, and a pass that comes to nothing meets nothing but ASCII.
  if (!/\P{ASCII}/u.test(text)) return text;
  invisible ??= new RegExp(
    `((?=[\\u200C-\\u200F\\uFE0E\\uFE0F\\u180B-\\u180D\\u{E0067}])(?:${SEEN.join('|')}))|${UNSEEN}`,
    'gu',
  );
  return text.replaceAll(invisible, replacement);
}
// Every C0 and C1 control except tab and line feed; DEL included.
const CONTROL = /[^\P{Cc}\t\n]/gu;
// oxlint-disable-next-line no-control-regex -- vertical tab and form feed; Stryker would make an impossible escape of \v
const LINE_BREAK = /\r\n?|[\u000B\u000C\u0085\u2028\u2029]/gu;

/** Multi-line text without anything a person could not see: HTML comments, invisible and control characters; LF only. */
export function cleanText(raw: string): CleanText {
  const { text: visible, removed: invisible } = cleanCharacters(raw);
  const { text, comments } = withoutComments(visible);
  return { text, removed: { comments, invisible } };
}

/** Multi-line text without invisible and control characters, LF only, and how many they were. Those that are seen in their neighbours stay. */
export function cleanCharacters(raw: string): { readonly text: string; readonly removed: number } {
  let removed = 0;
  const drop = (_: string, seen?: string): string => {
    removed += typeof seen === 'string' ? 0 : 1;
    return typeof seen === 'string' ? seen : '';
  };
  const visible = replaceInvisible(wellFormed(raw).replaceAll(LINE_BREAK, '\n'), drop);
  return { text: visible.replaceAll(CONTROL, () => drop('')), removed };
}

/** A text for a terminal in which nothing steers it or hides: a character that would is written as its code, `\u{1b}`. */
export function visibleText(raw: string): string {
  const code = (character: string): string => `\\u{${character.codePointAt(0)?.toString(16)}}`;
  const unlessSeen = (character: string, seen?: string): string => (typeof seen === 'string' ? seen : code(character));
  return replaceInvisible(wellFormed(beginningOf(raw)).replaceAll(CONTROL, code), unlessSeen);
}

/** One line of harmless text, at most `limit` characters (an ellipsis marks the cut). */
export function cleanLine(raw: string, limit = 255): string {
  // Before anything looks at it: a title may be megabytes, and mostly of what is taken out.
  const read = cut(raw, limit * 8);
  const oneLine = wellFormed(read.text)
    .replaceAll(LINE_BREAK, ' ')
    .replaceAll(/[\n\t]/gu, ' ');
  const line = replaceInvisible(oneLine, (_, seen) => seen ?? '')
    .replaceAll(CONTROL, '')
    .replaceAll(/ {2,}/gu, ' ')
    .trim();
  if (read.cut === 0 && line.length <= limit) return line;
  const characters = Array.from(line);
  return read.cut > 0 || characters.length > limit
    ? `${characters
        .slice(0, limit - 1)
        .join('')
        .replace(/[\u200C-\u200F]$/u, '')}…`
    : line;
}

/**
 * One line that is also inert inside Markdown, wherever in a line it stands: it opens no comment, tag, entity, code span, link,
 * picture, emphasis, table, heading, list, quote or fence.
 */
export function cleanInline(raw: string, limit = 255): string {
  return (
    cleanLine(raw, limit)
      .replaceAll('<!--', '‹!--')
      .replaceAll('-->', '--›')
      .replaceAll(
        /[\\<`[\]*~|]|&(?=#?[A-Za-z0-9]{1,32};)|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu,
        (character) => `\\${character}`,
      )
      // What would make a line something else.
      .replace(/^(?:#{1,6}(?=\s|$)|>|=+$|[+-](?=\s|$)|---|:(?=\s))/u, '\\$&')
      .replace(/^(\d{1,9})([.)](?=\s|$))/u, '$1\\$2')
  );
}

/** A cleaned text in which no tag or comment is live. */
export function escapeTags(text: string): string {
  return text.replaceAll(/<(?=[A-Za-z/!?])/gu, '\\<');
}

/** A login or author name, for use outside quotes: letters, digits and `._@-`, everything else shown as `?`. */
export function cleanLogin(raw: string): string {
  return cleanLine(raw, 100).replaceAll(/[^\p{L}\p{N}._@-]/gu, '?');
}

/** Quotes a cleaned text between two markers. Each line stands behind `> `: it can end no quote, close no fence, and open no heading. */
export function quoteBetweenMarkers(text: string, marker: string, label: string): string {
  const quoted = text
    .split('\n')
    .map((line) => (line === '' ? '>' : `> ${line}`))
    .join('\n');
  return `<!-- BEGIN GITEA TEXT ${marker}: ${label} -->\n${quoted}\n<!-- END GITEA TEXT ${marker} -->`;
}

/** The first `limit` characters of a text, and how many were cut. */
export function cut(text: string, limit: number): { readonly text: string; readonly cut: number } {
  if (text.length <= limit) return { text, cut: 0 };
  // A high surrogate at the end would lose its other half.
  const last = text.charCodeAt(limit - 1);
  const end = last >= 0xd800 && last <= 0xdbff ? limit - 1 : limit;
  return { text: text.slice(0, end), cut: text.length - end };
}

/** So many characters of one text are looked at; what stands behind them is neither shown nor news. */
const MOST_READ = 120_000;

/** What of a text is looked at. */
export function beginningOf(text: string): string {
  return cut(text, MOST_READ).text;
}

// One pass over the text, whatever it holds: a regular expression would go quadratic on 250,000 openings. A space is
// left in place of each comment, or the halves around it could join to a new one.
function withoutComments(text: string): { readonly text: string; readonly comments: number } {
  const close = /--!?>/gu;
  const kept: string[] = [];
  let comments = 0;
  let from = 0;
  for (let open = text.indexOf('<!--'); open >= 0; open = text.indexOf('<!--', from)) {
    comments += 1;
    kept.push(text.slice(from, open));
    close.lastIndex = open + 2; // `<!-->` is a whole comment to a browser
    // Browsers hide everything behind a comment that is never closed.
    from = close.exec(text) ? close.lastIndex : text.length;
  }
  kept.push(text.slice(from));
  return { text: kept.join(' '), comments };
}

// Lone surrogates cannot be written as UTF-8. (String.prototype.toWellFormed is not in the es2023 library types.)
function wellFormed(text: string): string {
  return text.replaceAll(/\p{Surrogate}/gu, '\uFFFD');
}
