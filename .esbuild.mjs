// Builds dist/dispatcher.cjs, what each pass loads. Flags as esbuild's own are added: `node .esbuild.mjs --sourcemap --minify=false`.

import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

// Zod names all its languages, and a module that is loaded lazily is bundled with all that it names: 300 kB to compile in each
// pass, of which no message is ever shown.
const withoutLanguages = {
  name: 'without-languages',
  setup({ onLoad }) {
    onLoad({ filter: /zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({ contents: 'export {};' }));
  },
};

const flags = process.argv.slice(2).map((flag) => {
  const [name, value = 'true'] = flag.slice(2).split('=');
  return [name.replaceAll(/-(\w)/gu, (_, letter) => letter.toUpperCase()), value === 'true'];
});

await build({
  entryPoints: ['src/main.ts'],
  outfile: 'dist/dispatcher.cjs',
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'cjs',
  minify: true,
  legalComments: 'none',
  logLevel: 'warning',
  absWorkingDir: fileURLToPath(new URL('.', import.meta.url)),
  external: ['#dashboard', '#markdown', '#mcp'],
  banner: { js: "const __importMetaUrl=require('node:url').pathToFileURL(__filename).href;" },
  define: {
    'import.meta.url': '__importMetaUrl',
    // With none of Node's own to fall back on, the fetch over node:http is the only one.
    ...Object.fromEntries(
      ['fetch', 'Headers', 'Request', 'Response', 'FormData'].map((name) => [`globalThis.${name}`, 'undefined']),
    ),
  },
  plugins: [withoutLanguages],
  ...Object.fromEntries(flags),
});
