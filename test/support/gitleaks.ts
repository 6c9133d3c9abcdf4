// Makes src/core/task/gitleaks-forms.ts from the rules of gitleaks (MIT), which are kept well and published as one file:
//   npx tsx test/support/gitleaks.ts path/to/gitleaks/config/gitleaks.toml v8.30.1
// Taken are the rules whose secrets say by themselves what they are, by a beginning of their own. Rules that go by a name in
// front (`adafruit_key = …`) are not: what stands behind such names is masked whatever it is.

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const TARGET = fileURLToPath(new URL('../../src/core/task/gitleaks-forms.ts', import.meta.url));
/** What is masked in other ways, or would mask what people write. */
const LEFT_OUT = new Set(
  [
    'jwt jwt-base64 private-key kubernetes-secret-yaml sidekiq-sensitive-url curl-auth-header curl-auth-user',
    'aws-amazon-bedrock-api-key-short-lived sourcegraph-access-token',
  ].flatMap((names) => names.split(' ')),
);
/** No part of an expression may go on for ever. */
const LONGEST = 4000;

/** A rule's expression as JavaScript has it, without what stands around the secret; null: it has no beginning of its own. */
export function formOf(regex: string): string | null {
  const bare = regex
    .replace(/\(\?:\[\\x60'"\\s;\]\|\\\\\[nr\]\|\$(?:\|\\b)?\)$/u, '')
    .replace(/\(\?:\[\^[\w/+\\-]+\]\|\\z\)$/u, '')
    .replaceAll(String.raw`\b`, '');
  const begins = /^(?:\(\?i\))?\(*(?:\?:)?\(*(?:\?:)?(?:https:\/\/)?[\w-]{2,}/u.test(bare);
  if (!begins) return null;
  return sameCase(bare)
    .replaceAll(/\[\[:alnum:\]/gu, '[A-Za-z0-9')
    .split(/(\[(?:\\.|[^\]])*\])/u)
    .map((part, index) => (index % 2 === 1 ? part : outsideOfClasses(part)))
    .join('');
}

function outsideOfClasses(part: string): string {
  return part
    .replaceAll(String.raw`\-`, '-')
    .replaceAll(/\{(\d+),\}/gu, `{$1,${LONGEST}}`)
    .replaceAll(/(^|[)\w])\+/gu, `$1{1,${LONGEST}}`)
    .replaceAll(/(^|[)\w])\*/gu, `$1{0,${LONGEST}}`)
    .replaceAll(/\(\?P<\w+>/gu, '(?:')
    .replaceAll(/(?<!\\)\((?!\?)/gu, '(?:');
}

// `(?i)` holds to the end; Node 20 has it for whole expressions only. Beginnings are published in one case; in classes both count.
function sameCase(text: string): string {
  const start = text.indexOf('(?i');
  if (start < 0) return text;
  const both = text
    .slice(start)
    .replaceAll(/\(\?-?i:/gu, '(?:')
    .replaceAll('(?i)', '')
    .replaceAll(/\[[^\]]+\]/gu, (set) =>
      /[A-Z]-[A-Z]/u.test(set) && /[a-z]-[a-z]/u.test(set) ? set : inBothCases(set),
    );
  return text.slice(0, start) + both;
}

function inBothCases(set: string): string {
  return set
    .replaceAll(/([a-z])-([a-z])/gu, (range) => `${range}${range.toUpperCase()}`)
    .replaceAll(/(?<![a-z]-[a-z])([A-Z])-([A-Z])/gu, (range) => `${range}${range.toLowerCase()}`);
}

/** Identifier and expression of every rule in the text of a gitleaks.toml. */
export function rulesIn(toml: string): readonly (readonly [id: string, regex: string])[] {
  return toml.split('[[rules]]').flatMap((rule) => {
    const [, id] = /^id = "([^"]+)"$/mu.exec(rule) ?? [];
    const [, regex] = /^regex = '''([^]*?)'''$/mu.exec(rule) ?? [];
    return id !== undefined && regex !== undefined ? [[id, regex] as const] : [];
  });
}

function write(file: string, version: string): void {
  const forms = rulesIn(readFileSync(file, 'utf8')).flatMap(([id, regex]) => {
    const form = LEFT_OUT.has(id) ? null : formOf(regex);
    return form === null ? [] : [`  String.raw\`${form.replaceAll('`', String.raw`\x60`)}\`, // ${id}`];
  });
  writeFileSync(
    TARGET,
    `// Made by test/support/gitleaks.ts from the rules of gitleaks ${version} (https://github.com/gitleaks/gitleaks, MIT licence,\n// Copyright (c) 2019 Zachary Rice). Not written by hand.\n\n/** Secrets that say by a beginning of their own what they are. */\nexport const GITLEAKS_FORMS: readonly string[] = [\n${forms.join('\n')}\n];\n`,
  );
  process.stdout.write(`${forms.length} forms\n`);
}

const [file, version] = process.argv.slice(2);
if (file !== undefined && version !== undefined) write(file, version);
