import type { Roster } from '../ports/courier.ts';
import type { MemberUri } from '../room/address.ts';
import { type Room, recipientsOf } from '../room/room.ts';

/**
 * The rosters of the rooms that messages go to. One is made where the recipients have changed since the last message, and is
 * the same object until they change again.
 */
export class Rosters {
  /** A roster, and the revision that it was last looked at: up to there its recipients have not changed. */
  readonly #known = new WeakMap<Room, { roster: Roster; until: number }>();

  /** @param revision of the last event applied to the room */
  of(room: Room, revision: number): Roster {
    const known = this.#known.get(room);
    if (known?.until === revision) return known.roster;
    const uris = recipientsOf(room);
    if (known !== undefined && isSame(known.roster.uris, uris)) {
      known.until = revision;
      return known.roster;
    }
    const roster: Roster = { room: room.uri, revision, uris };
    this.#known.set(room, { roster, until: revision });
    return roster;
  }
}

const isSame = (a: readonly MemberUri[], b: readonly MemberUri[]): boolean =>
  a.length === b.length && a.every((uri, i) => uri === b[i]);
