import stringWidth from 'string-width';

const GAP = '  ';

interface Column {
  readonly header: string;
  /** The one column that gives way when the line does not fit. */
  readonly shrinks?: true;
}

/** Lines of left-aligned columns, measured in terminal cells. Only the shrinking column is cut, and never below 16 cells. */
export function columns(
  heads: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
): readonly string[] {
  const cells = [heads.map((head) => head.header), ...rows];
  const widths = heads.map((_, index) => Math.max(...cells.map((row) => stringWidth(row[index] ?? ''))));
  const shrinking = heads.findIndex((head) => head.shrinks);
  const total = widths.reduce((sum, cell) => sum + cell, 0) + GAP.length * (heads.length - 1);
  const room = Math.max(16, (widths[shrinking] ?? 0) - Math.max(0, total - width));
  if (shrinking >= 0) widths[shrinking] = Math.min(widths[shrinking] ?? 0, room);
  return cells.map((row) =>
    row
      .map((cell, index) => padded(fitted(cell, widths[index] ?? 0), widths[index] ?? 0))
      .join(GAP)
      .trimEnd(),
  );
}

/** A text cut to so many terminal cells, with an ellipsis where it was cut. Wide characters are never halved. */
export function fitted(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let kept = '';
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (stringWidth(kept + segment) > width - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - stringWidth(text)));
}
