import type { ExpectedRevision, StoreFailure } from '../../ports/event-store.ts';
import { roomPrefix } from '../../room/stream.ts';
import { PositionError } from './wire.ts';

/**
 * EventStoreDB's errors, sorted. They come in many shapes: with `type` or without, with a gRPC code or without, from the call
 * or from inside the batch stream. What is not known for certain is `lost`: perhaps written.
 */
export type Trouble =
  /** Somebody was first. */
  | { readonly kind: 'wrong-revision'; readonly actual: ExpectedRevision }
  /** The server said no; asking again changes nothing. */
  | { readonly kind: 'refused'; readonly message: string }
  /** The server will not do it now, and has not done it. */
  | { readonly kind: 'not-now'; readonly message: string }
  /** Another node leads; the client has turned to it. Perhaps written. */
  | { readonly kind: 'not-leader'; readonly message: string }
  /** The connection broke, or the answer did not come. Perhaps written. */
  | { readonly kind: 'lost'; readonly message: string };

interface ErrorParts {
  readonly type: string | undefined;
  readonly code: number | undefined;
  readonly message: string;
}

const partsOf = (cause: unknown): ErrorParts => {
  if (typeof cause !== 'object' || cause === null) return { type: undefined, code: undefined, message: String(cause) };
  const { type, code, message, details }: Readonly<Record<string, unknown>> = Object.assign(
    { type: undefined, code: undefined, message: undefined, details: undefined },
    pick(cause),
  );
  return {
    type: typeof type === 'string' ? type : undefined,
    code: typeof code === 'number' ? code : undefined,
    message: [message, details].find((text) => typeof text === 'string' && text !== '')?.toString() ?? String(type),
  };
};

// `message` of an Error is not enumerable everywhere.
const pick = (cause: object): Readonly<Record<string, unknown>> => ({
  type: 'type' in cause ? cause.type : undefined,
  code: 'code' in cause ? cause.code : undefined,
  message: 'message' in cause ? cause.message : undefined,
  details: 'details' in cause ? cause.details : undefined,
});

const invalidArgument = 3;
const permissionDenied = 7;
const resourceExhausted = 8;
const unimplemented = 12;
const unavailable = 14;
const unauthenticated = 16;

/** @param cause what the client rejected with, or emitted */
export const troubleOf = (cause: unknown): Trouble => {
  const { type, code, message } = partsOf(cause);
  if (type === 'wrong-expected-version' && typeof cause === 'object' && cause !== null && 'actualVersion' in cause) {
    const actual = cause.actualVersion;
    return { kind: 'wrong-revision', actual: typeof actual === 'bigint' ? actual : 'no_stream' };
  }
  if (cause instanceof PositionError || code === invalidArgument)
    return { kind: 'refused', message: `EventStoreDB does not take the position or argument: ${message}` };
  if (type === 'access-denied' || code === unauthenticated || code === permissionDenied)
    return {
      kind: 'refused',
      message: `EventStoreDB refused the user: check the user and password of store_url, and that its access lists let this user read $all and write ${roomPrefix}* (credentials are sent over TLS only)`,
    };
  if (type === 'maximum-append-size-exceeded')
    return { kind: 'refused', message: 'the events are larger than EventStoreDB takes in one append' };
  if (type === 'stream-deleted')
    return {
      kind: 'refused',
      message: 'the stream was tombstoned in EventStoreDB: a room of that name can never be written again',
    };
  if (code === unimplemented) return { kind: 'refused', message: `what answers is not EventStoreDB: ${message}` };
  if (type === 'not-leader') return { kind: 'not-leader', message: 'the EventStoreDB node asked is not the leader' };
  if (/not ready|is busy|leader info/i.test(message))
    return { kind: 'not-now', message: `EventStoreDB is not ready: ${message}` };
  if (
    code === unavailable &&
    /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|SSL|TLS|certificate/.test(message)
  )
    return { kind: 'not-now', message: explain(message) };
  if (/^Failed to discover/.test(message))
    return { kind: 'not-now', message: 'no node of the EventStoreDB cluster answers, or none leads' };
  if (code === resourceExhausted && !/larger than max/.test(message))
    return { kind: 'lost', message: `EventStoreDB is out of resources: ${message}` };
  return { kind: 'lost', message: explain(message) };
};

/** What gRPC says about a connection that does not come about, in words that say what to do. */
export const explain = (message: string): string => {
  if (/wrong version number|packet length too long|SSL23/i.test(message))
    return 'EventStoreDB cannot be reached over TLS: the server at store_url speaks plain text; add ?tls=false, or set up TLS there';
  if (/self.signed|unable to (?:get|verify)|altnames|certificate/i.test(message))
    return `EventStoreDB's certificate is not trusted; name its authority with tlsCAFile in store_url (${message})`;
  if (/ECONNREFUSED/.test(message))
    return `nothing listens at store_url (${message}); start EventStoreDB, or correct the address`;
  if (/ENOTFOUND|EAI_AGAIN|Name resolution failed/.test(message))
    return `the host of store_url is not known (${message}); correct it, or mend DNS`;
  if (/Protocol error|Parse Error|ERR_HTTP2|Received HTTP status|trailers|content-type|larger than max/i.test(message))
    return `what listens at store_url does not speak EventStoreDB's protocol (${message}); check host, port and tls=`;
  if (/ECONNRESET|Connection dropped|socket hang up|secure TLS connection/i.test(message))
    return `the connection to EventStoreDB broke (${message}); if it never worked, tls= in store_url may not fit the server`;
  return `EventStoreDB cannot be reached (${message})`;
};

/** For everything that only reads: nothing of it can be half done. */
export const readFailure = (cause: unknown): StoreFailure => {
  const trouble = troubleOf(cause);
  if (trouble.kind === 'refused') return { kind: 'StoreRefused', message: trouble.message, cause };
  const message = trouble.kind === 'wrong-revision' ? 'EventStoreDB answered a read like an append' : trouble.message;
  return { kind: 'StoreUnavailable', message, cause };
};

/** Whether a connection that does not come about never will: TLS on one side only, a certificate that is not trusted. */
export const isPermanent = (cause: unknown): boolean =>
  /wrong version number|packet length too long|SSL23|self.signed|unable to (?:get|verify)|altnames|certificate|Protocol error|Parse Error|ERR_HTTP2|larger than max/i.test(
    partsOf(cause).message,
  );
