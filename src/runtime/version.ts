import { readFileSync } from 'node:fs';

/** The version in package.json: two folders up, both in a clone (`src/cli`) and in the package (`dist/cli`). */
export const version = (): string => {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const parsed: unknown = JSON.parse(text);
  return typeof parsed === 'object' && parsed !== null && 'version' in parsed ? String(parsed.version) : 'unknown';
};
