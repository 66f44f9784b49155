import type { MemberKey, MemberUri, RoomUri } from './address.ts';
import type { Actor } from './commands.ts';
import type { Role } from './events.ts';

/** One of a room: a member, or an invited user whose place is pending. */
export interface Member {
  readonly uri: MemberUri;
  readonly role: Role | 'invited';
  /** When the role `invited`, or membership, began: RFC 3339 of the event's metadata. */
  readonly since: string;
  /** Who invited; only while `invited`. */
  readonly inviter?: Actor;
  readonly scheme?: 'sips';
}

/** A living room. `members` stand in the order of joining (accepting is joining). */
export interface Room {
  readonly uri: RoomUri;
  readonly private: boolean;
  readonly owner: MemberKey;
  readonly members: ReadonlyMap<MemberKey, Member>;
}

/** A room, or nothing: never made, or destroyed. */
export type RoomState = Room | undefined;
