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
    rememberCompiled();
    require('../dist/dispatcher.cjs');
  } catch (error) {
    process.stderr.write(
      'dispatcher: the built program cannot be loaded: ' + error.message + '\n' +
        '  fix: reinstall the package; in a clone of the repository, run: npm run build\n',
    );
    process.exitCode = 1;
  }
}

/* From Node 22.8 on it can keep what it compiled, which is half the start of a pass. Whoever can write there decides what runs: only in
   a folder of this user's own. Where there is none, nothing is kept. */
function rememberCompiled() {
  var enable = require('module').enableCompileCache;
  var environment = process.env;
  var above = environment.CACHE_DIRECTORY || environment.XDG_CACHE_HOME || (environment.HOME && environment.HOME + '/.cache');
  if (!enable || !above || above[0] !== '/' || above.indexOf(':') !== -1) return;
  try {
    var fs = require('fs');
    var folder = above + '/agent-dispatcher';
    /* Not with all above it: below /proc that would never return. */
    if (!fs.existsSync(above)) fs.mkdirSync(above, 448);
    if (!fs.existsSync(folder)) fs.mkdirSync(folder, 448);
    var stat = fs.lstatSync(folder);
    if (stat.isDirectory() && stat.uid === process.getuid() && (stat.mode & 18) === 0) enable(folder);
  } catch (error) {
    void error; /* it goes without */
  }
}
