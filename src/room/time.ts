import * as E from 'fp-ts/lib/Either.js';

/** Times as events have them: RFC 3339, UTC, milliseconds, so that they compare as text. Everybody who is given one reads it here. */

const form = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[Zz]|[+-]\d\d:\d\d)$/;

/** Not of the form of RFC 3339; or of it, and yet no time: 31 February. */
export type NoTime = 'another form' | 'no such time';

/** Milliseconds since 1970, as an event has them. */
export const eventTime = (ms: number): string => new Date(ms).toISOString();

/** A time of RFC 3339 in any zone, its seconds left out or not, as an event has it. */
export const parseTime = (text: string): E.Either<NoTime, string> => {
  if (!form.test(text)) return E.left('another form');
  const ms = Date.parse(text.toUpperCase().replace(' ', 'T'));
  return Number.isNaN(ms) || !isDay(text.slice(0, 10)) ? E.left('no such time') : E.right(eventTime(ms));
};

/** `Date.parse` takes 31 February for 3 March. */
const isDay = (day: string): boolean => {
  const ms = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(ms) && eventTime(ms).startsWith(day);
};
