/** What a check of `doctor` found. Only `failed` makes the command exit 1. */
export interface Finding {
  /** What was looked at, in a word or two. */
  readonly check: string;
  readonly status: 'ok' | 'note' | 'warning' | 'failed' | 'skipped';
  readonly message: string;
  /** What to type or change; a failed one always has it. */
  readonly fix: string | null;
}
