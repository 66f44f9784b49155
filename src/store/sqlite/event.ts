import type { Position, StoredEvent } from '../../ports/event-store.ts';
import { StoreError } from '../../ports/event-store.ts';
import { numberedPosition } from '../numbered-position.ts';

/**
 * A stored event as it comes out of the embedded log.
 * Made so that a replay of a million pays only for what it looks at.
 */

/** What a replay does not ask for. */
export interface Rest {
  readonly id: string;
  /** JSON. */
  readonly metadata: string;
}

/**
 * An event as it stands in the file. A class with getters, because a million are made at a replay: what nobody asks for
 * (position, id, metadata) costs nothing. Arguments in place of a record, for the same reason.
 */
export class FileEvent implements StoredEvent {
  readonly stream: string;
  readonly type: string;
  readonly time: string;
  readonly version: number | undefined;
  readonly data: unknown;
  readonly #position: number;
  readonly #revision: number;
  readonly #restOf: (position: number) => Rest;
  #metadata: unknown;

  /** @param restOf gives the rest of the event at a position; may read it from the file only then */
  constructor(
    position: number,
    stream: string,
    revision: number,
    type: string,
    time: string,
    version: number | undefined,
    data: string,
    restOf: (position: number) => Rest,
  ) {
    this.#position = position;
    this.#revision = revision;
    this.#restOf = restOf;
    this.stream = stream;
    this.type = type;
    this.time = time;
    this.version = version;
    this.data = this.#parse(data);
  }

  get id(): string {
    return this.#restOf(this.#position).id;
  }

  get position(): Position {
    return numberedPosition(this.#position);
  }

  get revision(): bigint {
    return BigInt(this.#revision);
  }

  get metadata(): unknown {
    if (this.#metadata === undefined) this.#metadata = this.#parse(this.#restOf(this.#position).metadata);
    return this.#metadata;
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
