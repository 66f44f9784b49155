import type { EventDefinition, EventOf, EventTable, OldData } from './event-definition.ts';
import { type RoomEvent, roomEvents } from './events.ts';
import { versionIn } from './metadata.ts';

/** What of a stored event is looked at. Data and metadata are parsed JSON of any age. */
export interface Storable {
  readonly type: string;
  /** `metadata.version`, where the store has it at hand: metadata is then not looked at. */
  readonly version?: number | undefined;
  readonly data: unknown;
  readonly metadata: unknown;
}

/** An event that this version does not know. `message`: what was found. */
export class Undecodable {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

/** Today's event from a stored one of any age; `Undecodable` says what is unknown: the type, a newer version, or the shape. */
export type Decode<E> = (stored: Storable) => E | Undecodable;

/**
 * Reads stored events by a table. One of an older version is brought up step by step, and looked at once it is of the newest.
 * One of the newest costs some 0.2 us: `is` walks the codec without building anything.
 */
export const decodeWith = <Table extends EventTable>(table: Table): Decode<EventOf<Table>> => {
  const rows: ReadonlyMap<string, Row> = new Map(Object.entries(table).map(([type, row]) => [type, { ...row, type }]));
  const isKnown = (event: Raw, row: Row): event is EventOf<Table> => row.data.is(event.data);
  return (stored) => {
    const row = rows.get(stored.type);
    if (row === undefined) return new Undecodable(`event type ${stored.type} is not known here`);
    const version = stored.version ?? versionIn(stored.metadata);
    if (!isVersionOf(row, version))
      return new Undecodable(`${row.type} has version ${version}, and ${row.version} is the newest known here`);
    const data = version === row.version ? stored.data : broughtUp(stored.data, version, row);
    // The table's own string for the type, not the one just read: whoever looks it up in a table finds it by identity.
    const event: Raw = { type: row.type, data };
    return isKnown(event, row) ? event : new Undecodable(`the data of ${row.type} does not have its shape`);
  };
};

interface Row extends EventDefinition {
  readonly type: string;
}
interface Raw {
  readonly type: string;
  readonly data: unknown;
}

const isVersionOf = (row: Row, version: number): boolean =>
  version === row.version || (Number.isInteger(version) && version >= 1 && version < row.version);

/** Data of an older version as the newest has them; anything where they never had the shape of theirs. */
const broughtUp = (data: unknown, version: number, { upcasts }: Row): unknown => {
  try {
    return upcasts.slice(version - 1).reduce((old, upcast) => (isObject(old) ? upcast(old) : old), data);
  } catch {
    return undefined; // A step met what its version never wrote: no shape of any version.
  }
};

const isObject = (value: unknown): value is OldData => typeof value === 'object' && value !== null;

/** Reads what stands in rooms' streams. */
export const decode: Decode<RoomEvent> = decodeWith(roomEvents);

/** The data of a stored event in today's form; as they stand where this version does not know the event. For showing. */
export const shownData = (stored: Storable): unknown => {
  const event = decode(stored);
  return event instanceof Undecodable ? stored.data : event.data;
};
