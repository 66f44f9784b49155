import * as E from 'fp-ts/lib/Either.js';
import type { NewEvent, StoreFailure } from '../engine/ports.ts';

/** An event as it is written: JSON texts, and the time by which it is found. */
export interface Encoded {
  readonly data: string;
  readonly metadata: string;
  /** `metadata.time`; empty where there is none. */
  readonly time: string;
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Checks and encodes an event before any store sees it: what cannot be written is refused here, in a sentence. */
export const encodeEvent = (event: NewEvent): E.Either<StoreFailure, Encoded> => {
  const refuse = (message: string, cause?: unknown): E.Either<StoreFailure, Encoded> =>
    E.left({ kind: 'StoreRefused', message, ...(cause === undefined ? {} : { cause }) });
  if (!uuid.test(event.id)) return refuse(`the event id ${event.id} is not a UUID`);
  try {
    const data = JSON.stringify(event.data);
    const metadata = JSON.stringify(event.metadata);
    if (data === undefined || metadata === undefined)
      return refuse(`event ${event.type} has data or metadata that JSON cannot hold`);
    return E.right({ data, metadata, time: timeOf(event.metadata) });
  } catch (cause) {
    return refuse(`event ${event.type} has data or metadata that JSON cannot hold`, cause);
  }
};

/** `metadata.time` of an event; empty where there is none. */
export const timeOf = (metadata: unknown): string =>
  typeof metadata === 'object' && metadata !== null && 'time' in metadata && typeof metadata.time === 'string'
    ? metadata.time
    : '';
