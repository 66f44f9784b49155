import { type MemberKey, type MemberUri, memberKey } from './address.ts';
import { type EventType, roomEvents } from './events.ts';
import { decode, type Storable, Undecodable } from './upcast.ts';

type Fields = Readonly<Record<string, unknown>>;

/** By what any event names a user: for events that this version does not know. */
const allFields: readonly string[] = [...new Set(Object.values(roomEvents).flatMap(({ users }) => users))];
const fieldsOf = (type: EventType): readonly string[] => roomEvents[type].users;

/**
 * Whom a stored event of any age touches: who asked for it, and every user whom its data name in today's form, each once.
 * Operators (`operator:NAME`) are not users. One that this version does not know is asked for all fields that name a user.
 */
export const touchedUsers = (stored: Storable): readonly MemberKey[] => {
  const event = decode(stored);
  const named =
    event instanceof Undecodable ? valuesOf(stored.data, allFields) : valuesOf(event.data, fieldsOf(event.type));
  const uris = [...valuesOf(stored.metadata, ['actor']), ...named].filter(isUser);
  return [...new Set(uris.map(memberKey))];
};

const valuesOf = (record: unknown, names: readonly string[]): readonly unknown[] => {
  if (typeof record !== 'object' || record === null) return [];
  const fields: Fields = { ...record };
  return names.map((name) => fields[name]);
};

const isUser = (value: unknown): value is MemberUri => typeof value === 'string' && value.startsWith('sip:');
