// The ways between a machine and its Gitea: a path prefix, an authority of one's own, proxies, IPv6, cron's environment.

import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { createServer as createHttpServer, request as httpRequest, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { COMMAND, finished, NODE, type Workspace, workspace } from '../support/command.ts';

const dispatched = { code: 0, stdout: expect.stringContaining('DISPATCHED: hans') };

async function listening(server: Server | TcpServer, host = '127.0.0.1'): Promise<number> {
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, host, () => resolve()));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

async function office(): Promise<Workspace> {
  const at = await workspace();
  at.gitea.addIssue({ repository: 'acme/app', number: 1, title: 'First', assignees: ['hans'] });
  return at;
}

function configure(at: Workspace, url: string, more = ''): void {
  at.write('dispatcher.yaml', `gitea: { url: "${url}", repositories: [acme/app]${more} }\n`);
}

/** Hands every connection on to the fake server. */
function relayTo(at: Workspace): TcpServer {
  return createTcpServer((socket) => {
    const onward = connect(Number(new URL(at.gitea.url).port), '127.0.0.1');
    socket
      .on('error', () => {})
      .pipe(onward.on('error', () => {}))
      .pipe(socket);
  });
}

/** A certificate for localhost, by an authority that nobody knows. */
function certificate(folder: string): { readonly key: string; readonly cert: string; readonly ca: string } {
  const openssl = (...args: readonly string[]): void =>
    void execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  openssl(
    ...made,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-subj',
    '/CN=our authority',
    '-addext',
    'keyUsage=keyCertSign',
  );
  openssl(
    'req',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    's.key',
    '-out',
    's.csr',
    '-subj',
    '/CN=localhost',
  );
  execFileSync('sh', ['-c', 'echo subjectAltName=DNS:localhost > s.ext'], { cwd: folder });
  openssl(
    'x509',
    '-req',
    '-in',
    's.csr',
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca.key',
    '-days',
    '2',
    '-out',
    's.pem',
    '-extfile',
    's.ext',
  );
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  return { key: read('s.key'), cert: read('s.pem'), ca: join(folder, 'ca.pem') };
}

async function overTls(at: Workspace): Promise<{ readonly url: string; readonly ca: string }> {
  const { key, cert, ca } = certificate(at.folder);
  const relay = createTlsServer({ key, cert }, (socket) => {
    const onward = connect(Number(new URL(at.gitea.url).port), '127.0.0.1');
    socket
      .on('error', () => {})
      .pipe(onward.on('error', () => {}))
      .pipe(socket);
  });
  return { url: `https://localhost:${await listening(relay)}`, ca };
}

/** A proxy as companies have them: whole addresses for http, CONNECT for https, and a password. */
async function proxy(): Promise<{ readonly url: string; readonly asked: string[] }> {
  const asked: string[] = [];
  const isKnown = (header: string | undefined): boolean =>
    header === `Basic ${Buffer.from('anna:s3cret').toString('base64')}`;
  const server = createHttpServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    if (!isKnown(request.headers['proxy-authorization'])) return void response.writeHead(407).end();
    const { hostname, port, pathname, search } = new URL(request.url ?? '');
    const { method, headers } = request;
    request.pipe(
      httpRequest({ hostname, port, path: pathname + search, method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      }),
    );
  });
  server.on('connect', (request, socket) => {
    asked.push(`CONNECT ${request.url}`);
    if (!isKnown(request.headers['proxy-authorization'])) return socket.end('HTTP/1.1 407 No\r\n\r\n');
    const [host = '', port] = (request.url ?? '').split(':');
    const onward = connect(Number(port), host, () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
    socket
      .on('error', () => {})
      .pipe(onward.on('error', () => {}))
      .pipe(socket);
  });
  return { url: `http://anna:s3cret@127.0.0.1:${await listening(server)}`, asked };
}

test('behind a reverse proxy with a path prefix', async () => {
  const at = await office();
  const front = createHttpServer((request, response) => {
    const { url = '', method, headers } = request;
    if (!url.startsWith('/git/')) return void response.writeHead(404).end('<html>');
    const to = { port: new URL(at.gitea.url).port, path: url.slice('/git'.length), method, headers };
    request.pipe(
      httpRequest(to, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      }),
    );
  });
  configure(at, `http://127.0.0.1:${await listening(front)}/git`);
  expect(await at.run([])).toMatchObject(dispatched);
});

