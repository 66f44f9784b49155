import type { StoredEvent } from '../../ports/event-store.ts';
import type { EventData, EventType, RoomEvent } from '../../room/events.ts';
import { decode, Undecodable } from '../../room/upcast.ts';
import { localTime } from '../terminal/times.ts';

/**
 * An event as one line for people: when, which revision, what, who, to whom, from where, by which request. One of an older
 * version is shown in today's form; one that this version does not know as far as its fields are those of others.
 */
export const eventRow = (event: StoredEvent, withRoom: boolean): readonly string[] => {
  const metadata = record(event.metadata);
  const [room, object] = roomAndObject(event);
  const row = [
    localTime(event.time),
    String(event.revision),
    event.type,
    text(metadata.actor),
    object,
    text(metadata.source),
    text(metadata.callId),
  ];
  return withRoom ? [...row.slice(0, 2), room, ...row.slice(2)] : row;
};

export const eventHeadings = (withRoom: boolean): readonly string[] => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const headings = [`TIME (${zone})`, 'REV', 'EVENT', 'ACTOR', 'OBJECT', 'SOURCE', 'CALL-ID'];
  return withRoom ? [...headings.slice(0, 2), 'ROOM', ...headings.slice(2)] : headings;
};

const roomAndObject = (stored: StoredEvent): readonly [room: string, object: string] => {
  const event = decode(stored);
  if (!(event instanceof Undecodable)) return [event.data.room, objectOf(event)];
  const { room, member, owner, private: isPrivate, role, cause } = record(stored.data);
  const known = [isPrivate === true ? 'private' : undefined, role, cause].filter((one) => typeof one === 'string');
  return [text(room), shown(text(member ?? owner), known)];
};

type Fields = Readonly<Record<string, unknown>>;
const record = (value: unknown): Fields => (typeof value === 'object' && value !== null ? { ...value } : {});
const text = (value: unknown): string => (typeof value === 'string' ? value : '-');

/** To whom it was done, and what else there is to know: `sip:bob@x (admin)`. */
const shown = (who: string, more: readonly string[]): string => {
  if (more.length === 0) return who;
  return who === '-' ? `(${more.join(', ')})` : `${who} (${more.join(', ')})`;
};

type ObjectOf<Data> = (data: Data) => string;

const whom: ObjectOf<EventData['MemberExited']> = ({ member }) => member;

/** The column OBJECT. A type of event that has no row here does not compile. */
const objects: { readonly [T in EventType]: ObjectOf<EventData[T]> } = {
  RoomCreated: ({ owner, private: isPrivate, cause }) => shown(owner, isPrivate ? ['private', cause] : [cause]),
  MemberJoined: whom,
  MemberInvited: whom,
  InvitationAccepted: whom,
  InvitationDenied: whom,
  InvitationWithdrawn: ({ member, cause }) => shown(member, [cause]),
  MemberRemoved: whom,
  MemberExited: whom,
  MemberAdded: whom,
  RoleChanged: ({ member, role }) => shown(member, [role]),
  // In quotes, so that an empty one is seen, and blanks at an end.
  TopicChanged: ({ topic }) => `"${topic}"`,
  RoomDestroyed: ({ cause }) => shown('-', [cause]),
};

const objectOf = <T extends EventType>({ type, data }: RoomEvent<T>): string => objects[type](data);
