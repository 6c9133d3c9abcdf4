#!/usr/bin/env node
/* Written in old syntax on purpose: an old Node must reach the message below instead of a syntax error. */
var version = process.versions.node.split('.');
var major = Number(version[0]);
var minor = Number(version[1]);

if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(
    'dispatcher: Node ' + process.versions.node + ' is too old, 20.19 or newer is needed.\n' +
      '  running: ' + process.execPath + '\n' +
      '  fix: install a newer Node and start this command with it\n',
  );
  process.exitCode = 78;
} else {
  try {
    /* What passes run is another part of the bundle than what other commands do. */
    require('./code-cache.js').load(require.resolve('../dist/dispatcher.cjs'), cacheFolder(), isPlainPass() ? 'pass' : 'rest');
  } catch (error) {
    process.stderr.write(
      'dispatcher: the built program cannot be loaded: ' + error.message + '\n' +
        '  fix: reinstall the package; in a clone of the repository, run: npm run build\n',
    );
    process.exitCode = 1;
  }
}

/* Whether it is a pass and nothing else, as a timer starts it each minute. The bundle, which is loaded after this is known, has the
   same rule in src/cli/program.ts, and makes no other command then; test/e2e/start.test.ts holds the two together. */
function isPlainPass() {
  var words = process.argv.slice(2);
  return words.every(function (word, index) {
    return (
      /^(dispatch|--timer|-q|--quiet|-v|--verbose|-c|--config)$/.test(word) ||
      word.indexOf('--config=') === 0 ||
      /^(-c|--config)$/.test(words[index - 1])
    );
  });
}

/* Where it is kept what was compiled. Whoever can write there decides what runs: only in a folder of this user's own. Where there is
   none, nothing is kept. */
function cacheFolder() {
  var environment = process.env;
  var above = environment.CACHE_DIRECTORY || environment.XDG_CACHE_HOME || (environment.HOME && environment.HOME + '/.cache');
  if (!above || above[0] !== '/' || above.indexOf(':') !== -1) return null;
  try {
    var fs = require('fs');
    var folder = above + '/agent-dispatcher';
    /* Not with all above it: below /proc that would never return. */
    if (!fs.existsSync(above)) fs.mkdirSync(above, 448);
    if (!fs.existsSync(folder)) fs.mkdirSync(folder, 448);
    var stat = fs.lstatSync(folder);
    if (!stat.isDirectory() || stat.uid !== process.geteuid() || (stat.mode & 18) !== 0) return null;
    /* Of the other bundles, from Node 22.8 on. */
    var enable = require('module').enableCompileCache;
    if (enable) enable(folder);
    return folder;
  } catch (error) {
    void error; /* it goes without */
    return null;
  }
}
