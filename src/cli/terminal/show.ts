/** How results are shown to people: nothing a stranger chose may move the cursor, change colours or pretend to be a line. */

const dangerous = /[\0-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/**
 * Control characters, and those that reorder or hide text, as `\xNN` or `\uNNNN`.
 * @param keep characters that may stand as they are (a newline in a text of our own)
 */
export const printable = (text: string, keep = ''): string =>
  text.replace(dangerous, (character) => {
    if (keep.includes(character)) return character;
    const code = character.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });

/** Rows under their headings, columns as wide as their widest cell, the last one not padded. */
export const table = (headings: readonly string[], rows: readonly (readonly string[])[]): readonly string[] => {
  const all = [headings, ...rows].map((row) => row.map((cell) => printable(cell)));
  const widths = headings.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
};