test('with an authority of one’s own: gitea.caFile or NODE_EXTRA_CA_CERTS, and told without', async () => {
  const at = await office();
  const { url, ca } = await overTls(at);
  configure(at, url);
  const without = await at.run([]);
  expect(without).toMatchObject({ code: 75, stderr: expect.stringMatching(/certificate[^]*fix: .*gitea\.caFile/u) });
  expect(await at.run(['doctor'], { NODE_EXTRA_CA_CERTS: ca })).toMatchObject({
    stdout: expect.stringContaining('✔ server'),
  });
  configure(at, url, ', caFile: ca.pem');
  expect(await at.run([])).toMatchObject(dispatched);
  configure(at, url, ', caFile: dispatcher.yaml');
  expect(await at.run([])).toMatchObject({
    code: 78,
    stderr: expect.stringMatching(/caFile .* cannot be used: it holds no certificate/u),
  });
});

test('through a proxy for http and for https, with its password, which nothing prints; not for what NO_PROXY names', async () => {
  const at = await office();
  const way = await proxy();
  const { url, ca } = await overTls(at);
  const plain = await at.run(['doctor'], { HTTP_PROXY: way.url });
  expect(plain.stdout).toMatch(/· proxy +Gitea is asked through http:\/\/127\.0\.0\.1:\d+\n✔ server/u);
  expect(way.asked).toContain(`GET ${at.gitea.url}/api/v1/version`);
  const count = way.asked.length;
  expect((await at.run(['doctor'], { HTTP_PROXY: way.url, NO_PROXY: '127.0.0.1' })).stdout).not.toContain('proxy');
  expect(way.asked).toHaveLength(count);
  configure(at, url, ', caFile: ca.pem');
  const tunnelled = await at.run(['-v'], { https_proxy: way.url });
  expect(tunnelled).toMatchObject(dispatched);
  expect(way.asked).toContain(`CONNECT ${new URL(url).host}`);
  expect(plain.stdout + plain.stderr + tunnelled.stdout + tunnelled.stderr).not.toContain('s3cret');
  expect(await at.run([], { HTTPS_PROXY: 'socks5://127.0.0.1:1' })).toMatchObject({
    code: 78,
    stderr: expect.stringMatching(/HTTPS_PROXY names has no http\(s\) address[^]*fix: /u),
  });
  expect(ca).toBeTruthy();
});

test('attachments come the same way as everything else', async () => {
  const at = await workspace();
  at.gitea.addIssue({
    repository: 'acme/app',
    number: 1,
    assignees: ['hans'],
    attachments: [{ name: 'screen.png', size: 100 }],
  });
  const way = await proxy();
  const { url } = await overTls(at);
  at.write(
    'dispatcher.yaml',
    `gitea: { url: "${url}", repositories: [acme/app], caFile: ca.pem }\nattachments: { save: true }\n`,
  );
  expect(await at.run([], { https_proxy: way.url })).toMatchObject(dispatched);
  expect(at.tasks()).toContainEqual(expect.stringMatching(/issue-1\.attachments\/\w+-screen\.png$/u));
  expect(way.asked.filter((line) => !line.startsWith('CONNECT'))).toEqual([]);
});

test('over IPv6', async ({ skip }) => {
  const at = await office();
  const port = await listening(relayTo(at), '::1').catch(() => null);
  if (port === null) return skip('this machine has no IPv6');
  configure(at, `http://[::1]:${port}`);
  expect(await at.run([])).toMatchObject(dispatched);
});

test('from cron: its environment, and a line that names everything', async () => {
  const at = await office();
  at.write('token', at.gitea.token);
  chmodSync(join(at.folder, 'token'), 0o600);
  configure(at, at.gitea.url, ', tokenFile: token');
  const line = `${NODE} ${COMMAND} -q --config ${join(at.folder, 'dispatcher.yaml')}`;
  const child = spawn(
    'env',
    ['-i', 'PATH=/usr/bin:/bin', 'SHELL=/bin/sh', `HOME=${at.folder}`, 'sh', '-c', `cd / && ${line}`],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  expect(await finished(child)).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(at.tasks()).toEqual(['.agent-tasks/hans/issue-1.md']);
});
