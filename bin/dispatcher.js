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
    require('../dist/dispatcher.cjs');
  } catch (error) {
    process.stderr.write(
      'dispatcher: the built program cannot be loaded: ' + error.message + '\n' +
        '  fix: reinstall the package; in a clone of the repository, run: npm run build\n',
    );
    process.exitCode = 1;
  }
}
