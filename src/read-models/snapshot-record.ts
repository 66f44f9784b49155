import type * as t from 'io-ts';
import { Actor, Role } from '../room/actor.ts';
import { type MemberKey, MemberUri, memberKey, type RoomKey, RoomUri, roomKey } from '../room/address.ts';
import { fieldsOf } from '../room/codec-fields.ts';
import { Enrolled, enrolled, Invited, invited, type Member, type Room, RoomProperties } from '../room/room.ts';
import type { RoomRecord } from './rooms.ts';

/**
 * One room of a snapshot as a line of JSON, in arrays: 100,000 rooms are to be read in well under two seconds.
 * `[key, revision]` for a destroyed room; `[key, revision, uri, private, members, ...]` for a living one, a member as
 * `[uri, role, since, ...]`.
 *
 * What is written are the fields of the room's own codecs, in their order: a new one goes to the end of its codec, and so to the
 * end of the array. One that is absent, or an empty text, is null, or missing at the end. Reading is written out below; a test writes and reads
 * rooms with every field that the codecs know.
 */
export const recordLine = ({ key, revision, room }: RoomRecord): string => {
  if (room === undefined) return JSON.stringify([key, revision]);
  const members: unknown[] = [];
  for (const member of room.members.values()) members.push(memberFields(member));
  const fields = [key, revision, room.uri, room.private ? 1 : 0, members];
  return JSON.stringify(withValues(fields, room, afterPrivate));
};

/** Names of the fields behind the first ones, which are written out: an array that begins with three does not grow for most. */
const namesAfter = <C extends t.Mixed>(first: number, codec: C) =>
  fieldsOf(codec).flatMap(([name], place) => (place < first ? [] : [name as keyof t.TypeOf<C>]));

const afterPrivate = namesAfter(2, RoomProperties);
const afterSince = { enrolled: namesAfter(3, Enrolled), invited: namesAfter(3, Invited) };

const memberFields = (member: Member): readonly unknown[] => {
  const fields = [member.uri, member.role, member.since];
  return member.role === 'invited'
    ? withValues(fields, member, afterSince.invited)
    : withValues(fields, member, afterSince.enrolled);
};

/** The fields with the record's values behind them: null for what is absent or empty, and nothing for that at the end. */
const withValues = <A>(fields: unknown[], record: A, names: readonly (keyof A)[]): readonly unknown[] => {
  let absent = 0;
  for (const name of names) {
    const value = record[name];
    if (value === undefined || value === '') absent += 1;
    else {
      for (; absent > 0; absent -= 1) fields.push(null);
      fields.push(value);
    }
  }
  return fields;
};

const memberIn = (fields: unknown): Member | undefined => {
  if (!Array.isArray(fields)) return undefined;
  const [uri, role, since, third, fourth]: readonly unknown[] = fields;
  if (!MemberUri.is(uri) || typeof since !== 'string') return undefined;
  if (role === 'invited') return Actor.is(third) ? invited(uri, since, third, sips(fourth)) : undefined;
  return Role.is(role) ? enrolled(uri, role, since, sips(third)) : undefined;
};

const sips = (field: unknown): 'sips' | undefined => (field === 'sips' ? field : undefined);

/** The record of a line; undefined where it is none. */
export const parseRecord = (line: string): RoomRecord | undefined => {
  const fields: unknown = JSON.parse(line);
  if (!Array.isArray(fields)) return undefined;
  const [name, revision, uri, isPrivate, list, written]: readonly unknown[] = fields;
  if (typeof name !== 'string' || typeof revision !== 'number') return undefined;
  if (fields.length === 2) return { key: asKey(name), revision, room: undefined };
  if (!RoomUri.is(uri) || roomKey(uri) !== name || !Array.isArray(list)) return undefined;
  const topic = written ?? '';
  if (typeof topic !== 'string') return undefined;
  const members = new Map<MemberKey, Member>();
  let owner: MemberKey | undefined;
  for (const entry of list) {
    const member = memberIn(entry);
    if (member === undefined) return undefined;
    const key = memberKey(member.uri);
    if (member.role === 'owner') owner = key;
    members.set(key, member);
  }
  if (owner === undefined) return undefined;
  const room: Room = { uri, private: isPrivate === 1, topic, owner, members };
  return { key: roomKey(uri), revision, room };
};

// A destroyed room's URI is gone; its key is all that is known of it.
const asKey = (name: string): RoomKey => name as RoomKey;
