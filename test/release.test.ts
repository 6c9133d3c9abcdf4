// What a release carries besides the program: whose code is in it, under which licence, and workflows that run only what is pinned.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const read = (name: string): string => readFileSync(join(ROOT, name), 'utf8');
const { version } = JSON.parse(read('package.json'));

interface Sbom {
  readonly metadata: { readonly component: { readonly name: string; readonly version: string } };
  readonly components: readonly {
    readonly name: string;
    readonly version: string;
    readonly licenses: readonly { readonly license: { readonly id: string } }[];
  }[];
}

test('each package in the bundles is listed with its licence, whose text goes with them; others are not', () => {
  const sbom: Sbom = JSON.parse(read('dist/sbom.cdx.json'));
  expect(sbom.metadata.component).toMatchObject({ name: 'agent-dispatcher', version });
  const names = sbom.components.map(({ name }) => name);
  for (const name of [
    'commander',
    'ofetch',
    'chalk',
    'handlebars',
    'yaml',
    'zod',
    'hono',
    '@modelcontextprotocol/sdk',
  ]) {
    expect(names).toContain(name);
  }
  for (const name of ['vitest', 'msw', 'typescript', 'esbuild']) expect(names).not.toContain(name);
  const notices = read('dist/THIRD-PARTY-LICENSES.txt');
  for (const { name, version: of, licenses } of sbom.components) {
    expect(['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause']).toContain(licenses[0]?.license.id);
    expect(notices).toContain(`\n${name} ${of} (${licenses[0]?.license.id})\n`);
  }
});

test.for(readdirSync(join(ROOT, '.gitea/workflows')))('%s runs no action that can be changed by others', (name) => {
  const { jobs }: { jobs: Record<string, { steps: readonly { uses?: string }[] }> } = parse(
    read(`.gitea/workflows/${name}`),
  );
  const used = Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ uses }) => uses ?? []));
  expect(used.length).toBeGreaterThan(0);
  for (const action of used) expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/u);
});
