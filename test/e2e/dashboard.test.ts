import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Workspace, workspace } from '../support/command.ts';
import { type StartedDashboard, startDashboard } from '../support/dashboard.ts';
import { clockOf, noFaketime } from '../support/faketime.ts';
import { addTask } from '../support/mailbox.ts';

const SECRET = 'not to be shown to anybody';

async function afterOnePass(): Promise<Workspace> {
  const at = await workspace({
    yaml: 'gitea:\n  url: URL\n  repositories: [acme/app]\nagents: { hans: {}, greta: {} }\nrateLimit: 1s\n',
  });
  at.gitea.addIssue({ repository: 'acme/app', number: 1, title: 'First', labels: ['critical'], assignees: ['hans'] });
  at.gitea.addIssue({ repository: 'acme/app', number: 2, title: 'Second', assignees: ['greta'] });
  await at.run([]);
  return at;
}

const get = async (board: StartedDashboard, path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(board.url + path, { headers });

describe('starting and stopping', () => {
  test('it needs neither token nor network, and serves what status prints', async () => {
    const at = await afterOnePass();
    await at.gitea.close();
    const board = await startDashboard(at);
    const page = await get(board, '/');
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=UTF-8']);
    expect(await page.text()).toContain('acme/app#1');
    const fromApi = JSON.parse(await (await get(board, '/api/v1/status')).text());
    const fromCommand = JSON.parse((await at.run(['status', '--json'])).stdout);
    expect({ ...fromApi, generatedAt: '', slot: '' }).toEqual({ ...fromCommand, generatedAt: '', slot: '' });
  });

  test('a taken port: who may hold it, how to choose another, exit 1', async () => {
    const at = await workspace();
    const holder = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => holder.once('listening', resolve));
    const { port } = holder.address() as { port: number };
    const { code, stderr } = await at.run(['dashboard', '--port', String(port)]);
    holder.close();
    expect(code).toBe(1);
    expect(stderr).toContain(`port ${port} of 127.0.0.1 is taken, perhaps by another dispatcher dashboard`);
    expect(stderr).toMatch(/fix: see who holds it: ss -ltnp .* --port \d+/u);
  });

  test.for(['SIGTERM', 'SIGINT'] as const)('%s ends it within a second, with open streams', async (signal) => {
    const at = await workspace();
    const board = await startDashboard(at);
    const stream = await get(board, '/api/v1/events');
    const reading = stream.text().catch(() => 'cut');
    const started = Date.now();
    const ended = new Promise((resolve) => board.child.on('close', resolve));
    board.child.kill(signal);
    expect(await ended).toBe(130);
    expect(Date.now() - started).toBeLessThan(1000);
    await reading;
  });

  test.for(['0.0.0.0', '::', '192.0.2.1', 'example.com'])(
    'it does not listen on %s without a password',
    async (host) => {
      const at = await workspace();
      const { code, stderr } = await at.run(['dashboard', '--host', host]);
      expect(code).toBe(78);
      expect(stderr).toContain(`everybody who can reach ${host}`);
      expect(stderr).toContain('fix: set dashboard.auth.passwordFile');
    },
  );

  test('a password that is missing, short, or open to everybody is told', async () => {
    const at = await workspace({
      yaml: 'gitea: { url: URL, repositories: [acme/app] }\ndashboard: { auth: { passwordFile: secret } }\n',
    });
    expect(await at.run(['dashboard'])).toMatchObject({
      code: 78,
      stderr: expect.stringMatching(/ENOENT.*\n {2}fix: make one/u),
    });
    at.write('secret', 'short\n');
    expect(await at.run(['dashboard'])).toMatchObject({ code: 78, stderr: expect.stringContaining('at least 12') });
  });
});

