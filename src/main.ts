// The program that bin/dispatcher.js starts: the process, seen as values.

import { setMaxListeners } from 'node:events';
import packageJson from '../package.json' with { type: 'json' };
import { run } from './cli.ts';
import type { Output, World } from './deps/world.ts';

function outputOf(stream: NodeJS.WriteStream, fd: number): Output {
  // A reader that went away (`| head`) is no failure of ours.
  stream.on('error', () => {});
  return {
    fd,
    isTTY: stream.isTTY,
    get columns() {
      return stream.columns; // changes with the window
    },
    write: (text) => void stream.write(text),
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
  stdout: outputOf(process.stdout, 1),
  stderr: outputOf(process.stderr, 2),
  interrupted: interrupt.signal,
  over: over.signal,
};

// No top-level await: the bundle is CommonJS, which loads Node's own modules only when they are needed.
void run(process.argv.slice(2), world).then((code) => {
  process.exitCode = code;
  over.abort();
});
