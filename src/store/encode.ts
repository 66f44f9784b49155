import * as E from 'fp-ts/lib/Either.js';
import type { NewEvent, StoreFailure } from '../ports/event-store.ts';
import { timeIn } from '../room/metadata.ts';

/** An event as it is written: JSON texts, and the time by which it is found. */
export interface Encoded {
  /** In lower case: a UUID is the same in either. */
  readonly id: string;
  readonly data: string;
  readonly metadata: string;
  /** `metadata.time`; empty where there is none. */
  readonly time: string;
  /** `metadata.version`; null where it is no whole number. */
  readonly version: number | null;
}

export interface EncodedEvent extends Encoded {
  readonly type: string;
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Checks and encodes an event before any store sees it: what cannot be written is refused here, in a sentence. */
export const encodeEvent = (event: NewEvent): E.Either<StoreFailure, Encoded> => {
  const refuse = (message: string, cause?: unknown): E.Either<StoreFailure, Encoded> =>
    E.left({ kind: 'StoreRefused', message, ...(cause === undefined ? {} : { cause }) });
  if (!uuid.test(event.id)) return refuse(`the event id ${JSON.stringify(event.id)} is not a UUID`);
  if (event.type === '') return refuse(`the event ${event.id} has no type`);
  try {
    const data = JSON.stringify(event.data);
    const metadata = JSON.stringify(event.metadata);
    if (data === undefined || metadata === undefined)
      return refuse(`event ${event.type} has data or metadata that JSON cannot hold`);
    return E.right({
      id: event.id.toLowerCase(),
      data,
      metadata,
      time: timeIn(event.metadata),
      version: versionOf(event.metadata),
    });
  } catch (cause) {
    return refuse(`event ${event.type} has data or metadata that JSON cannot hold`, cause);
  }
};

/** Checks and encodes all events of an append: at least one, each once. */
export const encodeEvents = (stream: string, events: readonly NewEvent[]): E.Either<StoreFailure, EncodedEvent[]> => {
  const refuse = (message: string): E.Either<StoreFailure, never> => E.left({ kind: 'StoreRefused', message });
  if (events.length === 0) return refuse(`an append to ${stream} holds no event`);
  const list: EncodedEvent[] = [];
  for (const event of events) {
    const encoded = encodeEvent(event);
    if (E.isLeft(encoded)) return encoded;
    list.push({ type: event.type, ...encoded.right });
  }
  if (list.length > 1 && new Set(list.map(({ id }) => id)).size < list.length)
    return refuse(`an append to ${stream} names one event id twice`);
  return E.right(list);
};

/** `metadata.version` of an event; null where it is no whole number. */
export const versionOf = (metadata: unknown): number | null =>
  typeof metadata === 'object' && metadata !== null && 'version' in metadata && Number.isSafeInteger(metadata.version)
    ? Number(metadata.version)
    : null;
