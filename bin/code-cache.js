// Loads the bundle with what V8 has compiled of it before, functions that were compiled only when they were called among it:
// Node's own compile cache keeps none of those. It is half of what a pass costs. Whatever is wrong with the cache, the bundle is
// compiled as if there were none.

'use strict';
const {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} = require('fs');
const { createRequire } = require('module');
const { dirname, join } = require('path');
const { Script } = require('vm');
const { crc32 } = require('zlib');

/** The first runs keep what they compiled, each on top of the one before: no run needs everything. */
const GENERATIONS = 3;
/**
 * Passes are alike, though: after the first one in which nothing went, one begins anew, or each minute would load what only others
 * needed, to read YAML and to write a task. What it compiled is kept if nothing went in it, too.
 */
const GENERATIONS_OF_PASSES = 4;
const MAX_BYTES = 32 * 1024 * 1024;

/** Runs a bundle. `folder`: where the caches are, which this user alone may write to; null: there is none. */
exports.load = function load(bundle, folder, kind) {
  // Whoever counts what runs knows modules only.
  if (process.env.NODE_V8_COVERAGE) return void require(bundle);
  const cache = folder === null ? null : openCache(bundle, folder, kind);
  const found = cache === null ? null : cache.read();
  const generations = kind === 'pass' ? GENERATIONS_OF_PASSES : GENERATIONS;
  const beginsAnew = kind === 'pass' && found !== null && found.generation === GENERATIONS;
  const known = beginsAnew ? null : found;
  const script = new Script(
    `(function (exports, require, module, __filename, __dirname) {${readFileSync(bundle, 'utf8')}\n})`,
    {
      filename: bundle,
      ...(known === null ? {} : { cachedData: known.data }),
    },
  );
  const generation = found === null || script.cachedDataRejected ? 0 : found.generation;
  // A task is written with the Markdown of its issue.
  const isQuiet = () => require.cache[join(dirname(bundle), 'markdown.cjs')] === undefined;
  const isForQuiet = kind === 'pass' && generation + 1 >= GENERATIONS;
  if (cache !== null && generation < generations) {
    process.once('exit', (code) => {
      if (code === 0 && (!isForQuiet || isQuiet())) cache.write(generation + 1, script.createCachedData());
    });
  }
  const module_ = { exports: {} };
  script.runInThisContext()(module_.exports, createRequire(bundle), module_, bundle, dirname(bundle));
};

// V8 looks at the length of the source, the version and the flags; that it is this bundle, and whole, is to be seen here.
function openCache(bundle, folder, kind) {
  const { ino, size, mtimeMs, ctimeMs } = statSync(bundle);
  const stamp = [bundle, ino, size, mtimeMs, ctimeMs, process.version, process.arch].join(' ');
  const path = `${folder}/code-${kind}-${process.version}-${crc32(bundle).toString(16)}`;
  return {
    read: () => {
      let handle;
      try {
        handle = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
        const { uid, mode, size: length } = fstatSync(handle);
        if (uid !== process.geteuid() || (mode & 0o022) !== 0 || length > MAX_BYTES) return null;
        const bytes = readFileSync(handle);
        const end = bytes.indexOf(10);
        const [generation, sum, of] = JSON.parse(bytes.toString('utf8', 0, end));
        const data = bytes.subarray(end + 1);
        return of === stamp && sum === crc32(data) ? { generation, data } : null;
      } catch {
        return null;
      } finally {
        if (handle !== undefined) closeSync(handle);
      }
    },
    write: (generation, data) => {
      const draft = `${path}.${process.pid}.tmp`;
      try {
        const head = Buffer.from(`${JSON.stringify([generation, crc32(data), stamp])}\n`);
        writeFileSync(draft, Buffer.concat([head, data]), { mode: 0o600, flag: 'wx' });
        renameSync(draft, path);
      } catch {
        // It goes without. Root that went on as the owner of an office may not even look there.
        try {
          rmSync(draft, { force: true });
        } catch {}
      }
    },
  };
}
