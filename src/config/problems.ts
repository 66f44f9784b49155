/** One thing wrong with the configuration. */
export interface ConfigProblem {
  /** Full name of the option, or of what was taken for one: `mi.http`. */
  readonly path: string;
  /** Where it stood: the file's name, `environment variable IMCD_...`, `command line`, `default`. */
  readonly source: string;
  /** What was found, as a phrase, secrets hidden. */
  readonly found: string;
  /** What is allowed there, or what to do. */
  readonly allowed: string;
}

/** A problem as one sentence. */
export const describeProblem = ({ path, source, found, allowed }: ConfigProblem): string =>
  `${path} (${source}): found ${found}; ${allowed}`;

/** A value for people: as JSON, control characters escaped, at most 80 characters; of a secret no more than its scheme. */
export const showFound = (value: unknown, secret: boolean): string => {
  if (value === undefined || value === null) return 'nothing';
  if (secret) {
    const scheme = /^[a-z+]{1,20}:/i.exec(String(value))?.[0];
    return scheme === undefined ? 'a value that is not shown' : `"${scheme}...", the rest not shown`;
  }
  const shown = JSON.stringify(value) ?? String(value);
  return shown.length > 80 ? `${shown.slice(0, 80)}...` : shown;
};

/** `did you mean ...?` for a name that is nearly one of `names`; else all of them. */
export const suggestion = (name: string, names: readonly string[]): string => {
  const near = nearest(name, names);
  return near === undefined ? `allowed are ${names.join(', ')}` : `did you mean ${near}?`;
};

/** The name that is fewest edits away, where that is at most a third of its length (2 at least). */
export const nearest = (name: string, names: readonly string[]): string | undefined => {
  const plain = (text: string) => text.toLowerCase().replaceAll('-', '_');
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of names) {
    const edits = distance(plain(name), plain(candidate));
    if (edits < least && edits <= Math.max(2, Math.floor(candidate.length / 3))) {
      best = candidate;
      least = edits;
    }
  }
  return best;
};

/** Levenshtein's distance; names longer than 64 characters are far from everything. */
const distance = (a: string, b: string): number => {
  if (a.length > 64 || b.length > 64) return Number.POSITIVE_INFINITY;
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substituted = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, substituted));
    }
    row = next;
  }
  return row[b.length] ?? 0;
};