describe('with a password', () => {
  test('nothing is answered without it; browsers and scripts can send it', async () => {
    const at = await workspace({
      yaml: 'gitea: { url: URL, repositories: [acme/app] }\ndashboard: { auth: { user: team, passwordFile: secret } }\n',
    });
    at.write('secret', 'correct-horse-battery\n');
    chmodSync(join(at.folder, 'secret'), 0o600);
    const board = await startDashboard(at, ['--host', '0.0.0.0']);
    const url = `http://127.0.0.1:${board.port}`;
    const status = async (path: string, authorization?: string): Promise<number> => {
      const response = await fetch(url + path, authorization ? { headers: { authorization } } : {});
      await response.body?.cancel();
      return response.status;
    };
    const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
    for (const path of [
      '/',
      '/api/v1/status',
      '/api/v1/events',
      '/metrics',
      '/history',
      '/log.txt',
      '/assets/dashboard.js',
      '/nothing',
    ]) {
      expect([path, await status(path)]).toEqual([path, 401]);
    }
    // A probe knows no password: it learns whether it is well, and nothing else.
    expect([await status('/healthz'), await status('/healthz', 'Bearer wrong')]).toEqual([503, 401]);
    expect(await (await fetch(`${url}/healthz`)).text()).toBe('not ok\n');
    expect((await fetch(url)).headers.get('www-authenticate')).toBe('Basic realm="dispatcher"');
    expect(await status('/', basic('team:correct-horse-battery'))).toBe(200);
    expect(await status('/metrics', 'Bearer correct-horse-battery')).toBe(200);
    expect(await status('/', basic('team:wrong-horse-battery'))).toBe(401);
    expect(await status('/', basic('other:correct-horse-battery'))).toBe(401);
    expect(await status('/', 'Bearer wrong')).toBe(401);
  });
});

