// 40 hexadecimal digits are a token of Gitea, or a commit. Only what stands around them tells.

/** So much is looked at in front of them, and behind. */
const BEFORE = 80;
const AFTER = 50;

const SECRET = String.raw`tokens?|secrets?|passw(?:or)?ds?|passwd|credentials?|authori[sz]ation|bearer|pat|pats|api[-_ ]?keys?|(?:access|private|auth|deploy)[-_ ]?keys?`;
const COMMIT = String.raw`commits?|committed|sha-?1?|revisions?|rev|revs|hash|hashes|merged?|reverts?|reverted|cherry-pick(?:ed)?|bisect(?:ed)?|parents?|head|base|tree|blob|objects?|branch|tag|checksum|digest|fingerprint`;

/** The word that stands nearest in front, of those that tell. Parts of names count: `GITEA_TOKEN`, `head_sha`. */
const TELLING = new RegExp(`(?<![a-z])(?:(${SECRET})|(${COMMIT}))(?![a-z])`, 'giu');
/** `//0123…@host`: who signs in to an address. */
const USERINFO = /^@(?=[\w.-]{1,200}(?:[:/]|$))/u;
/** `/acme/app/commit/0123…`, `acme/app@0123…`, `a..0123…` */
const AS_COMMIT = /(?:\/(?:commits?|compare|tree|blob|raw|src|blame)\/|[\w.-]@|\.\.)$/u;
/** `name=0123…`, a quote may stand between them. */
const ASSIGNED = /([\w.-]{1,60})["']?\s{0,3}=\s{0,3}["'`]?$/u;
const COMMIT_NAME = new RegExp(
  `(?:^|[^a-z])(?:${COMMIT}|ref|refs|id|h|hb|version|since|from|to|old|new|before|after)$`,
  'iu',
);
/** `since 0123…`, `broken by 0123…` */
const PREPOSITION =
  /(?<![\w-])(?:in|since|at|by|after|before|until|onto|between|fixes|fixed|closes)\s{1,3}["'`(]{0,2}$/iu;
/** `user:0123…`, behind an option that signs in. */
const SIGNED_IN = /(?<![\w-])(?:-u|--user)[\s=]{1,3}["']?[^\s:"']{1,100}:$/u;
/** `0123… is the token` */
const CALLED = new RegExp(
  String.raw`^["'\x60)\]]{0,2}\s{1,3}(?:is|was|as|for|\()[^\n.]{0,30}?(?<![a-z])(?:${SECRET})(?![a-z])`,
  'iu',
);

/** Whether the digits that begin at `at` are rather a token. A name, an address or a word beside them has to say so. */
export function isTokenAt(text: string, at: number, length: number): boolean {
  const before = text.slice(Math.max(0, at - BEFORE), at);
  const after = text.slice(at + length, at + length + AFTER);
  if (before.endsWith('//') && USERINFO.test(after)) return true;
  if (AS_COMMIT.test(before)) return false;
  if (SIGNED_IN.test(before) || CALLED.test(after)) return true;
  const name = ASSIGNED.exec(before)?.[1];
  if (name !== undefined) return !COMMIT_NAME.test(name);
  if (PREPOSITION.test(before)) return false;
  const [, secret] = [...before.matchAll(TELLING)].at(-1) ?? [];
  return secret !== undefined;
}
