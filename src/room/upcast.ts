import * as E from 'fp-ts/lib/Either.js';
import { eventCodecs, type RoomEvent } from './events.ts';

/** An event that this version does not know. `message`: what was found. */
export interface Undecodable {
  readonly message: string;
}

/** Newest version of each event's data that this code knows. */
const newest = 1;

const codecs: ReadonlyMap<string, { readonly is: (event: unknown) => event is RoomEvent }> = new Map(
  Object.entries(eventCodecs),
);

/** Today's event from a stored one of any age. Metadata is looked at only where the data does not fit: replay never parses it. */
export const upcast = (stored: {
  readonly type: string;
  readonly data: unknown;
  readonly metadata: unknown;
}): E.Either<Undecodable, RoomEvent> => {
  const codec = codecs.get(stored.type);
  if (codec === undefined) return E.left({ message: `event type ${stored.type} is not known here` });
  const event: unknown = { type: stored.type, data: stored.data };
  if (codec.is(event)) return E.right(event);
  const version = versionOf(stored.metadata);
  return E.left({
    message:
      version !== undefined && version > newest
        ? `${stored.type} has version ${version}, and ${newest} is the newest known here`
        : `the data of ${stored.type} does not have its shape`,
  });
};

const versionOf = (metadata: unknown): number | undefined => {
  if (typeof metadata !== 'object' || metadata === null || !('version' in metadata)) return undefined;
  return typeof metadata.version === 'number' ? metadata.version : undefined;
};
