import type { Position, StoredEvent } from '../engine/ports.ts';
import { StoreError } from '../engine/ports.ts';

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
 * An event as it stands in the file. A class with getters, because a million are made at a replay: what nobody asks for
 * (metadata, position, id) costs nothing. Arguments in place of a record, for the same reason.
 */
export class FileEvent implements StoredEvent {
  readonly id: string;
  readonly stream: string;
  readonly type: string;
  readonly time: string;
  readonly version: number | undefined;
  readonly data: unknown;
  readonly #position: number;
  readonly #revision: number;
  readonly #metadata: string;
  #parsed: unknown;

  constructor(
    position: number,
    stream: string,
    revision: number,
    id: string,
    type: string,
    time: string,
    version: number | null,
    data: string,
    metadata: string,
  ) {
    this.#position = position;
    this.#revision = revision;
    this.#metadata = metadata;
    this.id = id;
    this.stream = stream;
    this.type = type;
    this.time = time;
    this.version = version ?? undefined;
    this.data = this.#parse(data);
  }

  get position(): Position {
    return positionOf(this.#position);
  }

  get revision(): bigint {
    return BigInt(this.#revision);
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
