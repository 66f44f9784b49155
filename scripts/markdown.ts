/** What the generated pages have in common. */

export const generatedNote = '<!-- Made by `npm run reference` from the code. Do not edit: a test would say so. -->';

/** A cell of a table: one line, its bars escaped. */
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

export const table = (headings: readonly string[], rows: readonly (readonly string[])[]): string =>
  [headings, headings.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');

export const page = (title: string, ...parts: readonly string[]): string =>
  `${[generatedNote, `# ${title}`, ...parts].join('\n\n')}\n`;

export const code = (text: string): string => (text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``);
