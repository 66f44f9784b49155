import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { any, shared, status as statusPb } from './generated.ts';
import type { Expected } from './log.ts';

/** A call's error as the server sends it: the client looks at the code and at `exception` in the trailers. */
export const callError = (
  code: number,
  details: string,
  trailers: Readonly<Record<string, string>> = {},
): ServiceError => {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(trailers)) metadata.set(name, value);
  return Object.assign(new Error(details), { code, details, metadata });
};

export const notReady = (): ServiceError => callError(status.UNAVAILABLE, 'Server Is Not Ready');
export const accessDenied = (): ServiceError =>
  callError(status.UNAUTHENTICATED, 'Invalid credentials', { exception: 'access-denied' });
export const streamDeleted = (stream: string): ServiceError =>
  callError(status.FAILED_PRECONDITION, `Event stream '${stream}' is deleted.`, {
    exception: 'stream-deleted',
    'stream-name': stream,
  });

/** The status of one append inside a batch stream. */
const failed = (typeName: string, message: string, details: Uint8Array) => {
  const packed = new any.Any();
  packed.pack(details, typeName);
  return new statusPb.Status().setCode(2).setMessage(message).setDetails(packed);
};

export const batchError = {
  notReady: () => failed('google.protobuf.Empty', 'Server Is Not Ready', new Uint8Array()),
  timeout: () => failed('event_store.client.Timeout', 'Timeout', new shared.Timeout().serializeBinary()),
  accessDenied: () =>
    failed('event_store.client.AccessDenied', 'Access Denied', new shared.AccessDenied().serializeBinary()),
  deleted: () => failed('event_store.client.StreamDeleted', 'deleted', new shared.StreamDeleted().serializeBinary()),
  tooLarge: (most: number) =>
    failed(
      'event_store.client.MaximumAppendSizeExceeded',
      'Maximum append size exceeded',
      new shared.MaximumAppendSizeExceeded().setMaxappendsize(most).serializeBinary(),
    ),
  wrongVersion: (expected: Expected, current: number | 'no_stream') => {
    const wrong = new shared.WrongExpectedVersion();
    const empty = new shared.Empty();
    if (current === 'no_stream') wrong.setCurrentNoStream(empty);
    else wrong.setCurrentStreamRevision(String(current));
    if (expected === 'no_stream') wrong.setExpectedNoStream(empty);
    else if (expected === 'any') wrong.setExpectedAny(empty);
    else if (expected === 'stream_exists') wrong.setExpectedStreamExists(empty);
    else wrong.setExpectedStreamPosition(String(expected));
    return failed('event_store.client.WrongExpectedVersion', 'wrong', wrong.serializeBinary());
  },
};
