import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

/** A server that remembers what it was told and answers `NAME:` and that. */
async function echo(name: string): Promise<{ readonly port: number; readonly heard: string[] }> {
  const heard: string[] = [];
  const server = createServer((socket) =>
    socket
      .on('error', () => {})
      .on('data', (data) => {
        heard.push(String(data));
        socket.write(`${name}:${String(data)}`);
      }),
  );
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return { port: typeof address === 'object' && address ? address.port : 0, heard };
}

async function between(port: number): Promise<TcpProxy> {
  const proxy = await startTcpProxy(port);
  onTestFinished(async () => proxy.close());
  return proxy;
}

function client(port: number): Socket {
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** What is answered; `cut` when the connection ends, `nothing` when that takes too long. */
async function ask(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  return Promise.race([
    new Promise<string>((resolve) => void socket.once('data', (data) => resolve(String(data)))),
    new Promise<string>((resolve) => void socket.once('close', () => resolve('cut'))),
    wait(400, 'nothing'),
  ]);
}

test('a request is lost, or only the answer to it', async () => {
  const server = await echo('a');
  const proxy = await between(server.port);
  proxy.lose({ message: 2, what: 'request' });
  const first = client(proxy.port);
  expect([await ask(first, 'one'), await ask(first, 'two')]).toEqual(['a:one', 'cut']);
  expect(server.heard).toEqual(['one']);
  proxy.lose({ message: 2, what: 'answer' });
  const second = client(proxy.port);
  expect([await ask(second, 'three'), await ask(second, 'four')]).toEqual(['a:three', 'cut']);
  expect(server.heard).toEqual(['one', 'three', 'four']);
  expect(proxy.said()).toBe(2);
  proxy.lose({ message: 2, what: 'rest' });
  const third = client(proxy.port);
  expect([await ask(third, 'five'), await ask(third, 'six')]).toEqual(['a:five', 'nothing']);
  expect(await ask(client(proxy.port), 'seven')).toBe('nothing');
  proxy.swallow(false);
  proxy.lose(null);
  expect(server.heard.slice(4)).toEqual([]);
  proxy.loseAt('COMMIT', 'answer');
  expect(await ask(client(proxy.port), 'COMMIT')).toBe('cut');
  expect(server.heard.at(-1)).toBe('COMMIT');
  expect(await ask(client(proxy.port), 'COMMIT')).toBe('a:COMMIT');
});

test('nothing arrives, everything is cut, late, changed, or led elsewhere', async () => {
  const [one, other] = [await echo('a'), await echo('b')];
  const proxy = await between(one.port);
  const first = client(proxy.port);
  proxy.swallow(true);
  expect(await ask(first, 'x')).toBe('nothing');
  proxy.swallow(false);
  expect(one.heard).toEqual([]);
  const second = client(proxy.port);
  expect(await ask(second, 'x')).toBe('a:x');
  proxy.delay(100);
  const began = performance.now();
  expect(await ask(second, 'x')).toBe('a:x');
  expect(performance.now() - began).toBeGreaterThan(190);
  proxy.delay(0);
  proxy.rewrite('a:150018', 'a:130018');
  expect(await ask(second, '150018')).toBe('a:130018');
  proxy.aim(other.port);
  expect(await ask(second, 'x')).toBe('cut');
  expect(await ask(client(proxy.port), 'x')).toBe('b:x');
});
