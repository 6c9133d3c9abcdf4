// The program that bin/dispatcher.js starts: the process, seen as values.

import { setMaxListeners } from 'node:events';
import { isatty } from 'node:tty';
import packageJson from '../package.json' with { type: 'json' };
import { run } from './cli.ts';
import { lazily, type Output, type World } from './deps/world.ts';

// Opened when something is written: most passes have nothing to say, and Node takes 1.5 ms for both.
function outputOf(fd: number, open: () => NodeJS.WriteStream): Output {
  const stream = lazily(() => {
    const opened = open();
    // A reader that went away (`| head`) is no failure of ours.
    opened.on('error', () => {});
    return opened;
  });
  return {
    fd,
    isTTY: isatty(fd),
    get columns() {
      return stream().columns; // changes with the window
    },
    write: (text) => void stream().write(text),
  };
}

const interrupt = new AbortController();
const over = new AbortController();
// Whatever is asked of Gitea listens to both; a dozen at once is no leak.
setMaxListeners(0, interrupt.signal, over.signal);
// Once each: a second Ctrl-C ends the process at once.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => interrupt.abort());

const world: World = {
  environment: process.env,
  cwd: process.cwd(),
  version: packageJson.version,
  stdout: outputOf(1, () => process.stdout),
  stderr: outputOf(2, () => process.stderr),
  interrupted: interrupt.signal,
  over: over.signal,
};

// No top-level await: the bundle is CommonJS, which loads Node's own modules only when they are needed.
void run(process.argv.slice(2), world).then((code) => {
  process.exitCode = code;
  over.abort();
});
