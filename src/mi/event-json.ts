import type { StoredEvent } from '../ports/event-store.ts';
import type { RoomState } from '../room/room.ts';
import { shownData } from '../room/upcast.ts';

/** The JSON forms of events and states that scripts hold on to: `imcd history --json`, `imcd state --json` and MI alike. */

const field = (record: unknown, name: string): unknown =>
  typeof record === 'object' && record !== null && Object.hasOwn(record, name)
    ? (record as Readonly<Record<string, unknown>>)[name]
    : undefined;
const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);

/**
 * What is absent is null, so that every line has the same members. `data` are in today's form, so that whoever reads a history
 * meets one shape a type; `metadata` stand as they were written, `version` among them, which says in what form the data stand
 * in the log (an export gives those). An event that this version does not know is given as it stands.
 */
export const eventJson = (event: StoredEvent) => {
  const data = shownData(event);
  return {
    position: event.position,
    stream: event.stream,
    revision: Number(event.revision),
    type: event.type,
    time: event.time,
    room: text(field(data, 'room')),
    actor: text(field(event.metadata, 'actor')),
    source: text(field(event.metadata, 'source')),
    callId: text(field(event.metadata, 'callId')),
    data,
    metadata: event.metadata,
  };
};

/** A living room, `topic` where one is set; null for none (never made, or destroyed). */
export const stateJson = (revision: bigint | undefined, room: RoomState) =>
  room === undefined
    ? null
    : {
        room: room.uri,
        revision: Number(revision ?? 0n),
        private: room.private,
        ...(room.topic === '' ? {} : { topic: room.topic }),
        owner: room.members.get(room.owner)?.uri ?? null,
        members: Array.from(room.members.values(), ({ uri, role, since }) => ({ uri, role, since })),
      };

export const eventSchema = {
  type: 'object',
  required: ['position', 'stream', 'revision', 'type', 'time', 'room', 'actor', 'source', 'callId', 'data', 'metadata'],
  properties: {
    position: { type: 'string' },
    stream: { type: 'string' },
    revision: { type: 'integer', minimum: 0 },
    type: { type: 'string' },
    time: { type: 'string', format: 'date-time' },
    room: { type: ['string', 'null'] },
    actor: { type: ['string', 'null'] },
    source: { type: ['string', 'null'] },
    callId: { type: ['string', 'null'] },
    data: {},
    metadata: {},
  },
} as const;

export const stateSchema = {
  type: 'object',
  required: ['room', 'revision', 'private', 'owner', 'members'],
  properties: {
    room: { type: 'string' },
    revision: { type: 'integer', minimum: 0 },
    private: { type: 'boolean' },
    topic: { type: 'string' },
    owner: { type: ['string', 'null'] },
    members: {
      type: 'array',
      items: {
        type: 'object',
        required: ['uri', 'role', 'since'],
        properties: {
          uri: { type: 'string' },
          role: { enum: ['owner', 'admin', 'member', 'invited'] },
          since: { type: 'string' },
        },
      },
    },
  },
} as const;
