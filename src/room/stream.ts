import type { RoomKey } from './address.ts';

/**
 * Names of the log's streams: `CATEGORY-user@domain`, lower case, so that `$ce-room` of EventStoreDB is all rooms. Nothing else
 * in the code knows how a stream is called.
 */

/** `room`: the history of a room's name. `transcript`: its recorded chat messages (`record_messages`), which are no part of its state. */
export type Category = 'room' | 'transcript';

const prefixes = { room: 'room-', transcript: 'transcript-' } as const satisfies { [C in Category]: string };

/** With what the name of every room's stream begins, and of no other: for filters and access lists. */
export const roomPrefix = prefixes.room;

/** Any stream that imcd names: what stands before the room's key, and that there is one. */
export const streamName = new RegExp(`^(?:${prefixes.room}|${prefixes.transcript}).`);

/** The stream that holds a room's events. */
export const streamOf = (key: RoomKey): string => prefixes.room + key;

/** The stream that holds a room's recorded messages. */
export const transcriptOf = (key: RoomKey): string => prefixes.transcript + key;

/** What a stream holds; undefined where it is none of imcd's. */
export const categoryOf = (stream: string): Category | undefined => {
  if (stream.startsWith(prefixes.room)) return 'room';
  return stream.startsWith(prefixes.transcript) ? 'transcript' : undefined;
};

/** The room whose events a stream holds; undefined for a stream that is not a room's. */
export const roomOfStream = (stream: string): RoomKey | undefined =>
  stream.startsWith(prefixes.room) ? (stream.slice(prefixes.room.length) as RoomKey) : undefined;
