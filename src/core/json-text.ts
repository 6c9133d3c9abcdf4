/**
 * JSON as it may be printed: what would steer a terminal, or turn text around, and JSON leaves as it is (C1 controls,
 * bidirectional ones, line separators), is escaped. It reads back as the same value.
 */
export function jsonText(value: unknown, indent = 0): string {
  return JSON.stringify(value, null, indent).replaceAll(
    /[\u007F-\u009F\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
