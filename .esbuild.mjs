// Builds the bundles in dist/, and beside them the licences of what is in them.
// Flags as esbuild's own are added: `node .esbuild.mjs --sourcemap --minify=false`.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('.', import.meta.url));

/** What a pass never needs is a bundle of its own, which is loaded when it is asked for. */
const BUNDLES = {
  dispatcher: 'src/main.ts',
  dashboard: 'src/dashboard/serve.ts',
  markdown: 'src/core/task/visible/markdown.ts',
  mcp: 'src/agent/mcp.ts',
  store: 'src/io/store/postgres/open.ts',
};

const EVERY = {
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'cjs',
  minify: true,
  legalComments: 'none',
  logLevel: 'warning',
  metafile: true,
  // The other bundles are required then: an import would go through Node's other loader, which is slower and not loaded otherwise.
  supported: { 'dynamic-import': false },
  absWorkingDir: ROOT,
};

// Zod names all its languages, and a module that is loaded lazily is bundled with all that it names: 300 kB to compile in each
// pass, of which no message is ever shown.
const withoutLanguages = {
  name: 'without-languages',
  setup({ onLoad }) {
    onLoad({ filter: /zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({ contents: 'export {};' }));
  },
};

// ofetch takes Node's own fetch where there is one, which loads all of it, and one over node:http else. It is told that there is one,
// and neither is loaded: io/http.ts hands it what it uses.
const withoutOtherFetch = {
  name: 'without-other-fetch',
  setup({ onResolve }) {
    onResolve({ filter: /^node-fetch-native$/ }, ({ path }) => ({ path, external: true, sideEffects: false }));
  },
};
const NODES_OWN = ['fetch', 'Headers', 'AbortController'].map((name) => [`globalThis.${name}`, 'true']);

const PARTICULAR = {
  dispatcher: {
    external: ['#dashboard', '#markdown', '#mcp', '#store'],
    banner: { js: "const __importMetaUrl=require('node:url').pathToFileURL(__filename).href;" },
    define: { 'import.meta.url': '__importMetaUrl', ...Object.fromEntries(NODES_OWN) },
    plugins: [withoutLanguages, withoutOtherFetch],
  },
};

// Of `pg`, what it can go without: another driver in C, and the sockets of a platform that is not Node.
// It asks by these globals whether it runs on that platform; Node loads its whole fetch when they are touched.
PARTICULAR.store = {
  external: ['pg-native', 'cloudflare:sockets'],
  define: { navigator: 'undefined', Response: 'undefined' },
};

const flags = process.argv.slice(2).map((flag) => {
  const [name, value = 'true'] = flag.slice(2).split('=');
  return [name.replaceAll(/-(\w)/gu, (_, letter) => letter.toUpperCase()), value === 'true'];
});

const built = await Promise.all(
  Object.entries(BUNDLES).map(async ([name, entry]) =>
    build({
      entryPoints: [entry],
      outfile: `dist/${name}.cjs`,
      ...EVERY,
      ...PARTICULAR[name],
      ...Object.fromEntries(flags),
    }),
  ),
);

// Which packages are in the bundles, by the folders that their files came from.
const folders = new Set(
  built.flatMap(({ metafile }) =>
    Object.keys(metafile.inputs).flatMap(
      (file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/u.exec(file.replace(/^.*?:/u, ''))?.[0] ?? [],
    ),
  ),
);
const packages = [
  ...new Map([...folders].map((folder) => packageIn(join(ROOT, folder))).map((each) => [each.purl, each])),
]
  .map(([, each]) => each)
  .toSorted((a, b) => (a.purl < b.purl ? -1 : 1));

// Not a package: its rules are data of ours (test/support/gitleaks.ts).
const rules = {
  name: 'gitleaks, its rules',
  version: /gitleaks (v[\d.]+)/u.exec(readFileSync(join(ROOT, 'src/core/task/gitleaks-forms.ts'), 'utf8'))?.[1],
  licence: 'MIT',
  text: readFileSync(join(ROOT, 'src/core/task/gitleaks-forms.LICENSE'), 'utf8'),
};
const notices = [...packages, rules].map(
  ({ name, version, licence, text }) => `${'='.repeat(80)}\n${name} ${version} (${licence})\n\n${text}\n`,
);
writeFileSync(
  join(ROOT, 'dist/THIRD-PARTY-LICENSES.txt'),
  `The bundles in this folder contain parts of these packages.\n\n${notices.join('\n')}`,
);
// Without a time or a number of its own: two builds of one commit are the same, byte for byte.
const own = packageIn(ROOT);
writeFileSync(
  join(ROOT, 'dist/sbom.cdx.json'),
  `${JSON.stringify(
    {
      bomFormat: 'CycloneDX',
      specVersion: '1.5',
      version: 1,
      metadata: { component: { ...component(own), type: 'application' } },
      components: packages.map(component),
    },
    null,
    2,
  )}\n`,
);

function component({ name, version, licence, purl }) {
  return { type: 'library', 'bom-ref': purl, name, version, purl, licenses: [{ license: { id: licence } }] };
}

function packageIn(folder) {
  const { name, version, license: licence } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((each) => /^licen[cs]e(?:\.|$)/iu.test(each));
  const text = file === undefined ? `License: ${licence}` : readFileSync(join(folder, file), 'utf8').trim();
  return { name, version, licence, text, purl: `pkg:npm/${name.replace('@', '%40')}@${version}` };
}
