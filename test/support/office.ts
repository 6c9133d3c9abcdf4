import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { COMMAND, finished, NODE, RECORDING, type Workspace } from './command.ts';

// What the product and its remedies ask of systemctl, for units of the user, kept as files. The system has none.
const SYSTEMCTL = `#!/bin/sh
units="$XDG_CONFIG_HOME/systemd/user"
[ "$1" = --user ] && { user=1; shift; }
case "$1" in
  show)
    if [ -z "$user" ] || [ ! -e "$units/dispatcher.timer" ]; then printf 'LoadState=not-found\\n\\nLoadState=not-found\\n'; exit; fi
    [ -e "$units/.running" ] && active=active || active=inactive
    printf 'Id=dispatcher.timer\\nLoadState=loaded\\nUnitFileState=enabled\\nActiveState=%s\\n\\n' "$active"
    command=$(sed -n 's/^ExecStart=//p' "$units/dispatcher.service")
    account=$(cat "$units/.user" 2>/dev/null)
    printf 'Id=dispatcher.service\\nLoadState=loaded\\nResult=success\\nExecMainStatus=0\\nUser=%s\\nFragmentPath=%s\\nExecStart={ path=x ; argv[]=%s ; }\\n' "$account" "$units/dispatcher.service" "$command" ;;
  cat) cat "$units/$2" ;;
  start)
    file="$units/$2"; [ -e "$file" ] || file="$XDG_RUNTIME_DIR/systemd/user/$2"
    output=$(sed -n 's/^StandardOutput=file://p' "$file")
    sh -c "$(sed -n 's/^ExecStart=-\\{0,1\\}//p' "$file")" > "\${output:-/dev/null}" 2>&1 < /dev/null || [ -n "$output" ] ;;
  enable) touch "$units/.running" ;;
  disable) rm -f "$units/.running" ;;
esac
`;

/** A workspace whose PATH has the built command, a systemctl that keeps units of the user, and a sudo that just runs. */
export function furnish(at: Workspace): { readonly environment: Readonly<Record<string, string>> } {
  const bin = join(at.folder, 'bin');
  mkdirSync(bin);
  mkdirSync(join(at.folder, 'tmp'));
  mkdirSync(join(at.folder, 'run'));
  const programs = {
    systemctl: SYSTEMCTL,
    sudo: '#!/bin/sh\nexec "$@"\n',
    dispatcher: `#!/bin/sh\nexec '${NODE}' '${COMMAND}' "$@"\n`,
  };
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(join(bin, name), text);
    chmodSync(join(bin, name), 0o755);
  }
  return {
    environment: {
      PATH: `${bin}:${process.env['PATH']}`,
      XDG_CONFIG_HOME: join(at.folder, '.config'),
      XDG_RUNTIME_DIR: join(at.folder, 'run'),
      // Not below the folder for temporary files, from where nothing is installed.
      TMPDIR: join(at.folder, 'tmp'),
    },
  };
}

/** Types a remedy as it was printed, up to its explanation in brackets. Throws when it fails. */
export async function typed(
  at: Workspace,
  remedy: string,
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  const [command = ''] = remedy.split(/ +\(|; /u);
  const child = spawn('sh', ['-c', command], {
    cwd: at.folder,
    env: { HOME: at.folder, USER: 'root', ...RECORDING, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { code, stderr } = await finished(child);
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${stderr}`);
}
