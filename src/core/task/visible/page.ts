// What is known of a page while its text is gone through, from its beginning to its end.

/** What was taken out of a text, or marked in it, because a reader of the page would not have seen it. */
export interface Unseen {
  /** HTML comments. */
  comments: number;
  /** Invisible characters. */
  characters: number;
  /** Alternative texts, titles and other attributes, definitions, footnotes that nothing points to. */
  texts: number;
  /** Parts that stay, between marks: collapsed, styled, or behind HTML that is broken. */
  collapsed: number;
}

export interface Page {
  readonly unseen: Unseen;
  /** A word that nobody could have written beforehand: marks of ours carry it. */
  readonly marker: string;
  /** Where an address of the text leads, read from somewhere else; null when it leads nowhere that a page would link to. */
  readonly address: (url: string) => string | null;
  /** Addresses that were shown. */
  readonly shown: Set<string>;
  /** The numbers of footnotes, by their labels: a page shows these. Those that nothing points to have none. */
  footnotes: ReadonlyMap<string, string>;
  /** The element whose content a page leaves out, as long as it is open. */
  skip: string | null;
  /** Where the links in raw HTML lead that are open. */
  readonly links: (string | null)[];
  details: number;
  isBroken: boolean;
  /** Whether nothing follows what is being gone through. */
  isAtEnd: boolean;
}

/** A page of which nothing is read yet. */
export function newPage(marker: string, address: Page['address']): Page {
  return {
    unseen: { comments: 0, characters: 0, texts: 0, collapsed: 0 },
    marker,
    address: (url) => (url.length > LONGEST_ADDRESS ? null : address(url)),
    shown: new Set(),
    footnotes: new Map(),
    skip: null,
    links: [],
    details: 0,
    isBroken: false,
    isAtEnd: false,
  };
}

const LONGEST_ADDRESS = 2000;

/** A line of ours in a text of others. */
export function mark({ marker }: Page, words: string): string {
  return `[${marker}: ${words}]`;
}

/** An address as a link shows it: without blanks, and nothing that would end the link. */
export function shownAddress(page: Page, url: string): string | null {
  const address = page.address(url.trim());
  if (address === null || address === '') return null;
  page.shown.add(url.trim());
  return address.replaceAll(/[\s<>()\\]/gu, (character) =>
    encodeURIComponent(character).replace('(', '%28').replace(')', '%29'),
  );
}
