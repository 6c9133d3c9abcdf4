/** Exit codes of the command, as README and `dispatcher help` list them. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  unhealthy: 3,
  token: 4,
  refused: 5,
  noTask: 6,
  unavailable: 75,
  invalid: 78,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

interface UserErrorOptions {
  readonly exitCode: ExitCode;
  /** Stable machine-readable name, shown in `status --json`. */
  readonly code: string;
  /** What to type or change to mend it. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** A failure that the user can understand and mend: printed without a stack trace, with its hint and exit code. */
export class UserError extends Error {
  readonly exitCode: ExitCode;
  readonly code: string;
  readonly hint: string | undefined;

  /** The other bundles have this class as well: what they throw is told by what it is. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === 'UserError' && 'exitCode' in value;
  }

  constructor(message: string, options: UserErrorOptions) {
    super(message, { cause: options.cause });
    this.name = 'UserError';
    this.exitCode = options.exitCode;
    this.code = options.code;
    this.hint = options.hint;
  }
}

/** The system's error code (`ENOENT`, `EACCES`, ...) of something thrown by Node, or an empty string. */
export function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** Whether the system refused it to this user. */
export function lacksRights(error: unknown): boolean {
  return ['EACCES', 'EPERM'].includes(systemCode(error));
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const IN_THE_WAY = 'something else stands in its place: look at what it is, and move it away';

const SYSTEM_HINTS: Readonly<Record<string, string>> = {
  EEXIST: IN_THE_WAY,
  EISDIR: IN_THE_WAY,
  ELOOP: IN_THE_WAY,
  ENOTDIR: IN_THE_WAY,
  ENOSPC: 'the disk is full: make room',
  EDQUOT: 'the disk quota is used up: make room',
  // libuv has no name for EDQUOT.
  'Unknown system error -122': 'the disk quota is used up: make room',
  EIO: 'the disk has failed to read or write: look for its errors with dmesg, and check the file system',
  EACCES: 'let this user write there, or run the command as the user the timer runs as',
  EPERM: 'let this user write there, or run the command as the user the timer runs as',
  EROFS: 'the file system is read-only; in a systemd unit, name the folder in ReadWritePaths=',
  EMFILE: 'too many files are open: raise the limit (ulimit -n, LimitNOFILE=)',
};

/** The exit code for what was thrown. */
export function exitCodeOf(error: unknown): ExitCode {
  return error instanceof UserError ? error.exitCode : EXIT.failure;
}

/** How to mend what was thrown, when that is known. */
export function hintOf(error: unknown): string | null {
  return error instanceof UserError ? (error.hint ?? null) : (SYSTEM_HINTS[systemCode(error)] ?? null);
}

/** An error as records and JSON carry it. */
export interface ErrorRecord {
  /** Stable machine-readable name. */
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
}

/** What was thrown, as a record. */
export function errorRecord(error: unknown): ErrorRecord {
  const code = error instanceof UserError ? error.code : systemCode(error).toLowerCase() || 'unexpected';
  return { code, message: messageOf(error), hint: hintOf(error) };
}
