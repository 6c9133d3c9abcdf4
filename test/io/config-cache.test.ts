import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { loadKnownConfig } from '../../src/io/config-cache.ts';

const YAML = 'gitea: { url: "https://git.example.com", repositories: [a/b] }\n';

interface Place {
  readonly file: string;
  readonly cache: string;
  readonly load: () => ReturnType<typeof loadKnownConfig>;
  /** The one file of the cache. */
  readonly kept: () => string;
}

/** A configuration that was read once, long enough ago to be remembered. */
async function place(yaml = YAML): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'dispatcher-known-'));
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 });
  onTestFinished(() => {
    vi.useRealTimers();
    rmSync(folder, { recursive: true, force: true });
  });
  const file = join(folder, 'dispatcher.yaml');
  const cache = join(folder, 'cache/agent-dispatcher');
  writeFileSync(file, yaml);
  const load = async () =>
    loadKnownConfig(
      undefined,
      { environment: { HOME: folder, XDG_CACHE_HOME: join(folder, 'cache') }, cwd: folder },
      Date.now,
    );
  await load();
  return { file, cache, load, kept: () => join(cache, readdirSync(cache)[0] ?? 'none') };
}

/** Says something else in the cache than in the file: whoever reads the cache shows it. */
function mark({ kept }: Place): void {
  writeFileSync(kept(), readFileSync(kept(), 'utf8').replace('git.example.com', 'cached.example.com'));
}

const FROM_FILE = 'https://git.example.com';
const FROM_CACHE = 'https://cached.example.com';

test('a file that has not changed is not read again', async () => {
  const here = await place();
  mark(here);
  expect((await here.load()).servers[0].url).toBe(FROM_CACHE);
});

test('what comes from the cache is what the file says', async () => {
  const { file, load, cache } = await place();
  writeFileSync(
    file,
    `${YAML}agents: { Hans: { maxTasks: 2 }, greta: }\nrateLimit: 5m\npriority: { labels: { Sev/1: critical } }\n`,
  );
  const parsed = await load();
  expect(readdirSync(cache)).toHaveLength(1);
  const known = await load();
  expect(known).toEqual(parsed);
  expect([...(known.agents?.keys() ?? [])]).toEqual(['hans', 'greta']);
});

test.for<[string, (here: Place) => void]>([
  ['is another one', ({ file }) => writeFileSync(file, `${YAML}rateLimit: 5m\n`)],
  [
    'has as many letters and the same time of change',
    ({ file }) => {
      writeFileSync(file, YAML.replace('a/b', 'a/c'));
      utimesSync(file, new Date(0), new Date(0));
    },
  ],
  [
    'was replaced',
    ({ file }) => {
      writeFileSync(`${file}.new`, YAML);
      renameSync(`${file}.new`, file);
    },
  ],
])('a file that %s is read', async ([, change]) => {
  const here = await place();
  mark(here);
  change(here);
  expect((await here.load()).servers[0].url).toBe(FROM_FILE);
});

test('a mistake is said at once, and again, and the mended file counts at once', async () => {
  const { file, load } = await place();
  writeFileSync(file, `${YAML}ratelimit: 5m\n`);
  for (let round = 0; round < 2; round += 1)
    await expect(load()).rejects.toThrow(/dispatcher\.yaml:2:1: unknown key ratelimit \(did you mean rateLimit\?\)/u);
  rmSync(file);
  await expect(load()).rejects.toThrow('no configuration');
  writeFileSync(file, `${YAML}rateLimit: 5m\n`);
  expect((await load()).rateLimitMs).toBe(300_000);
});

test.for<[string, (here: Place) => void]>([
  ['that others may write', ({ kept }) => chmodSync(kept(), 0o620)],
  ['in a folder that others may write', ({ cache }) => chmodSync(cache, 0o770)],
  [
    'that is a link',
    (here) => {
      const path = here.kept();
      renameSync(path, join(here.cache, '../elsewhere'));
      symlinkSync(join(here.cache, '../elsewhere'), path);
    },
  ],
  ['that is cut', ({ kept }) => truncateSync(kept(), 100)],
  ['that is empty', ({ kept }) => truncateSync(kept(), 0)],
  ['that is of another form', ({ kept }) => writeFileSync(kept(), '{"stamp":1,"raw":{"gitea":"x"}}')],
  [
    'that is a folder',
    ({ kept }) => {
      const path = kept();
      rmSync(path);
      mkdirSync(path);
    },
  ],
])('a cache %s is not believed', async ([, spoil]) => {
  const here = await place();
  mark(here);
  spoil(here);
  expect((await here.load()).servers[0].url).toBe(FROM_FILE);
});

test('a cache of somebody else is not believed', async ({ skip }) => {
  skip(process.getuid?.() !== 0, 'only root gives files away');
  const here = await place();
  mark(here);
  chownSync(here.kept(), 12_345, 12_345);
  expect((await here.load()).servers[0].url).toBe(FROM_FILE);
});

test('a file that was changed a moment ago is not remembered: it may change once more within the same tick', async () => {
  const { file, load, cache, kept } = await place();
  rmSync(kept());
  vi.useRealTimers();
  writeFileSync(file, YAML);
  await load();
  expect(readdirSync(cache)).toEqual([]);
});

test('without a folder to keep it in, it is read each time', async () => {
  const { file } = await place();
  const cwd = join(file, '..');
  for (const environment of [{}, { HOME: '/proc/none' }, { XDG_CACHE_HOME: 'relative' }])
    expect((await loadKnownConfig(undefined, { environment, cwd }, Date.now)).servers[0].url).toBe(FROM_FILE);
});

test('a list of servers comes from the cache as it is in the file', async () => {
  const here = await place(
    'gitea:\n  - { name: team, url: https://git.example.com, repositories: [a/b] }\n  - { name: home, url: https://x.org, repositories: [a/b] }\n',
  );
  mark(here);
  expect((await here.load()).servers).toMatchObject([
    { name: 'team', url: FROM_CACHE },
    { name: 'home', url: 'https://x.org' },
  ]);
});
