// Set-ups that are broken in the usual ways: what doctor, a pass and status say, and that doing what is printed behind
// "fix:" heals it. A remedy that is a command is typed as it was printed; one in words is done by `heal`.

import {
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Workspace, workspace } from '../support/command.ts';
import { furnish, typed } from '../support/office.ts';

interface Situation {
  readonly at: Workspace;
  /** May be changed by what breaks or heals it. */
  environment: Record<string, string>;
  readonly scopes: string[];
  readonly clock: { offsetMs: number };
  readonly dispatcher: (...args: readonly string[]) => Promise<{ code: number | null; stdout: string; stderr: string }>;
}

interface Broken {
  readonly trouble: string;
  readonly breaks: (situation: Situation) => unknown;
  /** The line of doctor. */
  readonly doctor: RegExp;
  /** What the next pass answers and says. */
  readonly pass: readonly [code: number, says: RegExp];
  readonly status: RegExp;
  /** What the printed remedy says, done by hand. Without it the remedy is a command, and typed. */
  readonly heal?: (situation: Situation) => unknown;
  readonly needsRoot?: boolean;
}

const YAML =
  'gitea: { url: URL, repositories: [acme/app, acme/api], tokenFile: token }\nagents: { hans: {} }\nrateLimit: 1s\n';
const isRoot = process.getuid?.() === 0;

function edit(file: string, from: string | RegExp, to: string): (situation: Situation) => void {
  return ({ at }) =>
    writeFileSync(join(at.folder, file), readFileSync(join(at.folder, file), 'utf8').replace(from, to));
}
const dispatched: readonly [number, RegExp] = [0, /DISPATCHED: hans/u];
const unit = '.config/systemd/user/dispatcher.service';

