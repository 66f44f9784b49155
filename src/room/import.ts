import type { Operator } from './actor.ts';
import { type MemberKey, type MemberUri, memberKey, type RoomUri } from './address.ts';
import type { RoomEvent } from './events.ts';
import { fold } from './fold.ts';
import type { FoundMember, FoundRoom } from './import-tables.ts';
import type { Member, Room, RoomState } from './room.ts';

/**
 * The rule by which rooms of another server come into the log. It stands beside `decide`, since rows are no commands: nobody
 * asked for them, and what has happened since is not undone. But for `RoomCreated` it makes the events that `decide` makes of
 * an operator's `#invite`, `#add` and change of role, and no others.
 */

/** Who imports, in the events and their metadata. */
export const importer = 'operator:import' as Operator;

/** An event of the room's stream, as far as an import looks at it. */
export interface PastEvent {
  readonly event: RoomEvent;
  /** RFC 3339 of the event's metadata. */
  readonly time: string;
  /** The rows that it was imported from; empty where it was not. */
  readonly origins: readonly string[];
}

/** What a room's stream says to an import. */
export interface ImportedBefore {
  readonly room: RoomState;
  /** Every row that has been imported into it, or into one of that name before it. */
  readonly origins: ReadonlySet<string>;
  /** By member, the rows that the last event about this one came from. */
  readonly lastWord: ReadonlyMap<MemberKey, readonly string[]>;
}

/** An event that is still to be written, and the row that it comes from. */
export interface ImportedEvent {
  readonly event: RoomEvent;
  readonly origin: string;
}

export interface MissingEvents {
  readonly events: readonly ImportedEvent[];
  /** What the log has otherwise and keeps: a sentence each. */
  readonly notes: readonly string[];
}

/** @param past all of the room's stream, in order */
export const importedBefore = (past: readonly PastEvent[]): ImportedBefore => {
  const lastWord = new Map<MemberKey, readonly string[]>();
  for (const { event, origins } of past) {
    const whom = aboutWhom(event);
    if (whom !== undefined) lastWord.set(memberKey(whom), origins);
  }
  return { room: fold(undefined, past), origins: new Set(past.flatMap(({ origins }) => origins)), lastWord };
};

const aboutWhom = ({ data }: RoomEvent): MemberUri | undefined => {
  if ('member' in data) return data.member;
  return 'owner' in data ? data.owner : undefined;
};

/** What of a found room is not in the log yet: nothing, once these events are in it. */
export const missingEvents = (found: FoundRoom, before: ImportedBefore): MissingEvents => {
  if (before.room !== undefined) return intoLiving(found, before.room, before);
  if (before.origins.has(found.origin)) return keeps(`room ${found.uri}: it was imported before, and destroyed since`);
  const [owner, ...others] = found.members;
  if (owner === undefined) return nothing;
  const created: RoomEvent = {
    type: 'RoomCreated',
    data: { room: found.uri, owner: owner.uri, private: found.private, cause: 'import' },
  };
  const events = others.flatMap((member) => entering(found.uri, member, member.role));
  return { events: [{ event: created, origin: found.origin }, ...events], notes: [] };
};

const nothing: MissingEvents = { events: [], notes: [] };
const keeps = (...notes: readonly string[]): MissingEvents => ({ events: [], notes });

const intoLiving = (found: FoundRoom, room: Room, before: ImportedBefore): MissingEvents => {
  const members = found.members.map((member) => memberIntoLiving(member, room, before));
  const kept = found.private === room.private ? [] : [`room ${found.uri}: private or public stays as the log has it`];
  return {
    events: members.flatMap(({ events }) => events),
    notes: [...kept, ...members.flatMap(({ notes }) => notes)],
  };
};

const memberIntoLiving = (found: FoundMember, room: Room, before: ImportedBefore): MissingEvents => {
  const at = `member ${found.uri} of ${room.uri}`;
  const there = room.members.get(memberKey(found.uri));
  // A room has one owner, and this one has its own already.
  const role = found.role === 'owner' ? 'admin' : found.role;
  if (there !== undefined) {
    if (there.role === found.role) return nothing;
    if (isHalfWay(there, role, found, before)) return { events: [promoted(room.uri, there.uri, found)], notes: [] };
    return keeps(`${at}: ${found.role} in the table, stays ${there.role} as the log has it`);
  }
  if (before.origins.has(found.origin)) return keeps(`${at}: it was imported before, and has left since`);
  return {
    events: entering(room.uri, found, role),
    notes: role === found.role ? [] : [`${at}: owner in the table, becomes admin: the room has another owner`],
  };
};

/** An import was broken off between the two events of an admin, and nothing has happened to this member since. */
const isHalfWay = (there: Member, role: Member['role'], { origin, uri }: FoundMember, { lastWord }: ImportedBefore) =>
  there.role === 'member' && role === 'admin' && lastWord.get(memberKey(uri))?.includes(origin) === true;

const entering = (room: RoomUri, found: FoundMember, role: Member['role']): readonly ImportedEvent[] => {
  const { uri: member, origin } = found;
  const data = { room, member, by: importer };
  if (role === 'invited') return [{ event: { type: 'MemberInvited', data }, origin }];
  const added: ImportedEvent = { event: { type: 'MemberAdded', data }, origin };
  return role === 'admin' ? [added, promoted(room, member, found)] : [added];
};

const promoted = (room: RoomUri, member: MemberUri, { origin }: FoundMember): ImportedEvent => ({
  event: { type: 'RoleChanged', data: { room, member, by: importer, role: 'admin' } },
  origin,
});
