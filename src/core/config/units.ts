// systemd units with the paths of this installation and this configuration, made from the ones in deploy/.

/** A unit file, ready to be written. */
export interface UnitFile {
  readonly name: string;
  readonly text: string;
}

export interface UnitFacts {
  readonly isUser: boolean;
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
  /** The file systemd reads the token from as a credential; null when the configuration names a file of its own. */
  readonly credential: string | null;
  readonly version: string;
}

const HEADER = '# Written by `dispatcher systemd install`';

/** Whether a unit file is one that we wrote, and may be replaced or removed by us. */
export function isOurs(text: string): boolean {
  return text.startsWith(HEADER);
}

/** Puts this installation's paths into the units as they ship. */
export function renderUnits(shipped: readonly UnitFile[], facts: UnitFacts): readonly UnitFile[] {
  return shipped.map(({ name, text }) => ({ name, text: rendered(text, facts) }));
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

function lineOf(line: string, { node, script, config, writable, runAs, credential }: UnitFacts): readonly string[] {
  const [, command] = /^ExecStart=\S+ \S+ (\w+)$/u.exec(line) ?? [];
  if (command !== undefined) return [`ExecStart=${[node, script, command, '--config', config].map(escaped).join(' ')}`];
  if (line.startsWith('ConditionPathExists=')) return [`ConditionPathExists=${config.replaceAll('%', '%%')}`];
  if (line.startsWith('Documentation=')) return [];
  if (line.startsWith('User=')) return [`User=${runAs}`];
  if (line.startsWith('ReadWritePaths=')) return writable.map((path) => `ReadWritePaths=-${escaped(path)}`);
  if (line.startsWith('LoadCredential=')) {
    return credential === null ? [] : [`LoadCredential=gitea-token:${credential.replaceAll('%', '%%')}`];
  }
  return [line];
}

// A path with a space or a percent sign must come out as one word and as itself.
function escaped(path: string): string {
  const text = path.replaceAll('%', '%%').replaceAll('\\', '\\\\').replaceAll('"', '\\"');
  return /[\s"'\\;]/u.test(path) ? `"${text}"` : text;
}
