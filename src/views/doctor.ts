import type { Finding } from '../core/health/finding.ts';
import { cleanText } from '../core/task/untrusted.ts';

const SIGNS: Readonly<Record<Finding['status'], string>> = {
  ok: '✔',
  note: '·',
  warning: '▲',
  failed: '✖',
  skipped: '-',
};

/** A check in a line, and what to type below it. */
export function findingText({ check, status, message, fix }: Finding): string {
  const word = status === 'ok' || status === 'note' ? '' : `${status}: `;
  const text = cleanText(message).text.replaceAll('\n', '\n    ');
  const remedy = fix === null ? '' : `    fix: ${cleanText(fix).text.replaceAll('\n', ' ')}\n`;
  return `${SIGNS[status]} ${check.padEnd(14)} ${word}${text}\n${remedy}`;
}
