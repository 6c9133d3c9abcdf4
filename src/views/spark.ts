const BLOCKS = '▁▂▃▄▅▆▇█';
const ASCII = '.:-=+*#@';

/** Numbers as a row of bars, a character each, the tallest for the largest; nothing is a blank. */
export function sparkline(values: readonly number[], unicode: boolean): string {
  const most = values.reduce((largest, value) => Math.max(largest, value), 0);
  const signs = unicode ? BLOCKS : ASCII;
  return values
    .map((value) => (value > 0 ? signs[Math.max(0, Math.ceil((value / most) * signs.length) - 1)] : ' '))
    .join('');
}
