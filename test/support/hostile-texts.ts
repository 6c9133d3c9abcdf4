// Texts that are made to be slow, and how long something takes with them.

/** Characters. */
export const MEGABYTE = 1_000_000;

/** A unit that is repeated as often as a text is to be long. */
interface Hostile {
  readonly what: string;
  readonly unit: string;
  readonly before?: string;
  readonly after?: string;
}

/** What regular expressions and parsers stumble over: long runs, openings without an end, things nearly there. */
export const HOSTILE: readonly Hostile[] = [
  { what: 'blanks in a heading', before: '# a', unit: ' ', after: 'b' },
  { what: 'blanks in a label', before: 'priority', unit: ' ', after: 'x' },
  { what: 'blanks in a title', before: '[', unit: ' ', after: 'x' },
  { what: 'blanks', unit: ' ' },
  { what: 'tabs', before: 'token', unit: '\t', after: '=' },
  { what: 'line feeds', unit: '\n', after: 'x' },
  { what: 'carriage returns', unit: '\r', after: 'x' },
  { what: 'signs of headings', unit: '#' },
  { what: 'signs of headings behind one', before: '# ', unit: '#', after: 'x' },
  { what: 'headings', unit: '# a\n' },
  { what: 'openings of comments', unit: '<!--' },
  { what: 'openings of comments, halved', unit: '<!-<!--', after: '-->' },
  { what: 'openings of tags', unit: '<' },
  { what: 'tags that are never closed', unit: '<a b="' },
  { what: 'closing tags', unit: '</p' },
  { what: 'opening brackets', unit: '[' },
  { what: 'opening brackets behind broken HTML', before: '<div\n\nb\n\n', unit: '[' },
  { what: 'half definitions behind broken HTML', before: '<div\n\nb\n\n', unit: '[a] ' },
  { what: 'openings of tags behind broken HTML', before: '<div\n\nb\n\n', unit: '<a ' },
  { what: 'entities behind broken HTML', before: '<div\n\nb\n\n', unit: '&#' },
  { what: 'closing brackets', unit: ']' },
  { what: 'openings of pictures', unit: '![' },
  { what: 'links that are never closed', unit: '[a](' },
  { what: 'links into links', unit: '[a](/b' },
  { what: 'reference definitions', unit: '[a]: b\n' },
  { what: 'backticks', unit: '`' },
  { what: 'backticks of growing length', unit: '`a``b```c````d' },
  { what: 'fences', unit: '```\n' },
  { what: 'quotes', unit: '> ' },
  { what: 'quotes, deep', unit: '>' },
  { what: 'lists, deep', unit: '- ' },
  { what: 'stars', unit: '*' },
  { what: 'stars and words', unit: '*a_ ' },
  { what: 'stars in both directions', unit: 'a**b**' },
  { what: 'underscores', unit: '_a' },
  { what: 'entities', unit: '&amp;' },
  { what: 'openings of entities', unit: '&' },
  { what: 'backslashes', unit: '\\' },
  { what: 'pipes', unit: '|' },
  { what: 'tables', unit: '|a|\n|-|\n' },
  { what: 'digits', unit: '1', after: '. [ ] x' },
  { what: 'boxes', unit: '- [ ] a\n' },
  { what: 'half a box', unit: '- [' },
  { what: 'tokens, nearly', unit: '-eyJaaaaaaaa' },
  { what: 'tokens with dots, nearly', unit: 'eyJaaaaaaaa.aaaaaaaa.' },
  { what: 'addresses, nearly', unit: '//a:' },
  { what: 'addresses', unit: 'https://' },
  { what: 'bearers', unit: 'bearer ' },
  { what: 'names of secrets', unit: 'token: ' },
  { what: 'keys, nearly', unit: 'sk-', after: ' ' },
  { what: 'a word without an end', unit: 'a' },
  { what: 'dots', unit: '.', after: 'a' },
  { what: 'dashes', before: '---\n', unit: '-', after: '\n' },
  { what: 'lines of front matter', before: '---\n', unit: 'a: [\n' },
  { what: 'JSON, deep', before: '---\na: ', unit: '[', after: '\n---\n' },
  { what: 'a line of the log, nearly', before: '[DISPATCHER] 2026/04/09 14:32:15.123456 ! ', unit: 'A ' },
  { what: 'a line of the log in JSON', before: '{"event":"', unit: 'a_', after: '"}' },
  { what: 'markers', unit: '<!-- BEGIN GITEA TEXT a: b -->\n' },
  { what: 'markers, nearly', before: '<!-- BEGIN GITEA TEXT a: ', unit: ' -->', after: 'x' },
  { what: 'invisible characters', unit: '\u200B' },
  { what: 'joiners', unit: '\u200D\u{1F468}' },
  { what: 'variation selectors', unit: 'a\uFE0F' },
  { what: 'combining marks', unit: '\u0301' },
  { what: 'halves of pairs', unit: '\uD800' },
  { what: 'emoji', unit: '👩‍👩‍👧' },
  { what: 'flags', unit: '🇩' },
  { what: 'escape sequences', unit: '\u001B[' },
  { what: 'bidirectional controls', unit: '\u202E' },
];

/** Milliseconds of the processor, not of the clock: others may work on the same machine. */
export const timed = (run: () => unknown): number => {
  const from = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(from);
  return (user + system) / 1000;
};
/** The middle one of three. */
export const median = (run: () => unknown): number =>
  [timed(run), timed(run), timed(run)].toSorted((a, b) => a - b)[1] ?? 0;

/** A hostile text, so many characters long. */
export const textOf = ({ unit, before = '', after = '' }: Hostile, size: number): string =>
  before + unit.repeat(Math.ceil(size / unit.length)) + after;
