import MarkdownIt from 'markdown-it';

const ENTITY =
  /&(?:#x[0-9a-f]{1,8};?|#\d{1,8};?|[a-z][a-z0-9]{1,31};|(?:amp|lt|gt|quot|nbsp|shy|copy|reg)(?![a-z0-9;]))/giu;

const { unescapeAll } = new MarkdownIt().utils;

/** A text with its entities as the characters that a page shows for them. One that would break a line is a blank. */
export function decodeEntities(text: string): string {
  return text.replaceAll(ENTITY, (entity) => {
    const character = unescapeAll(entity.endsWith(';') ? entity : `${entity};`);
    return /^[\s\p{Cc}]$/u.test(character) ? ' ' : character;
  });
}
