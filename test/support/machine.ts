import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

/** Where the built package is inside the machine. */
export const INSTALLED = '/opt/agent-dispatcher';

// All mounts are the script's own, and are gone with it, however it ends.
const BOOT = `set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1/up" "$1/work" "$1/root" /run/systemd 2>/dev/null || true
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/up,workdir=$1/work" "$1/root"
mkdir -p /run/systemd/nspawn
mount -t tmpfs tmpfs /run/systemd/nspawn
cat > "$1/root/etc/systemd/system/session.target" <<END
[Unit]
Requires=session.service basic.target
After=basic.target
AllowIsolate=yes
END
cat > "$1/root/etc/systemd/system/session.service" <<END
[Unit]
After=basic.target
SuccessAction=exit-force
FailureAction=exit-force
[Service]
Type=oneshot
ExecStart=/bin/sh /srv/office/session.sh
StandardOutput=file:/srv/office/session.log
StandardError=inherit
Environment=HOME=/root
TimeoutStartSec=$2
END
shift 2
cd /
exec systemd-nspawn --quiet --boot --register=no --keep-unit --console=pipe "$@" systemd.unit=session.target
`;

/** Why no machine can be booted here; null when one can. */
export async function noMachine(): Promise<string | null> {
  if (process.getuid?.() !== 0) return 'only root may boot one';
  if (spawnSync('systemd-nspawn', ['--version']).status !== 0) return 'systemd-nspawn (systemd-container) is missing';
  const folder = mkdtempSync(join(tmpdir(), 'dispatcher-machine-'));
  try {
    const printed = await bootOnce(folder, 'echo booted', 30);
    return printed.includes('booted') ? null : 'systemd does not boot in a container here';
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * Boots a systemd of its own over a throw-away copy of this machine, runs a shell script in it as root, and answers what
 * that printed. The folder is /srv/office in there, and the network is the one of this machine.
 */
export async function bootOnce(folder: string, script: string, seconds: number): Promise<string> {
  const scratch = mkdtempSync(join(tmpdir(), 'dispatcher-machine-'));
  writeFileSync(join(folder, 'session.sh'), script);
  const binds = [`--directory=${scratch}/root`, `--bind=${folder}:/srv/office`, `--bind-ro=${REPOSITORY}:${INSTALLED}`];
  // A session that failed ends the machine with an error; what it printed tells more.
  await new Promise<void>((resolve) => {
    execFile(
      'unshare',
      ['--mount', '--propagation', 'private', 'sh', '-c', BOOT, 'boot', scratch, String(seconds), ...binds],
      { timeout: (seconds + 30) * 1000 },
      () => resolve(),
    );
  });
  try {
    return readFileSync(join(folder, 'session.log'), 'utf8');
  } catch {
    return '';
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * Shell that types commands as people do, each after a `$`, and says how each ended. The command is installed for the whole
 * machine, as `npm install -g` would.
 */
export const TYPING = `
ln -s ${process.execPath} /usr/local/bin/node 2>/dev/null
ln -s ${INSTALLED}/bin/dispatcher.js /usr/local/bin/dispatcher
export PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
typed() { printf '\\n$ %s\\n' "$1"; eval "$1" < /dev/null 2>&1; printf '[%s]\\n' $?; }
mark() { echo "== $*"; }
# Until a command succeeds.
until_so() { for i in $(seq "$1"); do eval "$2" && return; sleep 1; done; echo "never: $2"; }
`;

/** What a session printed, by the marks in it. */
export function parts(printed: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    printed.split(/^== /mu).map((text) => [text.split('\n', 1)[0] ?? '', text.split('\n').slice(1).join('\n')]),
  );
}