const TABLE: readonly Broken[] = [
  {
    trouble: 'a wrong address',
    breaks: edit('dispatcher.yaml', /127\.0\.0\.1:\d+/u, '127.0.0.1:9'),
    doctor: /✖ server +failed: .*127\.0\.0\.1:9.*\n {4}fix: .*gitea\.url/u,
    pass: [75, /fix: .*gitea\.url/u],
    status: /✖ failing: .*fix: .*gitea\.url/su,
    heal: ({ at }) => edit('dispatcher.yaml', 'http://127.0.0.1:9', at.gitea.url)({ at } as Situation),
  },
  {
    trouble: 'a path prefix that the server does not have',
    breaks: ({ at }) => edit('dispatcher.yaml', at.gitea.url, `${at.gitea.url}/git`)({ at } as Situation),
    doctor: /✖ server +failed: .*where JSON was expected\n {4}fix: check gitea\.url and its path prefix/u,
    pass: [75, /fix: check gitea\.url and its path prefix/u],
    status: /✖ failing: .*fix: check gitea\.url and its path prefix/su,
    heal: edit('dispatcher.yaml', '/git,', ','),
  },
  {
    trouble: 'a token that was revoked',
    breaks: ({ at }) => at.write('token', 'revoked'),
    doctor: /✖ server +failed: Gitea refused the token \(401\).*\n {4}fix: the token came from .*token .*create one/u,
    pass: [4, /refused the token \(401\)[^]*fix: /u],
    status: /✖ failing: .*401.*fix: .*create one with scope read:issue/su,
    heal: ({ at }) => at.write('token', at.gitea.token),
  },
  {
    trouble: 'a token with too small a scope',
    breaks: ({ scopes }) => scopes.splice(0, 9, 'read:repository'),
    doctor: /✖ server +failed: .*\(403\)\n {4}fix: .*needs the scope read:issue/u,
    pass: [4, /fix: .*needs the scope read:issue/u],
    status: /✖ failing: .*fix: .*needs the scope read:issue/su,
    heal: ({ scopes }) => scopes.splice(0, 9, 'read:issue'),
  },
  {
    trouble: 'a token file that is gone',
    breaks: ({ at }) => unlinkSync(join(at.folder, 'token')),
    doctor:
      /✖ token +failed: the token file cannot be read.*\n {4}fix: .*create the file with the token as its only line/u,
    pass: [4, /fix: .*create the file with the token as its only line/u],
    status: /✖ failing: .*fix: .*create the file/su,
    heal: ({ at }) => writeFileSync(join(at.folder, 'token'), at.gitea.token, { mode: 0o600 }),
  },
  {
    trouble: 'a token file that is empty',
    breaks: ({ at }) => at.write('token', ''),
    doctor: /✖ token +failed: the token from .* is empty\n {4}fix: the file must hold the token and nothing else/u,
    pass: [4, /is empty\n +fix: the file must hold the token/u],
    status: /✖ failing: .*is empty\n +fix: the file must hold the token/su,
    heal: ({ at }) => at.write('token', at.gitea.token),
  },
  {
    trouble: 'metrics in a folder that is not there',
    breaks: edit('dispatcher.yaml', 'rateLimit', 'monitor: { metricsFile: nowhere/dispatcher.prom }\nrateLimit'),
    doctor: /✖ metrics +failed: .*nowhere is not there, so no pass can write .*\n {4}fix: mkdir -p it/u,
    pass: [0, /the metrics file could not be written/u],
    status: /● ok/u,
    heal: ({ at }) => mkdirSync(join(at.folder, 'nowhere')),
  },
  {
    trouble: 'an authority of its own whose file is misspelt',
    breaks: edit('dispatcher.yaml', 'tokenFile: token', 'tokenFile: token, caFile: ca.pen'),
    doctor: /✖ \w+ +failed: .*caFile .*\n {4}fix: /u,
    pass: [78, /caFile [^]*fix: /u],
    status: /✖ failing: .*caFile.*fix: /su,
    heal: edit('dispatcher.yaml', ', caFile: ca.pen', ''),
  },
  {
    trouble: 'a token file that everybody can read',
    breaks: ({ at }) => chmodSync(join(at.folder, 'token'), 0o644),
    doctor: /▲ token +warning: .*can be read by everybody.*\n {4}fix: (chmod 600 .*)\n/u,
    pass: [0, /can be read by everybody; run: chmod 600/u],
    status: /● ok/u,
  },
  {
    trouble: 'a repository that was renamed without a trace',
    breaks: edit('dispatcher.yaml', 'acme/api', 'acme/old-api'),
    doctor:
      /✖ repositories +failed: acme\/old-api cannot be read: misspelt, renamed.*\n {4}fix: check gitea\.repositories/u,
    pass: dispatched,
    status: /● ok/u,
    heal: edit('dispatcher.yaml', 'acme/old-api', 'acme/api'),
  },
  {
    trouble: 'issues that were switched off',
    breaks: ({ at }) => at.gitea.addRepository('acme/api', { hasIssues: false }),
    doctor: /✖ repositories +failed: acme\/api cannot be read: .*issues switched off.*\n {4}fix: /u,
    pass: dispatched,
    status: /● ok/u,
    heal: ({ at }) => at.gitea.addRepository('acme/api'),
  },
  {
    trouble: 'an agent that is misspelt',
    breaks: edit('dispatcher.yaml', 'hans: {}', 'hanz: {}'),
    doctor: /· agent +no open issue is assigned to hanz: .*check the spelling; assignees that are no agents: hans/u,
    pass: [0, /UNKNOWN AGENT: assigned, but not among the configured agents: hans/u],
    status: /● ok: .*nothing to dispatch: unknown_agent 1/u,
    heal: edit('dispatcher.yaml', 'hanz: {}', 'hans: {}'),
  },
  {
    trouble: 'a key that is misspelt',
    breaks: edit('dispatcher.yaml', 'rateLimit', 'ratelimit'),
    doctor: /✖ configuration +failed: .*\n.*dispatcher\.yaml:3:1: unknown key ratelimit \(did you mean rateLimit\?\)/u,
    pass: [78, /did you mean rateLimit\?/u],
    status: /did you mean rateLimit\?/u,
    heal: edit('dispatcher.yaml', 'ratelimit', 'rateLimit'),
  },
  {
    trouble: "a link in the place of an agent's done/",
    breaks: ({ at }) => {
      mkdirSync(join(at.folder, '.agent-tasks/hans'), { recursive: true });
      rmSync(join(at.folder, '.agent-tasks/hans/done'), { recursive: true, force: true });
      symlinkSync('/', join(at.folder, '.agent-tasks/hans/done'));
    },
    doctor:
      /✖ agent folders +failed: nothing is dispatched to hans \(folder_unusable\): \S+done is not a folder.*\n {4}fix: look at what it is, and move it away: (mv \S+ \S+)\n/u,
    pass: [0, /WARNING: nothing is dispatched to hans: \S+done is not a folder.*: mv /u],
    status: /● ok: .*folder_unusable 1/u,
  },
  {
    trouble: "an agent's folder that holds a build",
    breaks: ({ at }) => {
      mkdirSync(join(at.folder, '.agent-tasks/hans/build'), { recursive: true });
      for (let number = 0; number < 10_050; number += 1) at.write(`.agent-tasks/hans/build/${number}.o`, '');
    },
    doctor: /✖ agent folders +failed: .*hold more than 10000 names\n {4}fix: .*move them out of its task folder/u,
    pass: [0, /nothing is dispatched to hans: .*hold more than 10000 names/u],
    status: /● ok: .*folder_unusable 1/u,
    heal: ({ at }) => renameSync(join(at.folder, '.agent-tasks/hans/build'), join(at.folder, 'build')),
  },
  {
    trouble: 'a template with an unknown variable',
    breaks: ({ at }) => (
      at.write('t.hbs', '{{issue.titel}}'),
      edit('dispatcher.yaml', 'rateLimit', 'tasks: { template: t.hbs }\nrateLimit')({ at } as Situation)
    ),
    doctor: /✖ template +failed: .*t\.hbs:1: unknown variable issue\.titel \(did you mean issue\.title\?\)/u,
    pass: [78, /did you mean issue\.title\?/u],
    status: /✖ failing: .*did you mean issue\.title\?/u,
    heal: edit('t.hbs', 'titel', 'title'),
  },
  {
    trouble: 'no timer',
    breaks: async ({ dispatcher, at }) => {
      rmSync(join(at.folder, '.config'), { recursive: true });
      await dispatcher();
    },
    doctor:
      /✖ timer +failed: not installed.*\n {4}fix: .*for your own user: (dispatcher systemd install --user --now)\)/u,
    pass: [0, /^$/u],
    status: /● ok/u,
  },
  {
    trouble: 'a timer that was stopped',
    breaks: ({ at }) => unlinkSync(join(at.folder, '.config/systemd/user/.running')),
    doctor:
      /✖ timer +failed: the timer of the user is stopped\n {4}fix: (systemctl --user enable --now dispatcher\.timer)\n/u,
    pass: dispatched,
    status: /● ok/u,
  },
  {
    trouble: 'a unit that points at a removed Node',
    breaks: edit(unit, /^ExecStart=\S+/mu, 'ExecStart=/opt/node-18/bin/node'),
    doctor:
      /✖ unit +failed: the unit starts \/opt\/node-18\/bin\/node, which does not exist\n {4}fix: (dispatcher systemd install --user) /u,
    pass: dispatched,
    status: /● ok/u,
  },
  {
    trouble: 'a unit of another installation',
    breaks: ({ at }) => {
      at.write('other.js', '');
      edit(unit, /^(ExecStart=\S+) \S+/mu, `$1 ${join(at.folder, 'other.js')}`)({ at } as Situation);
    },
    doctor:
      /▲ unit +warning: the unit starts another installation: .*other\.js\n {4}fix: (dispatcher systemd install --user) /u,
    pass: dispatched,
    status: /● ok/u,
  },
  {
    trouble: 'a folder that belongs to root, and a service of another user',
    needsRoot: true,
    breaks: ({ at }) =>
      // Others get in, but may not write.
      (
        chmodSync(at.folder, 0o755),
        writeFileSync(join(at.folder, '.config/systemd/user/.user'), 'nobody'),
        mkdirSync(join(at.folder, '.agent-tasks'), { recursive: true })
      ),
    doctor: /✖ task folder +failed: nobody may not write .*\n {4}fix: sudo chown -R nobody \S+\n/u,
    pass: dispatched,
    status: /● ok/u,
    heal: async ({ at, environment, dispatcher }) => {
      for (const [, remedy = ''] of (await dispatcher('doctor')).stdout.matchAll(/fix: (sudo chown .*)/gu)) {
        await typed(at, remedy, environment);
      }
    },
  },
  {
    trouble: 'a clock that is an hour off',
    breaks: ({ clock }) => (clock.offsetMs = 3_600_000),
    doctor:
      /▲ clock +warning: this machine is (?:1h|60m|59m)\S* behind the server\n {4}fix: sudo timedatectl set-ntp true/u,
    pass: dispatched,
    status: /● ok/u,
    heal: ({ clock }) => (clock.offsetMs = 0),
  },
  {
    trouble: 'a pause that was forgotten',
    breaks: async ({ dispatcher }) => dispatcher('pause', '--reason', 'holidays'),
    doctor: /▲ pause +warning: .*holidays.*\n {4}fix: (dispatcher resume)\n/u,
    pass: [0, /^$/u],
    status: /‖ paused.*holidays\n +fix: dispatcher resume/u,
  },
  {
    trouble: 'a state file that is broken',
    breaks: async ({ at, dispatcher }) => {
      await dispatcher();
      at.write('.agent-dispatcher/state.json', '{"vers');
    },
    doctor: /▲ state +warning: the state file is unreadable.*\n {4}fix: (dispatcher)\n/u,
    pass: [0, /state file/u],
    status: /● ok/u,
  },
  {
    trouble: 'a state file of a newer version',
    breaks: ({ at }) => at.write('.agent-dispatcher/state.json', '{"version":9}'),
    doctor: /✖ state +failed: .*newer dispatcher.*\n {4}fix: install that version again, or move the state file away/u,
    pass: [1, /move the state file away/u],
    status: /newer dispatcher/u,
    heal: ({ at }) =>
      renameSync(join(at.folder, '.agent-dispatcher/state.json'), join(at.folder, '.agent-dispatcher/state.json.new')),
  },
  {
    trouble: 'a log that cannot be written',
    breaks: ({ at }) => mkdirSync(join(at.folder, '.agent-dispatcher.log')),
    doctor: /✖ log +failed: .*\.agent-dispatcher\.log is there, and is no file\n {4}fix: (mv .*)\n/u,
    pass: [0, /log/u],
    status: /● ok/u,
  },
  {
    trouble: 'a receipt whose label is not there',
    breaks: (made) => (
      made.scopes.splice(0, 9, 'write:issue'),
      edit('dispatcher.yaml', 'rateLimit', 'receipt: { label: Dispatched }\nrateLimit')(made)
    ),
    doctor:
      /✖ receipt +failed: acme\/app has no label "Dispatched"\n {4}fix: make that label there.*or mend receipt\.label/u,
    pass: dispatched,
    status: /● ok/u,
    heal: edit('dispatcher.yaml', 'receipt: { label: Dispatched }\n', ''),
  },
  {
    trouble: 'a receipt that the token may not leave',
    breaks: edit('dispatcher.yaml', 'rateLimit', 'receipt: { comment: true }\nrateLimit'),
    doctor: /✖ receipt +failed: the token may not write to issues\n {4}fix: make a token with the scope write:issue/u,
    pass: dispatched,
    status: /● ok/u,
    heal: ({ scopes }) => scopes.splice(0, 9, 'write:issue'),
  },
  {
    trouble: 'a program to wake that cannot be executed',
    breaks: (made) => (
      writeFileSync(join(made.at.folder, 'wake'), '#!/bin/sh\n', { mode: 0o644 }),
      edit(
        'dispatcher.yaml',
        'rateLimit',
        `onDispatch: { command: [${join(made.at.folder, 'wake')}] }\nrateLimit`,
      )(made)
    ),
    doctor: /✖ onDispatch +failed: .*wake is not there, or cannot be executed\n {4}fix: (chmod \+x .*?); /u,
    pass: dispatched,
    status: /● ok/u,
  },
  {
    trouble: 'a hold label on everything',
    breaks: ({ at }) => (
      edit('dispatcher.yaml', 'rateLimit', 'holdLabels: [later]\nrateLimit')({ at } as Situation),
      at.gitea.editIssue('acme/app#1', { labels: ['later'] })
    ),
    doctor: /✔ agent +hans has open issues/u,
    pass: [0, /^$/u],
    status: /● ok: .*nothing to dispatch: held 1/u,
    heal: ({ at }) => at.gitea.editIssue('acme/app#1', { labels: [] }),
  },
];

