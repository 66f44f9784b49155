import type { Roster } from '../../ports/courier.ts';
import type { RoomUri } from '../../room/address.ts';

/**
 * What was prepared for the rosters used last, one of each room. It serves every roster of the same room and revision; which
 * objects these are does not matter.
 */

/** Recipients over all rooms, 8 bytes each; beyond, all are prepared anew. */
const mostRecipients = 500_000;

export class PreparedRooms<T> {
  readonly #rooms = new Map<RoomUri, { readonly revision: number; readonly recipients: readonly T[] }>();
  readonly #most: number;
  #recipients = 0;

  constructor(most = mostRecipients) {
    this.#most = most;
  }

  get({ room, revision }: Roster): readonly T[] | undefined {
    const prepared = this.#rooms.get(room);
    return prepared?.revision === revision ? prepared.recipients : undefined;
  }

  keep({ room, revision }: Roster, recipients: readonly T[]): void {
    this.#recipients += recipients.length - (this.#rooms.get(room)?.recipients.length ?? 0);
    if (this.#recipients > this.#most) {
      this.clear();
      this.#recipients = recipients.length;
    }
    this.#rooms.set(room, { revision, recipients });
  }

  clear(): void {
    this.#rooms.clear();
    this.#recipients = 0;
  }
}
