// What looks like a credential is not shown. The dashboard has no token to compare with, so the form has to tell: the rules
// of gitleaks, and what they leave out or are stricter about than who reads a log would want. Each expression is bounded, or
// ends with all that can belong to it, so that nothing is read twice and a long text costs what its length is.

import { GITLEAKS_FORMS } from './gitleaks-forms.ts';
import { isTokenAt } from './token-or-commit.ts';

const MASK = '[masked]';

/** What is said of a secret, and is none: `…/token: Permission denied`, `password: required`, `--token must be set`. */
const SAID = [
  'access denied|authentication (?:error|failed|required)|cannot|could|denied|does|empty|error|expire[ds]|fail(?:ed|ure)|false|forbidden|incorrect',
  'invalid|mismatch|missing|must|need(?:ed|s)|none|null|optional|refused|rejected|require[ds]|revoked|should|true|unauthorized|undefined|unknown|unset|wrong',
  // As the system says it, behind the name of a file.
  'connection (?:closed|refused|reset|timed out)|device or resource busy|file (?:exists|name too long|not found|too large)|input/output error',
  'no such file|not a directory|operation not permitted|permission denied|read-only file system|too many open files',
  'argument|await|boolean|flag|from|have|instead|into|number|option|string|that|this|value|were|when|which|will|with|without|your',
  // The type or variable of that name.
  'password|secret|token',
].join('|');
/** What stands in the place of one, in code and in explanations. */
const PLACEHOLDER = [
  String.raw`\$[({]|<[a-z _-]{1,60}>|\*{3}`, // `${TOKEN}`, `$(cat token)`, `<your token>`, `***`
  String.raw`(?:process\.|os\.|import\.meta\.)?env(?:iron)?[.[]|(?:await|new)\s|[\w$.]{1,80}\(`, // what code calls or reads
  String.raw`(?:~|\.{0,2})/[a-z][\w.-]{1,40}/[\w./-]{1,200}(?![\w+=])`, // a file
  String.raw`(?:bearer|basic|token)\s`, // what comes then was none
].join('|');
const NO_SECRET = String.raw`(?!(?:${SAID})(?![\w$%&@#+=/~^-])|${PLACEHOLDER})`;
/** Up to what ends it in code, in Markdown and in addresses. */
const VALUE = String.raw`((?:[^\s"',;&[\])}<>|\x60]|[\])}>|](?=[\w!#$%^*])){4,})`;
const VARIABLE = /^\$[A-Z][A-Z0-9_]{0,60}[.:]?$/u;
const QUOTE = String.raw`["'\x60]?`;
/** In the same line; below it only what has a digit, and begins no list, quotation or code of its own. */
const GAP = String.raw`(?:[^\S\r\n]{0,3}|\s{1,12}(?![\x60~>#*+-])(?=\S{0,60}\d))`;

