import { Actor } from '../room/actor.ts';
import { type MemberKey, MemberUri, memberKey, type RoomKey, RoomUri, roomKey } from '../room/address.ts';
import type { Member } from '../room/room.ts';
import type { RoomRecord } from './rooms.ts';

/**
 * One room of a snapshot as a line of JSON, in arrays: 100,000 rooms are to be read in well under two seconds.
 * `[key, revision]` for a destroyed room; `[key, revision, uri, private, members]` for a living one, a member as
 * `[uri, role, since]`, `[..., inviter]` while invited, and `sips` at the end where the user was written so.
 */
export const recordLine = ({ key, revision, room }: RoomRecord): string => {
  if (room === undefined) return JSON.stringify([key, revision]);
  const members: unknown[] = [];
  for (const member of room.members.values()) {
    const fields: unknown[] = [member.uri, member.role, member.since];
    if (member.role === 'invited') fields.push(member.inviter);
    if (member.scheme !== undefined) fields.push(member.scheme);
    members.push(fields);
  }
  return JSON.stringify([key, revision, room.uri, room.private ? 1 : 0, members]);
};

const memberOf = (fields: unknown): Member | undefined => {
  if (!Array.isArray(fields)) return undefined;
  const [uri, role, since, third, fourth]: readonly unknown[] = fields;
  if (!MemberUri.is(uri) || typeof since !== 'string') return undefined;
  if (role === 'invited') {
    if (!Actor.is(third)) return undefined;
    const invited: Member = { uri, role, since, inviter: third };
    return fourth === 'sips' ? { ...invited, scheme: 'sips' } : invited;
  }
  if (role !== 'owner' && role !== 'admin' && role !== 'member') return undefined;
  return third === 'sips' ? { uri, role, since, scheme: 'sips' } : { uri, role, since };
};

/** The record of a line; undefined where it is none. */
export const parseRecord = (line: string): RoomRecord | undefined => {
  const fields: unknown = JSON.parse(line);
  if (!Array.isArray(fields)) return undefined;
  const [name, revision, uri, isPrivate, list]: readonly unknown[] = fields;
  if (typeof name !== 'string' || typeof revision !== 'number') return undefined;
  if (fields.length === 2) return { key: asKey(name), revision, room: undefined };
  if (!RoomUri.is(uri) || roomKey(uri) !== name || !Array.isArray(list)) return undefined;
  const members = new Map<MemberKey, Member>();
  let owner: MemberKey | undefined;
  for (const entry of list) {
    const member = memberOf(entry);
    if (member === undefined) return undefined;
    const key = memberKey(member.uri);
    if (member.role === 'owner') owner = key;
    members.set(key, member);
  }
  if (owner === undefined) return undefined;
  return { key: roomKey(uri), revision, room: { uri, private: isPrivate === 1, owner, members } };
};

// A destroyed room's URI is gone; its key is all that is known of it.
const asKey = (name: string): RoomKey => name as RoomKey;
