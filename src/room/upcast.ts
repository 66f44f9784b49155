import * as E from 'fp-ts/lib/Either.js';
import { type EventMetadata, EventMetadata as EventMetadataCodec, eventCodecs, type RoomEvent } from './events.ts';

/** An event that this version does not know. `message`: what was found. */
export interface Undecodable {
  readonly message: string;
}

/** What of a stored event is looked at. Data and metadata are parsed JSON of any age. */
export interface Storable {
  readonly type: string;
  /** `metadata.version`, where the store has it at hand: metadata is then not looked at. */
  readonly version?: number | undefined;
  readonly data: unknown;
  readonly metadata: unknown;
}

/** Newest version of each event's data that this code knows; a stored event without one is of the first. */
export const newestVersion = 1;

interface Raw {
  readonly type: string;
  readonly data: unknown;
}
type Recognise = (event: Raw) => event is RoomEvent;

/** By type, whether the data has its shape; of the codec of the whole event only that part is left to ask. */
const codecs: ReadonlyMap<string, Recognise> = new Map(
  Object.entries(eventCodecs).map(([type, { type: codec }]): [string, Recognise] => {
    const { data } = codec.props;
    return [type, (event): event is RoomEvent => data.is(event.data)];
  }),
);

/**
 * Today's event from a stored one of any age; a Left that says what is unknown: the type, a newer version, or the shape.
 * Some 0.2 us an event: `is` walks the codec without building anything.
 */
export const upcast = (stored: Storable): E.Either<Undecodable, RoomEvent> => {
  const { type, data } = stored;
  const hasItsShape = codecs.get(type);
  if (hasItsShape === undefined) return E.left({ message: `event type ${type} is not known here` });
  const version = stored.version ?? versionOf(stored.metadata);
  if (!(version <= newestVersion)) {
    return E.left({ message: `${type} has version ${version}, and ${newestVersion} is the newest known here` });
  }
  const event: Raw = { type, data };
  return hasItsShape(event) ? E.right(event) : E.left({ message: `the data of ${type} does not have its shape` });
};

/** `metadata.version` of a stored event: 1 where there is none, NaN where it is no number. */
export const versionOf = (metadata: unknown): number => {
  if (typeof metadata !== 'object' || metadata === null || !('version' in metadata)) return 1;
  return typeof metadata.version === 'number' ? metadata.version : Number.NaN;
};

/** `metadata.time` of a stored event, RFC 3339; empty where there is none. */
export const timeOf = (metadata: unknown): string =>
  typeof metadata === 'object' && metadata !== null && 'time' in metadata && typeof metadata.time === 'string'
    ? metadata.time
    : '';

/** All of a stored event's metadata; a Left that names the fields that are missing or wrong. */
export const metadataOf = (metadata: unknown): E.Either<Undecodable, EventMetadata> => {
  const decoded = EventMetadataCodec.decode(metadata);
  if (E.isRight(decoded)) return decoded;
  // A path into an intersection names its parts by number.
  const named = decoded.left.map(({ context }) => context.findLast(({ key }) => /^\D/.test(key))?.key);
  const fields = [...new Set(named.filter((field) => field !== undefined))];
  return E.left({
    message: fields.length === 0 ? 'the metadata is no object' : `metadata without a right ${fields.join(', ')}`,
  });
};
