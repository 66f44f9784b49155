import * as E from 'fp-ts/lib/Either.js';
import { eventTime, parseTime } from '../../room/time.ts';

/** Times as people write them, and as they are shown to them. */

export interface ReadTime {
  /** RFC 3339, UTC, milliseconds, as events have it. */
  readonly utc: string;
  /** The words were less exact than that: say what they were taken for. */
  readonly vague: boolean;
}

const units: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/**
 * RFC 3339, `-2h` (s, m, h, d, w; joined: `-1d12h`), or words: `yesterday 14:00`, `2026-11-22 14:00`, `last monday`. A day
 * alone is its first millisecond, or its last for `end: true`. Everything must be understood. Left: what was not.
 *
 * @param now milliseconds since 1970
 */
export const readTime = async (text: string, now: number, end = false): Promise<E.Either<string, ReadTime>> => {
  const given = text.trim();
  const wrong = (why: string) => E.left(`${JSON.stringify(text)} ${why}. A time is ${forms}`);
  const ago = /^-((?:\d{1,6}[smhdw])+)$/.exec(given)?.[1];
  if (ago !== undefined) {
    let ms = 0;
    for (const [, count, unit] of ago.matchAll(/(\d+)([smhdw])/g)) ms += Number(count) * (units[unit ?? ''] ?? 0);
    return E.right({ utc: eventTime(now - ms), vague: true });
  }
  const exact = parseTime(given);
  if (E.isRight(exact)) return E.right({ utc: exact.right, vague: false });
  if (exact.left === 'no such time') return wrong('has the form of a time, but is none');
  const { casual } = await import('chrono-node/en'); // 100 ms that only words cost
  const [found, ...others] = casual.parse(given, new Date(now));
  if (found === undefined) return wrong('was not understood as a time');
  const rest = given.replace(found.text, '').trim();
  if (rest !== '')
    return wrong(`was understood only in part: ${JSON.stringify(found.text)}, not ${JSON.stringify(rest)}`);
  if (others.length > 0 || found.end) return wrong('names more than one time');
  const date = found.start.date();
  if (!found.start.isCertain('hour') && /^now$/i.test(given) === false) {
    if (end) date.setHours(23, 59, 59, 999);
    else date.setHours(0, 0, 0, 0);
  }
  return E.right({ utc: eventTime(date.getTime()), vague: true });
};

const forms = "2026-11-22T14:00:00Z, '2026-11-22 14:00', 'yesterday 14:00', or -2h";

const zoneNames = new Map<number, string>();

/** `2026-11-22 15:00:00.123 CET`: an event's time in this machine's zone, with the zone's name at that time. */
export const localTime = (utc: string): string => {
  const date = new Date(utc);
  if (Number.isNaN(date.getTime())) return utc;
  const two = (n: number) => String(n).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${day} ${time}.${String(date.getMilliseconds()).padStart(3, '0')} ${zoneName(date)}`;
};

// Intl takes 20 us a time; a zone has one name an offset.
const zoneName = (date: Date): string => {
  const offset = date.getTimezoneOffset();
  let name = zoneNames.get(offset);
  if (name === undefined) {
    const parts = new Intl.DateTimeFormat('en-GB', { timeZoneName: 'short' }).formatToParts(date);
    name = parts.find(({ type }) => type === 'timeZoneName')?.value ?? 'local';
    zoneNames.set(offset, name);
  }
  return name;
};
