// systemd units with the paths of this installation and this configuration, made from the ones in deploy/.

/** A unit file, ready to be written. */
export interface UnitFile {
  readonly name: string;
  readonly text: string;
}

/** A file that systemd hands over under a name. */
export interface Credential {
  readonly name: string;
  readonly file: string;
}

export interface UnitFacts {
  readonly isUser: boolean;
  /** What the units are called: `dispatcher`, or `dispatcher-NAME` for a further office. */
  readonly base: string;
  /** Absolute path of node. */
  readonly node: string;
  /** Absolute path of the script that node runs. */
  readonly script: string;
  /** Absolute path of the configuration. */
  readonly config: string;
  /** Folders that a pass writes in. */
  readonly writable: readonly string[];
  /** Who a system service runs as. */
  readonly runAs: string;
  /** What systemd reads for the service and hands over: a token of each server whose file the service's own user cannot read. */
  readonly credentials: readonly Credential[];
  /** Variables of the shell that the service needs as well, such as NODE_EXTRA_CA_CERTS. */
  readonly environment: Readonly<Record<string, string>>;
  readonly version: string;
}

const HEADER = '# Written by `dispatcher systemd install`';
const BASE = 'dispatcher';

/** What the units of an office are called; `null` is the one office of most machines. */
export function unitBase(name: string | null): string {
  return name === null ? BASE : `${BASE}-${name}`;
}

/** Whether units can be called so: short, plain, and not taken for the dashboard of another office. */
export function isOfficeName(name: string): boolean {
  return /^[a-z0-9][a-z0-9-]{0,40}$/u.test(name) && !/(?:^|-)dashboard$/u.test(name);
}

/** Whether a unit file is one that we wrote, and may be replaced or removed by us. */
export function isOurs(text: string): boolean {
  return text.startsWith(HEADER);
}

/**
 * The configuration that a service starts with; null when it names none. From the text of a unit, or from its command as
 * `systemctl show` tells it: words with single blanks between them, and nothing quoted.
 */
export function configOfCommand(command: string): string | null {
  const [, line] = /^ExecStart=(.*)$/mu.exec(command) ?? [];
  if (line === undefined) return / --config (.+)$/u.exec(command)?.[1]?.replaceAll('$$', '$') ?? null;
  const [, quotedPath, plain] = / --config (?:"((?:[^"\\]|\\.)*)"|(\S+))\s*$/u.exec(line) ?? [];
  const path = quotedPath?.replaceAll(/\\(.)/gu, '$1') ?? plain;
  return path?.replaceAll('%%', '%').replaceAll('$$', '$') ?? null;
}

/** The first path that no unit can name; null: each can be. A line break in one would be a directive of the unit. */
export function unnameable(facts: UnitFacts): string | null {
  const { node, script, config, writable, runAs, environment } = facts;
  const handedOver = facts.credentials.map(({ file }) => file);
  const broken = [node, script, config, ...writable, runAs, ...handedOver, ...Object.values(environment)].find((text) =>
    /\p{Cc}/u.test(text),
  );
  // In two lines systemd knows no quotes: a blank at the end would be cut off, a backslash there would join the next line.
  return broken ?? [config, ...handedOver].find((path) => /[\s\\]$/u.test(path)) ?? null;
}

/** Puts this installation's paths into the units as they ship. */
export function renderUnits(shipped: readonly UnitFile[], facts: UnitFacts): readonly UnitFile[] {
  return shipped.map(({ name, text }) => ({
    name: name.replace(BASE, facts.base),
    text: rendered(text, facts),
  }));
}

/**
 * A unit that runs another command once, exactly as the given unit would run its own: the same user, credentials and
 * sandbox. What it prints goes to a file. It never counts as failed.
 */
export function trialUnit(text: string, command: readonly string[], output: string): string {
  const own = /^(?:On(?:Failure|Success)|(?:Success|Failure)Action|Standard(?:Output|Error)|Exec\w+|Restart\w*)\s*=/u;
  const kept = text.replaceAll('\\\n', ' ').split('\n');
  return [
    ...kept.filter((line) => !own.test(line)),
    '[Service]',
    `ExecStart=-${command.map(escaped).join(' ')}`,
    `StandardOutput=file:${output.replaceAll('%', '%%')}`,
    'StandardError=inherit',
    '',
  ].join('\n');
}

function rendered(shipped: string, facts: UnitFacts): string {
  const { version, isUser } = facts;
  const head = `${HEADER} (dispatcher ${version}). It is written anew by the next one:\n# changes of your own belong into a drop-in: systemctl ${isUser ? '--user ' : ''}edit ...\n`;
  const body = shipped
    .split('\n')
    // What to adapt by hand is adapted.
    .filter(
      (line) =>
        !/^# (?:Adapt |The same for your own user|Copy to |loginctl |The token: |here as well|Absolute paths)/u.test(
          line,
        ),
    )
    .flatMap((line) => lineOf(line, facts))
    .join('\n');
  return head + body.replace(/^\n+/u, '\n');
}

function lineOf(line: string, facts: UnitFacts): readonly string[] {
  const { node, script, config, writable, runAs, credentials, environment } = facts;
  const [, command] = /^ExecStart=\S+ \S+ ([\w -]+)$/u.exec(line) ?? [];
  if (command !== undefined) {
    return [
      ...Object.entries(environment).map(([name, value]) => `Environment=${quoted(`${name}=${value}`)}`),
      `ExecStart=${[node, script, ...command.split(' '), '--config', config].map(escaped).join(' ')}`,
    ];
  }
  if (line.startsWith('ConditionPathExists=')) return [`ConditionPathExists=${config.replaceAll('%', '%%')}`];
  if (line.startsWith('Documentation=')) return [];
  if (line.startsWith('User=')) return [`User=${runAs}`];
  if (line.startsWith('ReadWritePaths=')) return writable.map((path) => `ReadWritePaths=-${quoted(path)}`);
  if (line.startsWith('LoadCredential='))
    return credentials.map(({ name, file }) => `LoadCredential=${name}:${file.replaceAll('%', '%%')}`);
  return [line];
}

// systemd replaces variables in commands, and nowhere else.
function escaped(word: string): string {
  return quoted(word.replaceAll('$', '$$$$'));
}

// A path with a space or a percent sign must come out as one word and as itself.
function quoted(path: string): string {
  const text = path.replaceAll('%', '%%').replaceAll('\\', '\\\\').replaceAll('"', '\\"');
  return /[\s"'\\;]/u.test(path) ? `"${text}"` : text;
}
