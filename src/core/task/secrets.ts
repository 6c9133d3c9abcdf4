// What looks like a credential is not shown. The dashboard has no token to compare with, so the form has to tell.

const MASK = '[masked]';

const NAMED =
  /((?:authorization|token|passw(?:or)?d|secret|api[-_]?key|private[-_]?key)["']?\s{0,3}[:=]\s{0,3}["']?(?:(?:bearer|basic|token)\s{1,3})?)[^\s"',;&[]{4,}/giu;
const SCHEME = /\b(bearer|basic)\s{1,3}[A-Za-z0-9._~+/=-]{8,}/giu;
const IN_ADDRESS = /\/\/[^\s/@:]{1,200}:[^\s/@]{1,200}@/gu;
// 40 hexadecimal digits: a token of Gitea and Forgejo. (Also a commit; better hidden than a token shown.)
const KNOWN_FORMS =
  /\b(?:[0-9a-f]{40}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|sk-[\w-]{16,}|xox[abprs]-[\w-]{10,}|AKIA[0-9A-Z]{16}|(?<!-)eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,})(?![\w-])/giu;

/** The text with everything masked that has the form of a token, a password or a key. */
export function maskSecrets(text: string): string {
  return text
    .replaceAll(NAMED, `$1${MASK}`)
    .replaceAll(SCHEME, `$1 ${MASK}`)
    .replaceAll(IN_ADDRESS, `//${MASK}@`)
    .replaceAll(KNOWN_FORMS, MASK);
}
