// Text of others, made fit for a task file: what a reader of its page sees, known forms of secrets masked, at a size, between
// markers that say who wrote it and when.

import { type Instant, toRfc3339 } from '../clock.ts';
import { maskSecretsInProse } from './secrets.ts';
import { cleanCharacters, cut, escapeTags, quoteBetweenMarkers } from './untrusted.ts';
import type { ShowAddress, Visible } from './visible/markdown.ts';

/** What quoting needs. */
export interface QuotingFacts {
  /** A fresh random word, so that nobody could have written a marker beforehand. */
  readonly marker: string;
  /** Address of the server, for links. */
  readonly serverUrl: string;
  readonly version: string;
  /** Works out what of a text its page shows. Handed in, since its code is loaded only when there is something to quote. */
  readonly markdown: (raw: string, marker: string, showAddress: ShowAddress) => Visible;
}

/** Where a text comes from. */
export interface Source {
  readonly by: string;
  readonly at: Instant;
  readonly url: string;
}

/** What can be shown of a text, and how many characters of it are not. */
interface Reading {
  readonly text: string;
  readonly cut: number;
}

export interface Quoter {
  /** What was hidden or marked in the texts quoted so far. */
  readonly hidden: {
    comments: number;
    characters: number;
    texts: number;
    collapsed: number;
    secrets: number;
    any: boolean;
  };
  /** What the page shows of a text in Markdown, at most `limit` characters of it; it is counted what it does not show. */
  readonly read: (raw: string, limit: number) => Reading;
  /** That text between its markers; null when nothing is in it. */
  readonly quote: (reading: Reading, source: Source) => string | null;
  /** The same with a part of such a text. */
  readonly part: (text: string, source: Source) => string | null;
  /** Lines that we put together of others' one-line texts, which are no Markdown. */
  readonly lines: (text: string, source: Source, limit: number) => string | null;
}

/** So many times of what is shown is read at most: the rest is for what is unseen in it. */
const READ_FACTOR = 2;
const MASK = '[masked]';

/** A quoter for one file. `saved`: paths of saved attachments, by their address. */
export function quoter(facts: QuotingFacts, saved: ReadonlyMap<string, string> = new Map()): Quoter {
  const { marker, serverUrl } = facts;
  const hidden = { comments: 0, characters: 0, texts: 0, collapsed: 0, secrets: 0, any: false };
  const showAddress = addressesFor(serverUrl, saved);
  const count = (unseen: Partial<Record<keyof Visible['unseen'] | 'secrets', number>>): void => {
    for (const name of ['comments', 'characters', 'texts', 'collapsed', 'secrets'] as const) {
      hidden[name] += unseen[name] ?? 0;
      hidden.any ||= hidden[name] > 0;
    }
  };
  const masked = (text: string): string => {
    const result = maskSecretsInProse(text);
    if (result !== text) count({ secrets: result.split(MASK).length - text.split(MASK).length });
    return result;
  };
  const visible = (text: string): Visible => facts.markdown(text, marker, showAddress);
  const quote = (reading: Reading, { by, at, url }: Source): string | null => {
    if (reading.text.trim() === '') return null;
    const block = quoteBetweenMarkers(reading.text.trimEnd(), marker, `${by}, ${toRfc3339(at)}`);
    return reading.cut === 0 ? block : `${block}\n\n(Cut here. ${reading.cut} more characters: ${url})`;
  };
  return {
    hidden,
    quote,
    // Once more: a part may begin or end in the midst of what made it harmless, a span of code for one.
    part: (text, source) => quote({ text: visible(text).text, cut: 0 }, source),
    read: (raw, limit) => {
      const beginning = cut(raw, limit * READ_FACTOR);
      const { text, unseen } = visible(beginning.text);
      count(unseen);
      const shown = cut(masked(text), limit);
      return { text: shown.cut === 0 ? shown.text : visible(shown.text).text, cut: shown.cut + beginning.cut };
    },
    lines: (raw, source, limit) => {
      const { text, removed } = cleanCharacters(raw);
      count({ characters: removed });
      return quote(cut(escapeTags(masked(text)), limit), source);
    },
  };
}

// Gitea writes links to its own pages and attachments without the host. An agent reads the text somewhere else, and has
// saved pictures beside it.
function addressesFor(serverUrl: string, saved: ReadonlyMap<string, string>): ShowAddress {
  const { origin, pathname } = new URL(serverUrl);
  const prefix = pathname.replace(/\/$/u, '');
  return (url) => {
    const [, scheme] = /^([a-z][a-z0-9+.-]{0,30}):/iu.exec(url) ?? [];
    if (scheme !== undefined && !/^(?:https?|mailto)$/iu.test(scheme)) return null;
    const isPath = url.startsWith('/') && !url.startsWith('//');
    const hasPrefix = prefix !== '' && url.startsWith(`${prefix}/`);
    const absolute = isPath ? `${hasPrefix ? origin : serverUrl}${url}` : url;
    return saved.get(absolute) ?? absolute;
  };
}