describe('attacks are answered safely', () => {
  const outside = [
    '/tasks/hans/../../secret.md',
    '/tasks/hans/%2e%2e/%2e%2e/secret.md',
    '/tasks/hans/..%2f..%2fsecret.md',
    '/tasks/hans/..%252f..%252fsecret.md',
    '/tasks/%2e%2e/secret.md',
    '/tasks/..%2f/secret.md',
    '/tasks//hans/issue-1.md/../../../secret.md',
    '/tasks/hans/..%5c..%5csecret.md',
    '/tasks/hans/%c0%ae%c0%ae/%c0%ae%c0%ae/secret.md',
    '/tasks/hans/%00issue-1.md',
    '/tasks/hans/issue-1.md%00.md',
    '/tasks/hans/link.md',
    '/tasks/hans/linked/secret.md',
    '/tasks/linkedagent/secret.md',
    '/tasks/hans/pipe.md',
    '/tasks/hans/folder.md',
    '/tasks/hans/.hidden.md',
    '/tasks/hans/%ff%fe.md',
    '/tasks/hans/.issue-1.md.abc.tmp',
    '/tasks/HANS/issue-1.md',
    '/tasks/__proto__/x.md',
    `/tasks/hans/${'a/'.repeat(500)}secret.md`,
    `/tasks/${'h'.repeat(3000)}/secret.md`,
    '/assets/../dashboard/page.hbs',
    '/assets/..%2f..%2f..%2fpackage.json',
    '/assets/__proto__',
    '/agents/__proto__',
    '/agents/%3Cscript%3Ealert(1)%3C%2Fscript%3E',
    '/%3Cscript%3Ealert(1)%3C/script%3E',
    '/etc/passwd',
    '//evil.example/',
    '/.agent-dispatcher/state.json',
  ];
  const requests: readonly { attack: string; request: string; answer: RegExp }[] = [
    {
      attack: 'the name of another site (DNS rebinding)',
      request: 'GET / HTTP/1.1\r\nHost: evil.example\r\n',
      answer: /^HTTP\/1\.1 421/u,
    },
    {
      attack: 'a name that only begins like ours',
      request: 'GET / HTTP/1.1\r\nHost: localhost.evil.example\r\n',
      answer: /^HTTP\/1\.1 421/u,
    },
    {
      attack: 'a user in the name',
      request: 'GET / HTTP/1.1\r\nHost: localhost@evil.example\r\n',
      answer: /^HTTP\/1\.1 4(?:00|21)/u,
    },
    { attack: 'no name', request: 'GET / HTTP/1.0\r\n', answer: /^HTTP\/1\.1 4(?:00|21)/u },
    { attack: 'an empty name', request: 'GET / HTTP/1.1\r\nHost:\r\n', answer: /^HTTP\/1\.1 4(?:00|21)/u },
    {
      attack: 'two names',
      request: 'GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n',
      answer: /^HTTP\/1\.1 (?:400|421|200)/u,
    },
    {
      attack: 'another address in the request line',
      request: 'GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n',
      answer: /^HTTP\/1\.1 4(?:00|21)/u,
    },
    {
      attack: 'POST',
      request: 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n',
      answer: /^HTTP\/1\.1 405[^]*\r\nallow: GET, HEAD/iu,
    },
    {
      attack: 'PUT',
      request: 'PUT /tasks/hans/issue-1.md HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx',
      answer: /^HTTP\/1\.1 405/u,
    },
    {
      attack: 'DELETE',
      request: 'DELETE /tasks/hans/issue-1.md HTTP/1.1\r\nHost: localhost\r\n',
      answer: /^HTTP\/1\.1 405/u,
    },
    {
      attack: 'OPTIONS from elsewhere gets no CORS',
      request:
        'OPTIONS /api/v1/status HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\nAccess-Control-Request-Method: GET\r\n',
      answer: /^HTTP\/1\.1 405(?![^]*access-control)/iu,
    },
    { attack: 'TRACE', request: 'TRACE / HTTP/1.1\r\nHost: localhost\r\n', answer: /^HTTP\/1\.1 (?:405|400)/u },
    {
      attack: 'CONNECT',
      request: 'CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n',
      answer: /^(?:HTTP\/1\.1 4\d\d|$)/u,
    },
    {
      attack: 'an upgrade',
      request: 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n',
      answer: /^(?:HTTP\/1\.1 (?:200|4\d\d)|$)/u,
    },
    {
      attack: 'a background request of another site',
      request:
        'GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n',
      answer: /^HTTP\/1\.1 403/u,
    },
    {
      attack: 'headers of 100 kB',
      request: `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'a'.repeat(100_000)}\r\n`,
      answer: /^(?:HTTP\/1\.1 431|$)/u,
    },
    {
      attack: 'an address of 100 kB',
      request: `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nHost: localhost\r\n`,
      answer: /^(?:HTTP\/1\.1 4(?:31|14)|$)/u,
    },
    {
      attack: '5,000 headers',
      request: `GET / HTTP/1.1\r\nHost: localhost\r\n${'X-A: b\r\n'.repeat(1200)}`,
      answer: /^HTTP\/1\.1 (?:200|431)/u,
    },
    {
      attack: 'no HTTP at all',
      request: '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\r\n',
      answer: /^(?:HTTP\/1\.1 400|$)/u,
    },
    {
      attack: 'smuggling by two lengths',
      request: 'GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n',
      answer: /^HTTP\/1\.1 400/u,
    },
    {
      attack: 'a split header',
      request: 'GET / HTTP/1.1\r\nHost: localhost\r\nX: a\nSet-Cookie: b\r\n',
      answer: /^HTTP\/1\.1 (?:200|400)(?![^]*set-cookie)/iu,
    },
    {
      attack: 'script in the filter',
      request:
        'GET /?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&agent=%3Cimg%20src=x%3E HTTP/1.1\r\nHost: localhost\r\n',
      answer: /^HTTP\/1\.1 200(?![^]*<script>alert)(?![^]*<img)/u,
    },
    {
      attack: 'a place in the log that is none',
      request: `HEAD /api/v1/events?since=${encodeURIComponent('\r\ndata: x')} HTTP/1.1\r\nHost: localhost\r\n`,
      answer: /^HTTP\/1\.1 200(?![^]*data: x)/u,
    },
    {
      attack: 'a name with a port that is none',
      request: 'GET / HTTP/1.1\r\nHost: localhost:99999999\r\n',
      answer: /^HTTP\/1\.1 4(?:00|21)/u,
    },
  ];

  test(`${outside.length} addresses and ${requests.length} requests`, async () => {
    const at = await afterOnePass();
    at.write('secret.md', SECRET);
    const folder = join(at.folder, '.agent-tasks');
    symlinkSync(join(at.folder, 'secret.md'), join(folder, 'hans/link.md'));
    symlinkSync(at.folder, join(folder, 'hans/linked'));
    symlinkSync(at.folder, join(folder, 'linkedagent'));
    mkdirSync(join(folder, 'hans/folder.md'));
    writeFileSync(join(folder, 'hans/.hidden.md'), SECRET);
    await new Promise((resolve) => at.start(['--version']).on('close', resolve));
    const board = await startDashboard(at);
    for (const path of outside) {
      const answer = await board.raw(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
      expect([path.slice(0, 100), /^HTTP\/1\.1 (\d+)/u.exec(answer)?.[1]]).toEqual([
        path.slice(0, 100),
        expect.stringMatching(/^4\d\d$/u),
      ]);
      expect(answer).not.toContain(SECRET);
      expect(answer).not.toContain('<script>alert');
    }
    for (const { attack, request, answer } of requests) {
      const [head = '', body = ''] = request.split('\r\n\r\n');
      const whole = `${head.trimEnd()}\r\nConnection: close\r\n\r\n${body}`;
      expect({ attack, got: await board.raw(whole, { waitMs: 1500 }) }).toEqual({
        attack,
        got: expect.stringMatching(answer),
      });
    }
    // It still answers, and nothing was changed.
    expect((await get(board, '/tasks/hans/issue-1.md')).status).toBe(200);
    expect(at.read('.agent-tasks/hans/issue-1.md')).toContain('schema: "dispatcher.task/1"');
  });

  test('whoever sends slowly is cut off, and does not keep others waiting', async () => {
    const board = await startDashboard(await workspace());
    const slow = Array.from({ length: 100 }, () => connect(board.port, '127.0.0.1').resume());
    const closed = slow.map((socket) => new Promise((resolve) => socket.on('close', resolve).on('error', () => {})));
    for (const socket of slow) socket.write('GET / HTTP/1.1\r\nHost: local');
    const started = Date.now();
    expect((await get(board, '/')).status).toBe(200);
    expect(Date.now() - started).toBeLessThan(2000);
    await Promise.all(closed);
    expect(Date.now() - started).toBeLessThan(20_000);
  });

  test('every answer forbids inline scripts, framing, guessing of types, and storing', async () => {
    const board = await startDashboard(await afterOnePass());
    for (const path of [
      '/',
      '/history',
      '/tasks/hans/issue-1.md',
      '/tasks/hans/issue-1.md?raw',
      '/api/v1/status',
      '/metrics',
      '/healthz',
      '/log.txt',
      '/nothing',
    ]) {
      const { headers } = await get(board, path);
      expect([path, headers.get('content-security-policy')]).toEqual([
        path,
        expect.stringMatching(/^default-src 'none'; script-src 'self';(?!.*unsafe).*frame-ancestors 'none'/u),
      ]);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('access-control-allow-origin')).toBeNull();
    }
  });
});

