import type { Config } from '../core/config/config.ts';
import type { Finding } from '../core/health/finding.ts';
import { shellWord } from '../core/shell-word.ts';
import type { Place } from '../io/places.ts';

const ROOM_BYTES = 50 * 1024 * 1024;

/** Whose rights are looked at; `account` null: those of whoever asks, who is called `userName`. */
interface Subject {
  readonly account: string | null;
  readonly userName: string;
}

/** Whether a user may write where a pass writes, and has room. */
export function* placeFindings(
  lookAt: (path: string, account: string | null) => Place,
  config: Config,
  subject: Subject,
): Generator<Finding> {
  const { tasksDirectory, stateDirectory, logFile, monitor } = config;
  const wanted = [
    ['task folder', tasksDirectory, 'folder'],
    ['state folder', stateDirectory, 'folder'],
    ['log', logFile, 'file'],
    ['journal', `${stateDirectory}/dispatches.jsonl`, 'file'],
    ...(monitor.metricsFile === null ? [] : [['metrics', monitor.metricsFile, 'file'] as const]),
  ] as const;
  for (const [check, path, kind] of wanted) {
    const place = lookAt(path, subject.account);
    const who = subject.account ?? 'this user';
    const trouble = troubleOf(place, path, kind, subject) ?? (check === 'metrics' ? withoutFolder(place, path) : null);
    if (trouble !== null) yield { check, status: 'failed', ...trouble };
    else if (check !== 'journal') yield { check, status: 'ok', message: `${path}, ${who} may write there`, fix: null };
  }
}

// The others are made; this folder is node_exporter's, and one that is misspelt would be read by nobody.
function withoutFolder(
  { existing, kind }: Place,
  path: string,
): { readonly message: string; readonly fix: string } | null {
  const folder = path.replace(/\/[^/]*$/u, '') || '/';
  if (kind !== null || existing === folder) return null;
  return {
    message: `${folder} is not there, so no pass can write ${path}`,
    fix: "mkdir -p it, or give monitor.metricsFile a name in node_exporter's textfile folder",
  };
}

function troubleOf(
  { existing, isWritable, freeBytes, kind: found, closed }: Place,
  path: string,
  kind: Place['kind'],
  { account, userName }: Subject,
): { readonly message: string; readonly fix: string } | null {
  const who = account ?? 'this user';
  if (closed !== null) {
    return {
      message: `${who} cannot get into ${closed}, where ${path} lies`,
      fix: 'sudo dispatcher systemd install   (says where to move it, and does it when it may)',
    };
  }
  if (found !== null && found !== kind) {
    return { message: `${path} is there, and is no ${kind}`, fix: `mv ${shellWord(path)} ${shellWord(`${path}.old`)}` };
  }
  if (!isWritable) {
    // By name: a user without one, as in a container, has no $USER either.
    const fix = `sudo chown -R ${shellWord(account ?? userName)} ${shellWord(existing)}`;
    return { message: `${who} may not write ${existing}`, fix };
  }
  if (freeBytes < ROOM_BYTES) {
    const free = Math.round(freeBytes / 1024 / 1024);
    return { message: `${existing} has ${free} MB left`, fix: `make room: df -h ${shellWord(existing)}` };
  }
  return null;
}
