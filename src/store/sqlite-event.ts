import type { Position, StoredEvent } from '../engine/ports.ts';
import { StoreError } from '../engine/ports.ts';
import { versionAtHand } from '../room/upcast.ts';

const WIDTH = 16;

/** A position as text: 16 digits, so that it also sorts as text. */
export const positionOf = (number: number): Position => String(number).padStart(WIDTH, '0') as Position;

/** The number in a position. Throws `StoreError` for one that no log of ours has given. */
export const numberOf = (position: Position): number => {
  if (/^\d{16}$/.test(position)) return Number(position);
  throw new StoreError({
    kind: 'StoreRefused',
    message: `${position} is not a position of this log: positions have 16 digits`,
  });
};

/**
 * An event as it stands in the file. A class, because a million are made at a replay: 2.8 us each with SQLite's share, where
 * a literal with a getter takes 4.4 us. Metadata is parsed when first asked for, which a replay never does.
 */
export class FileEvent implements StoredEvent {
  readonly id: string;
  readonly stream: string;
  readonly revision: bigint;
  readonly position: Position;
  readonly type: string;
  readonly time: string;
  readonly version: number | undefined;
  readonly data: unknown;
  readonly #metadata: string;
  #parsed: unknown;

  constructor(
    place: { readonly position: number; readonly stream: string; readonly revision: number },
    event: {
      readonly id: string;
      readonly type: string;
      readonly time: string;
      readonly data: string;
      readonly metadata: string;
    },
  ) {
    this.id = event.id;
    this.stream = place.stream;
    this.revision = BigInt(place.revision);
    this.position = positionOf(place.position);
    this.type = event.type;
    this.time = event.time;
    this.version = versionAtHand(event.metadata);
    this.data = this.#parse(event.data);
    this.#metadata = event.metadata;
  }

  get metadata(): unknown {
    if (this.#parsed === undefined) this.#parsed = this.#parse(this.#metadata);
    return this.#parsed;
  }

  #parse(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new StoreError({
        kind: 'StoreDamaged',
        message: `the event at position ${this.position} (revision ${this.revision} of ${this.stream}) is damaged: its JSON cannot be read; restore the log from a backup`,
        cause,
      });
    }
  }
}
