interface Terminal {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdout: { readonly isTTY: boolean; readonly columns: number | undefined };
}

const UNLIMITED = 10_000;

/**
 * Cells per line: the terminal's, else `$COLUMNS`, else 80; in a pipe nothing needs to fit. A pseudo-terminal may report 0,
 * which says nothing.
 */
export function terminalWidth({ environment, stdout }: Terminal): number {
  return stdout.columns || Number(environment['COLUMNS']) || (stdout.isTTY ? 80 : UNLIMITED);
}
