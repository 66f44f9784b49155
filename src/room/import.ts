import * as E from 'fp-ts/lib/Either.js';
import type { Operator } from './actor.ts';
import { type MemberKey, type MemberUri, memberKey, type RoomUri } from './address.ts';
import type { RoomCommand } from './commands.ts';
import { decide } from './decide.ts';
import type { RoomEvent } from './events.ts';
import { applyInPlace, fold } from './fold.ts';
import type { FoundMember, FoundRoom } from './import-tables.ts';
import type { Member, Room, RoomState } from './room.ts';
import { reasonOf } from './texts.ts';

/**
 * The rule by which rooms of another server come into the log: what is missing of their tables is asked for by commands, the
 * owner's `#create`, an operator's `#add`, `#invite` and change of role, and `decide` makes the events. Nobody asked for them,
 * so what has happened since is not undone.
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
  const { asked, notes } = missing(found, before);
  // A copy of its own, to be changed in place.
  let state = fold(before.room, []);
  const events: ImportedEvent[] = [];
  const refused: string[] = [];
  for (const { command, origin } of asked) {
    const decided = decideImport(command)(state);
    if (E.isLeft(decided)) {
      refused.push(
        `room ${command.room}: ${command.type} of ${origin} is not possible: ${reasonOf(decided.left, '#')}`,
      );
      continue;
    }
    for (const event of decided.right.map(imported)) {
      events.push({ event, origin });
      state = applyInPlace(state, event, '');
    }
  }
  return { events, notes: [...notes, ...refused] };
};

/** No command of an import asks for what these two say. */
const decideImport = decide({ createOnJoin: true, checkOnCreate: false });

/** Its owner did not create the room here: it was imported. */
const imported = (event: RoomEvent): RoomEvent =>
  event.type === 'RoomCreated' ? { ...event, data: { ...event.data, cause: 'import' } } : event;

/** A command, and the row that it comes from. */
interface Asked {
  readonly command: RoomCommand;
  readonly origin: string;
}

interface Missing {
  readonly asked: readonly Asked[];
  readonly notes: readonly string[];
}

const missing = (found: FoundRoom, before: ImportedBefore): Missing => {
  if (before.room !== undefined) return intoLiving(found, before.room, before);
  if (before.origins.has(found.origin)) return keeps(`room ${found.uri}: it was imported before, and destroyed since`);
  const [owner, ...others] = found.members;
  if (owner === undefined) return nothing;
  const create: RoomCommand = { type: 'CreateRoom', room: found.uri, actor: owner.uri, private: found.private };
  const enter = others.flatMap((member) => entering(found.uri, member, member.role));
  return { asked: [{ command: create, origin: found.origin }, ...enter], notes: [] };
};

const nothing: Missing = { asked: [], notes: [] };
const keeps = (...notes: readonly string[]): Missing => ({ asked: [], notes });

const intoLiving = (found: FoundRoom, room: Room, before: ImportedBefore): Missing => {
  const members = found.members.map((member) => memberIntoLiving(member, room, before));
  const kept = found.private === room.private ? [] : [`room ${found.uri}: private or public stays as the log has it`];
  return {
    asked: members.flatMap(({ asked }) => asked),
    notes: [...kept, ...members.flatMap(({ notes }) => notes)],
  };
};

const memberIntoLiving = (found: FoundMember, room: Room, before: ImportedBefore): Missing => {
  const at = `member ${found.uri} of ${room.uri}`;
  const there = room.members.get(memberKey(found.uri));
  // A room has one owner, and this one has its own already.
  const role = found.role === 'owner' ? 'admin' : found.role;
  if (there !== undefined) {
    if (there.role === found.role) return nothing;
    if (isHalfWay(there, role, found, before)) return { asked: [promote(room.uri, there.uri, found)], notes: [] };
    return keeps(`${at}: ${found.role} in the table, stays ${there.role} as the log has it`);
  }
  if (before.origins.has(found.origin)) return keeps(`${at}: it was imported before, and has left since`);
  return {
    asked: entering(room.uri, found, role),
    notes: role === found.role ? [] : [`${at}: owner in the table, becomes admin: the room has another owner`],
  };
};

/** An import was broken off between the two events of an admin, and nothing has happened to this member since. */
const isHalfWay = (there: Member, role: Member['role'], { origin, uri }: FoundMember, { lastWord }: ImportedBefore) =>
  there.role === 'member' && role === 'admin' && lastWord.get(memberKey(uri))?.includes(origin) === true;

const entering = (room: RoomUri, found: FoundMember, role: Member['role']): readonly Asked[] => {
  const { uri: member, origin } = found;
  const asked = { room, actor: importer, member };
  if (role === 'invited') return [{ command: { type: 'InviteMember', ...asked }, origin }];
  const add: Asked = { command: { type: 'AddMember', ...asked }, origin };
  return role === 'admin' ? [add, promote(room, member, found)] : [add];
};

const promote = (room: RoomUri, member: MemberUri, { origin }: FoundMember): Asked => ({
  command: { type: 'ChangeRole', room, actor: importer, member, role: 'admin' },
  origin,
});