async function situation(): Promise<Situation> {
  const scopes = ['read:issue'];
  const clock = { offsetMs: 0 };
  const at = await workspace({ yaml: YAML, scopes, now: () => new Date(Date.now() + clock.offsetMs) });
  writeFileSync(join(at.folder, 'token'), at.gitea.token, { mode: 0o600 });
  for (const name of ['acme/app', 'acme/api']) at.gitea.addRepository(name);
  const environment = { ...furnish(at).environment, GITEA_TOKEN: '' };
  const made: Situation = {
    at,
    environment,
    scopes,
    clock,
    dispatcher: async (...args) => at.run(args, made.environment),
  };
  await typed(at, 'dispatcher systemd install --user --now', made.environment);
  // After the pass that the installation proves itself by.
  at.gitea.addIssue({ repository: 'acme/app', number: 1, title: 'First', assignees: ['hans'] });
  return made;
}

describe('a broken set-up is told by doctor, pass and status, and healed by what they print', () => {
  test('there are at least twenty', () => expect(TABLE.length).toBeGreaterThanOrEqual(20));

  test('before it is broken, all is well', async () => {
    const { dispatcher } = await situation();
    expect(await dispatcher('doctor')).toMatchObject({ code: 0, stdout: expect.not.stringMatching(/^[✖▲]/mu) });
  });

  test.for(TABLE)('$trouble', async ({ breaks, doctor, pass: [code, says], status, heal, needsRoot }, { skip }) => {
    if (needsRoot && !isRoot) skip('it takes root to make a folder that is another one’s');
    const made = await situation();
    const { at, dispatcher } = made;
    await breaks(made);
    const report = await dispatcher('doctor');
    expect(report.stdout).toMatch(doctor);
    expect(report.code).toBe(doctor.source.startsWith('✖') ? 1 : 0);

    const passed = await dispatcher();
    expect({ code: passed.code, said: passed.stdout + passed.stderr }).toEqual({
      code,
      said: expect.stringMatching(says),
    });
    expect((await dispatcher('status')).stderr).toMatch(status);

    const remedy = doctor.exec(report.stdout)?.[1];
    if (heal) await heal(made);
    else await typed(at, remedy ?? 'false', made.environment);
    expect(await dispatcher('doctor')).toMatchObject({
      code: 0,
      stdout: expect.not.stringMatching(/^(?:✖|▲ (?!last pass .*; nothing of that is found now))/mu),
    });
    // Eligible again, or gone already.
    await dispatcher();
    expect(await dispatcher('doctor')).toMatchObject({ code: 0, stdout: expect.not.stringMatching(/^[✖▲]/mu) });
    expect(at.tasks()).toContain('.agent-tasks/hans/acme/app/issue-1.md');
  });
});
