import * as E from 'fp-ts/lib/Either.js';
import { RE2JS } from 're2js';
import { asText, type Kind, kind } from './kinds.ts';

/** A pattern for user parts. Two of one source are deeply equal: a reload compares configurations. */
export class UserPattern {
  /** As it was written. */
  readonly source: string;
  readonly #compiled: RE2JS;

  /** Throws what RE2 says of a pattern that it does not take. */
  constructor(source: string) {
    this.source = source;
    this.#compiled = RE2JS.compile(source, RE2JS.CASE_INSENSITIVE);
  }

  /** Does it match the whole user part, without regard to case? Takes time linear in its length, whatever the pattern. */
  test(user: string): boolean {
    return this.#compiled.testExact(user);
  }
}

const mostCharacters = 200;

/**
 * Rooms and the manager by their user parts (behaviour 1). User parts come from strangers and a pattern from anybody who can
 * write YAML, so the engine is RE2, which cannot backtrack: every pattern that it takes is matched in one pass. What it does
 * not take (lookaround, backreferences, more than 1,000 repetitions) is refused at start.
 */
export const userPattern: Kind<UserPattern> = kind({
  name: 'pattern',
  allowed: `a regular expression in the syntax of RE2, of at most ${mostCharacters} characters, for the whole user part`,
  schema: { type: 'string', maxLength: mostCharacters },
  read: (input) => {
    const source = asText(input) ?? '';
    if (source === '' || source.length > mostCharacters) return E.left('');
    return E.tryCatch(
      () => new UserPattern(source),
      (error) => (error instanceof Error ? error.message : String(error)),
    );
  },
  show: ({ source }) => source,
});
