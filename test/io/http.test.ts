import { Agent, createServer, type RequestListener } from 'node:http';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { type HttpRequest, send } from '../../src/io/http.ts';

async function asking(listener: RequestListener, request: Partial<HttpRequest> = {}) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => {
    agent.destroy();
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/x`;
  return send(url, { headers: {}, agent, signal: new AbortController().signal, maxBytes: 1000, ...request });
}

test('an answer is its status, its headers whatever their case, and its text without a mark in front', async () => {
  const answer = await asking((_, response) => {
    response.writeHead(418, { 'X-Total-Count': '7' }).end('\uFEFF{"ä":1}');
  });
  expect(answer.status).toBe(418);
  expect(answer.headers.get('X-TOTAL-COUNT')).toBe('7');
  expect(answer.headers.get('location')).toBe(null);
  expect(await answer.text()).toBe('{"ä":1}');
});

test('a body is sent with its method, headers and length', async () => {
  const seen: unknown[] = [];
  const listener: RequestListener = (request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part));
    request.on('end', () => {
      seen.push(request.method, request.headers['x-a'], request.headers['content-length'], body);
      response.end();
    });
  };
  await asking(listener, { method: 'PATCH', headers: { 'x-a': 'b' }, body: '{"ä":1}' });
  expect(seen).toEqual(['PATCH', 'b', '8', '{"ä":1}']);
});

test.for([
  { what: 'whole', cut: 0 },
  { what: 'without the end that some servers leave out', cut: 8 },
])('what is packed because it was asked for comes unpacked, $what', async ({ cut }) => {
  const text = 'a'.repeat(900);
  const answer = await asking((request, response) => {
    expect(request.headers['accept-encoding']).toBe('gzip');
    const bytes = gzipSync(text);
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(bytes.subarray(0, bytes.length - cut));
  });
  expect(await answer.text()).toBe(text);
});

test('an empty answer that is said to be packed is empty', async () => {
  const answer = await asking((_, response) => void response.writeHead(204, { 'content-encoding': 'gzip' }).end());
  expect(await answer.text()).toBe('');
});

test.for<{ what: string; listener: RequestListener }>([
  { what: 'plain', listener: (_, response) => void response.end('a'.repeat(1001)) },
  {
    what: 'packed, and small on its way',
    listener: (_, response) =>
      void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('a'.repeat(1_000_000))),
  },
])('an answer that is too long is an error with a code of its own: $what', async ({ listener }) => {
  await expect(asking(listener)).rejects.toMatchObject({ code: 'max-size' });
});

test.for<{ what: string; listener: RequestListener; code: string }>([
  {
    what: 'breaks off',
    listener: (_, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('half of it');
      setTimeout(() => response.destroy(), 20);
    },
    code: 'ECONNRESET',
  },
  {
    what: 'is packed and broken',
    listener: (_, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end('no gzip at all'),
    code: 'Z_DATA_ERROR',
  },
])('an answer that $what is an error', async ({ listener, code }) => {
  await expect(asking(listener)).rejects.toMatchObject({ code });
});

test('what is packed in a way that nobody asked for is left as it is', async () => {
  const bytes = brotliCompressSync('a');
  const answer = await asking((_, response) => void response.writeHead(200, { 'content-encoding': 'br' }).end(bytes));
  expect(answer.body).toEqual(bytes);
});

test('the signal ends it, also when the answer has begun', async () => {
  const controller = new AbortController();
  const asked = asking(
    (_, response) => {
      response.writeHead(200).write('half of it');
      setTimeout(() => controller.abort(), 20);
    },
    { signal: controller.signal },
  );
  await expect(asked).rejects.toThrow('aborted');
});