const NAMED = new RegExp(
  String.raw`((?<!unexpected )(?:authorization|token|passw(?:or)?d|secret|api[-_]?key|access[-_]?key|private[-_]?key)["']?\s{0,3}[:=]${GAP}${QUOTE}(?:(?:bearer|basic|token)\s{1,3})?)${NO_SECRET}${VALUE}`,
  'giu',
);
/** `--token X`, `--password X`: the word behind an option of such a name. */
const OPTION = new RegExp(
  String.raw`((?<![a-z-])--?[a-z-]{0,30}(?:token|password|passwd|secret|api-?key)[^\S\r\n]{1,3}${QUOTE})(?!-)${NO_SECRET}${VALUE}`,
  'giu',
);
/** The header, which has pairs; not the word in a sentence. */
const COOKIE = /(\b(?:set-)?cookie\s{0,3}:\s{0,3})(?=[\w!#$%&'*+.^`|~-]{1,100}=)[^\r\n[]{4,4000}/giu;
/** Of words no credential is made: `basic understanding`, `Basic WebSocket`, `basic HTTP/1.1`. */
const WORD = '(?:[a-z]{0,30}(?:[A-Z][a-z]{2,20}){0,6}|[A-Z]{2,30})';
const SCHEME = new RegExp(
  String.raw`\b([Bb]earer|BEARER|[Bb]asic|BASIC)\s{1,3}(?!${WORD}(?:[-/.](?:${WORD}|\d{1,3})){0,6}\.{0,3}(?![\w~+/=-]))[A-Za-z0-9._~+/=-]{8,}`,
  'gu',
);
/** Up to the last at sign of the address's first part: a password may hold one as well. */
const IN_ADDRESS = /\/\/[^\s/@:]{1,200}:[^\s/]{1,200}@/gu;
const PEM =
  /-----BEGIN ([A-Z ]{0,30})PRIVATE KEY( BLOCK)?-----[^-]{0,20000}(?:-----END [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----)?/gu;

/** Forms that say by themselves what they are, and are not among those of gitleaks, or wider. Case counts. */
const FORMS: readonly string[] = [
  String.raw`gh[pousr]_[A-Za-z0-9]{20,255}`, // GitHub
  String.raw`github_pat_\w{20,}`,
  String.raw`gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|soat)-[\w.-]{16,}`, // GitLab
  String.raw`_gitlab_session=[0-9a-z]{32}`,
  String.raw`sk-[\w-]{16,}`, // OpenAI, Anthropic
  String.raw`(?:sk|rk|pk)_(?:live|test|prod)_[A-Za-z0-9]{10,255}`, // Stripe
  String.raw`whsec_[A-Za-z0-9+/=]{16,255}`,
  String.raw`xox[abeoprs]-[\w-]{10,}`, // Slack
  String.raw`xapp-\d-[\w-]{10,}`,
  String.raw`hooks\.slack\.com/(?:services|workflows|triggers)/[\w/+-]{20,255}`,
  String.raw`(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}`, // AWS
  String.raw`(?<![+/])(?:FwoG|IQoJ)[A-Za-z0-9+/=]{60,4000}`, // session tokens of it
  String.raw`AIza[\w-]{35}`, // Google
  String.raw`ya29\.[\w-]{20,}`,
  String.raw`GOCSPX-[\w-]{20,}`,
  String.raw`npm_[A-Za-z0-9]{36}`,
  String.raw`pypi-[\w-]{50,}`,
  String.raw`hf_[A-Za-z0-9]{30,100}`, // Hugging Face
  String.raw`SG\.[\w-]{16,64}\.[\w-]{16,}`, // SendGrid
  String.raw`dckr_(?:pat|oat)_[\w-]{20,}`, // Docker
  String.raw`hv[sbr]\.[\w-]{20,}`, // Vault
  String.raw`AGE-SECRET-KEY-1[0-9A-Z]{40,80}`,
  String.raw`do[opr]_v1_[0-9a-f]{64}`, // DigitalOcean
  String.raw`shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}`, // Shopify
  String.raw`(?:AC|SK)[0-9a-f]{32}`, // Twilio
  String.raw`key-[0-9a-f]{32}`, // Mailgun
  String.raw`lin_(?:api|oauth)_[A-Za-z0-9]{32,64}`, // Linear
  String.raw`(?:ntn|secret)_[A-Za-z0-9]{40,60}`, // Notion
  String.raw`dp\.pt\.[A-Za-z0-9]{40,50}`, // Doppler
  String.raw`glsa_\w{32,}`, // Grafana
  String.raw`gl[cp]_[A-Za-z0-9+/=]{32,400}`,
  String.raw`rubygems_[0-9a-f]{48}`,
  String.raw`dapi[0-9a-f]{32}`, // Databricks
  String.raw`sgp_(?:[0-9a-fA-F]{16}_|local_)?[0-9a-fA-F]{40}`, // Sourcegraph
  String.raw`tskey-[a-z]{2,10}-[\w-]{16,}`, // Tailscale
  String.raw`\d{8,10}:AA[\w-]{33}`, // Telegram
  String.raw`(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}`, // a JSON web token
];
let known: RegExp | undefined;
// Made when it is needed: most passes have nothing to mask.
function knownForms(): RegExp {
  return (known ??= new RegExp(
    String.raw`(?<![A-Za-z0-9])(?:${[...FORMS, ...GITLEAKS_FORMS].join('|')})(?![\w-])`,
    'gu',
  ));
}

/** A token of Gitea and Forgejo, or a commit. */
const FORTY_HEX = /\b[0-9a-f]{40}(?![\w-])/giu;

/**
 * The text with everything masked that has the form of a token, a password or a key. For logs and what programs print: better
 * a commit hidden than a token shown.
 */
export function maskSecrets(text: string): string {
  return maskForms(text).replaceAll(FORTY_HEX, MASK);
}

/**
 * The same for what people wrote about code, where 40 hexadecimal digits are a commit far more often than a token: they are
 * masked where what stands around them says so.
 */
export function maskSecretsInProse(text: string): string {
  return maskForms(text).replaceAll(FORTY_HEX, (hex: string, at: number, whole: string) =>
    isTokenAt(whole, at, hex.length) ? MASK : hex,
  );
}

function maskForms(text: string): string {
  return text
    .replaceAll(PEM, MASK)
    .replaceAll(COOKIE, `$1${MASK}`)
    .replaceAll(NAMED, unlessVariable)
    .replaceAll(OPTION, unlessVariable)
    .replaceAll(SCHEME, `$1 ${MASK}`)
    .replaceAll(IN_ADDRESS, `//${MASK}@`)
    .replaceAll(knownForms(), MASK);
}

function unlessVariable(whole: string, name: string, value: string): string {
  return VARIABLE.test(value) ? whole : name + MASK;
}
