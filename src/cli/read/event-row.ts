import type { StoredEvent } from '../../ports/event-store.ts';
import { localTime } from '../terminal/times.ts';

/** An event as one line for people: when, which revision, what, who, to whom, from where, by which request. */
export const eventRow = (event: StoredEvent, withRoom: boolean): readonly string[] => {
  const data = record(event.data);
  const metadata = record(event.metadata);
  const row = [
    localTime(event.time),
    String(event.revision),
    event.type,
    text(metadata.actor),
    objectOf(data),
    text(metadata.source),
    text(metadata.callId),
  ];
  return withRoom ? [...row.slice(0, 2), text(data.room), ...row.slice(2)] : row;
};

export const eventHeadings = (withRoom: boolean): readonly string[] => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const headings = [`TIME (${zone})`, 'REV', 'EVENT', 'ACTOR', 'OBJECT', 'SOURCE', 'CALL-ID'];
  return withRoom ? [...headings.slice(0, 2), 'ROOM', ...headings.slice(2)] : headings;
};

type Fields = Readonly<Record<string, unknown>>;
const record = (value: unknown): Fields => (typeof value === 'object' && value !== null ? { ...value } : {});
const text = (value: unknown): string => (typeof value === 'string' ? value : '-');

/** To whom it was done, and what else there is to know: `sip:bob@x (admin)`. */
const objectOf = (data: Fields): string => {
  const who = text(data.member ?? data.owner);
  const more = [data.private === true ? 'private' : undefined, data.role, data.cause]
    .filter((one) => typeof one === 'string')
    .join(', ');
  return more === '' ? who : who === '-' ? `(${more})` : `${who} (${more})`;
};
