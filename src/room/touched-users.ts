import { type MemberKey, type MemberUri, memberKey } from './address.ts';
import { type EventType, roomEvents } from './events.ts';
import { decode, type Storable, Undecodable } from './upcast.ts';

type Fields = Readonly<Record<string, unknown>>;

/** By what any event names a user: for events that this version does not know. */
const allFields: readonly string[] = [...new Set(Object.values(roomEvents).flatMap(({ users }) => users))];
const userFields = (type: EventType): readonly string[] => roomEvents[type].users;

/**
 * Whom a stored event of any age touches: who asked for it, and every user whom its data name in today's form, each once.
 * Operators (`operator:NAME`) are not users. One that this version does not know is asked for all fields that name a user.
 */
export const touchedUsers = (stored: Storable): readonly MemberKey[] => {
  const users: MemberKey[] = [];
  note(users, stored.metadata, ['actor']);
  const event = decode(stored);
  if (event instanceof Undecodable) note(users, stored.data, allFields);
  else note(users, event.data, userFields(event.type));
  return users;
};

const note = (users: MemberKey[], record: unknown, names: readonly string[]): void => {
  if (!isFields(record)) return;
  for (const name of names) {
    const uri = record[name];
    if (!isUser(uri)) continue;
    const key = memberKey(uri);
    if (!users.includes(key)) users.push(key);
  }
};

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
const isUser = (value: unknown): value is MemberUri => typeof value === 'string' && value.startsWith('sip:');
