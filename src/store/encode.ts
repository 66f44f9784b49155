import * as E from 'fp-ts/lib/Either.js';
import type { NewEvent, StoreFailure } from '../ports/event-store.ts';
import { timeIn } from '../room/metadata.ts';

/**
 * Encodes the events of an append before any store sees them: what cannot be written is refused here, in a sentence.
 * So every store refuses the same, and none finds out half way.
 */

/** An event as it is written: JSON texts, and the time by which it is found. */
export interface EncodedEvent {
  /** In lower case: a UUID is the same in either. */
  readonly id: string;
  readonly type: string;
  readonly data: string;
  readonly metadata: string;
  /** `metadata.time`; empty where there is none. */
  readonly time: string;
  /** `metadata.version`; null where it is no whole number. */
  readonly version: number | null;
}

/** Checks and encodes all events of an append: at least one, each once. `StoreRefused` where one cannot be written. */
export const encodeEvents = (stream: string, events: readonly NewEvent[]): E.Either<StoreFailure, EncodedEvent[]> => {
  if (events.length === 0) return refuse(`an append to ${stream} holds no event`);
  const list: EncodedEvent[] = [];
  for (const event of events) {
    const encoded = encodeEvent(event);
    if (E.isLeft(encoded)) return encoded;
    list.push(encoded.right);
  }
  if (list.length > 1 && new Set(list.map(({ id }) => id)).size < list.length)
    return refuse(`an append to ${stream} names one event id twice`);
  return E.right(list);
};

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

const encodeEvent = (event: NewEvent): E.Either<StoreFailure, EncodedEvent> => {
  const { type } = event;
  if (!uuid.test(event.id)) return refuse(`the event id ${JSON.stringify(event.id)} is not a UUID`);
  if (type === '') return refuse(`the event ${event.id} has no type`);
  const unencodable = `event ${type} has data or metadata that JSON cannot hold`;
  try {
    const data = JSON.stringify(event.data);
    const metadata = JSON.stringify(event.metadata);
    if (data === undefined || metadata === undefined) return refuse(unencodable);
    const id = event.id.toLowerCase();
    return E.right({ id, type, data, metadata, time: timeIn(event.metadata), version: wholeVersionIn(event.metadata) });
  } catch (cause) {
    return refuse(unencodable, cause);
  }
};

const wholeVersionIn = (metadata: unknown): number | null =>
  typeof metadata === 'object' && metadata !== null && 'version' in metadata && Number.isSafeInteger(metadata.version)
    ? Number(metadata.version)
    : null;

const refuse = (message: string, cause?: unknown): E.Either<StoreFailure, never> =>
  E.left({ kind: 'StoreRefused', message, ...(cause === undefined ? {} : { cause }) });