describe('the stream', () => {
  /** Reads events until enough of them came. */
  async function events(
    board: StartedDashboard,
    path: string,
    until: (text: string) => boolean,
    act = async () => {},
    headers = {},
  ) {
    const abort = new AbortController();
    const response = await fetch(board.url + path, { signal: abort.signal, headers });
    let text = '';
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    const deadline = pause(8000).then(() => ({ done: true, value: undefined }));
    await act();
    while (!until(text)) {
      const { done, value } = await Promise.race([reader.read(), deadline]);
      if (done) break;
      text += value;
    }
    abort.abort();
    return text;
  }
  const lastId = (text: string): string => [...text.matchAll(/^id: (\S+)$/gmu)].at(-1)?.[1] ?? '';

  test('tells of a dispatch, with the line of the log', async () => {
    const at = await afterOnePass();
    const board = await startDashboard(at);
    const text = await events(
      board,
      '/api/v1/events',
      (all) => all.includes('DISPATCHED'),
      async () => {
        await pause(1000);
        await at.run([]);
      },
    );
    expect(text).toMatch(/^retry: 3000\n\nevent: status\ndata: \{"version":"[^"]+",/u);
    expect(text).toMatch(
      /event: log\ndata: \{"restarted":false,"lines":\[\{"position":"\d+-\d+","time":"[^"]+","name":"DISPATCHED","level":"notice","message":"greta → Issue #2 \(Second\)/u,
    );
  });

  test('goes on after Last-Event-ID, and says so when that place is not known', async () => {
    const at = await afterOnePass();
    const board = await startDashboard(at);
    const log = join(at.folder, '.agent-dispatcher.log');
    const first = await events(
      board,
      '/api/v1/events',
      (all) => all.includes('one more'),
      async () => appendFileSync(log, 'one more\n'),
    );
    appendFileSync(log, 'two more\nthree more\n');
    const resumed = await events(board, '/api/v1/events', (all) => all.includes('three'), undefined, {
      'last-event-id': lastId(first),
    });
    expect(resumed).not.toContain('one more');
    expect(resumed).toMatch(/"two more"[^]*"three more"/u);
    const lost = await events(board, '/api/v1/events', (all) => all.includes('event: log'), undefined, {
      'last-event-id': '1-2',
    });
    expect(lost).toContain('"restarted":true');
  });

  test('a place stays known when the dashboard is started anew', async () => {
    const at = await afterOnePass();
    const log = join(at.folder, '.agent-dispatcher.log');
    const one = await startDashboard(at);
    const seen = await events(
      one,
      '/api/v1/events',
      (all) => all.includes('here'),
      async () => appendFileSync(log, 'here\n'),
    );
    one.child.kill('SIGKILL');
    appendFileSync(log, 'meanwhile\n');
    const two = await startDashboard(at);
    const resumed = await events(two, `/api/v1/events?since=${lastId(seen)}`, (all) => all.includes('meanwhile'));
    expect(resumed).toMatch(/"restarted":false,"lines":\[\{[^\]]*"meanwhile"/u);
  });

  test('follows the log through rotation and truncation', async () => {
    const at = await afterOnePass();
    const board = await startDashboard(at);
    const log = join(at.folder, '.agent-dispatcher.log');
    const text = await events(
      board,
      '/api/v1/events',
      (all) => all.includes('after the cut') || all.includes('"restarted":true'),
      async () => {
        appendFileSync(log, 'last of the old\n');
        renameSync(log, `${log}.1`);
        appendFileSync(`${log}.1`, 'written while it was renamed\n');
        writeFileSync(log, 'first of the new\n');
        await pause(1000);
        truncateSync(log);
        await pause(1000);
        appendFileSync(log, 'after the cut\n');
      },
    );
    expect(text).toMatch(/last of the old[^]*written while it was renamed[^]*first of the new/u);
    expect(text.match(/written while it was renamed/gu)).toHaveLength(1);
    expect(text).toMatch(/after the cut|"restarted":true/u);
  });
});

describe('for monitoring', () => {
  test('healthz is 200 after a good pass, and 503 with the reason when the last one is long ago', async () => {
    const at = await afterOnePass();
    const board = await startDashboard(at);
    const good = await get(board, '/healthz');
    expect([good.status, await good.text()]).toEqual([200, expect.stringMatching(/^ok: last good pass \d+s ago\n$/u)]);
    const heartbeat = JSON.parse(at.read('.agent-dispatcher/last-pass.json'));
    at.write(
      '.agent-dispatcher/last-pass.json',
      JSON.stringify({ ...heartbeat, lastSuccessAt: '2026-01-01T00:00:00Z' }),
    );
    const bad = await get(board, '/healthz');
    expect([bad.status, await bad.text()]).toEqual([503, expect.stringMatching(/^last good pass \d+d ago\n$/u)]);
  });

  test('11.13 files that cannot even be looked at end neither it nor its event stream', async () => {
    const at = await afterOnePass();
    const board = await startDashboard(at);
    const stream = await fetch(`${board.url}/api/v1/events`);
    onTestFinished(async () => stream.body?.cancel());
    for (const name of ['.agent-dispatcher', '.agent-tasks', '.agent-dispatcher.log']) {
      renameSync(join(at.folder, name), join(at.folder, `${name}.away`));
      symlinkSync(name, join(at.folder, name)); // ELOOP, for root too
    }
    await pause(1500); // it looks a few times a second
    expect((await get(board, '/healthz')).status).toBe(503);
    for (const name of ['.agent-dispatcher', '.agent-tasks', '.agent-dispatcher.log']) {
      rmSync(join(at.folder, name));
      renameSync(join(at.folder, `${name}.away`), join(at.folder, name));
    }
    await pause(1500);
    expect((await get(board, '/healthz')).status).toBe(200);
    expect(board.child.exitCode).toBeNull();
  });

  test.skipIf(noFaketime() !== null)(
    'a machine sleeps for two days: a task that was taken before is stalled, as status says',
    async () => {
      const at = await workspace();
      addTask(at, 'hans/doing/issue-1.md');
      const clock = join(at.folder, 'clock');
      const shows = (ms: number): void =>
        writeFileSync(clock, new Date(ms).toISOString().slice(0, 19).replace('T', ' '));
      shows(Date.now());
      const { url } = await startDashboard(at, [], clockOf(clock));
      const stalled = async (): Promise<number> =>
        JSON.parse(await (await fetch(`${url}/api/v1/status`)).text()).counts.stalled;
      expect(await stalled()).toBe(0);
      shows(Date.now() + 2 * 86_400_000);
      expect(JSON.parse((await at.run(['status', '--json'], clockOf(clock))).stdout).counts.stalled).toBe(1);
      expect(await stalled()).toBe(1);
    },
  );

  test.skipIf(noFaketime() !== null)(
    'a clock that is put back an hour: the page is of the new time at once',
    async () => {
      const at = await workspace();
      const clock = join(at.folder, 'clock');
      const shows = (text: string): void => writeFileSync(clock, text);
      shows('2026-04-09 12:00:00');
      const { url } = await startDashboard(at, [], clockOf(clock));
      const now = async (path: string): Promise<string | undefined> =>
        /data-now="([^"]*)"/u.exec(await (await fetch(url + path)).text())?.[1];
      for (const path of ['/', '/history']) expect(await now(path)).toBe('2026-04-09T12:00:00.000Z');
      shows('2026-04-09 11:00:00');
      for (const path of ['/', '/history']) expect(await now(path)).toBe('2026-04-09T11:00:00.000Z');
    },
  );

  test('before any pass, and with a state from a newer version, it says so', async () => {
    const at = await workspace();
    const board = await startDashboard(at);
    expect([(await get(board, '/healthz')).status, (await get(board, '/')).status]).toEqual([503, 200]);
    mkdirSync(join(at.folder, '.agent-dispatcher'));
    at.write('.agent-dispatcher/state.json', '{"version":99}');
    const page = await get(board, '/');
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('written by a newer dispatcher')]);
    const api = await get(board, '/api/v1/status');
    expect([api.status, await api.json()]).toEqual([
      503,
      { error: { code: 'state_newer', message: expect.any(String), hint: expect.any(String) } },
    ]);
    expect((await get(board, '/metrics')).status).toBe(503);
  });

  test('metrics count what waits, what is dispatched, and all that ever was', async () => {
    const at = await afterOnePass();
    const board = await startDashboard(at);
    const response = await get(board, '/metrics');
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const text = await response.text();
    for (const line of [
      'dispatcher_health{OFFICE,state="ok"} 1',
      'dispatcher_consecutive_failures{OFFICE} 0',
      'dispatcher_waiting_tasks{OFFICE,agent="greta",priority="NORMAL"} 1',
      'dispatcher_dispatched_tasks{OFFICE,agent="hans",priority="CRITICAL"} 1',
      'dispatcher_dispatches_total{OFFICE,agent="hans",priority="CRITICAL"} 1',
      'dispatcher_wait_seconds_count{OFFICE,agent="hans",priority="CRITICAL"} 1',
    ])
      expect(text).toContain(`${line.replace('OFFICE', `office="${at.folder}"`)}\n`);
    expect(text).toMatch(/^dispatcher_last_success_timestamp_seconds\{.*\} 1\d{9}(?:\.\d+)?$/mu);
    const open = await get(board, '/metrics', { accept: 'application/openmetrics-text; version=1.0.0' });
    expect(open.headers.get('content-type')).toMatch(/^application\/openmetrics-text; version=1\.0\.0/u);
    expect(await open.text()).toMatch(/# EOF\n$/u);
  });
});
