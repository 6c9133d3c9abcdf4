interface Terminal {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdout: { readonly isTTY: boolean; readonly columns: number | undefined };
}

/** Cells per line: the terminal's, else `$COLUMNS`, else 80. A pseudo-terminal may report 0, which says nothing. */
export function terminalWidth({ environment, stdout }: Terminal): number {
  return stdout.columns || Number(environment['COLUMNS']) || 80;
}
