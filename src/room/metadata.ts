import * as t from 'io-ts';
import { Actor } from './actor.ts';

/**
 * What stands beside an event: who asked, from where, and what it belongs to. `$correlationId` and `$causationId` are the
 * names that EventStoreDB's own tools look for: the first is the request's Call-ID (an MI call's or an import's id), shared by
 * all that follows from it; the second the id of the request, or of the event, that led directly to this one.
 */
export const EventMetadata = t.intersection(
  [
    t.type({
      $correlationId: t.string,
      $causationId: t.string,
      /** Version of the event's data; `schemas/events/<Type>.v<version>.json`. */
      version: t.number,
      /** Who asked: a member's URI, or `operator:NAME`. */
      actor: Actor,
      /** `udp:192.0.2.1:5060`, `tcp:...`, `mi:http:127.0.0.1:40000`, `mi:fifo`, `import`, or `imcd` for a consequence. */
      source: t.string,
      /** The node that took the command (`node` option). */
      node: t.string,
      /** RFC 3339, UTC, milliseconds, by the node's clock. */
      time: t.string,
    }),
    t.partial({
      callId: t.string,
      /** Number and method, e.g. `1 MESSAGE`. */
      cseq: t.string,
      fromTag: t.string,
      /** Imported events: where the row stood. */
      origin: t.string,
    }),
  ],
  'EventMetadata',
);
export type EventMetadata = t.TypeOf<typeof EventMetadata>;

/** `metadata.version` of a stored event: 1 where there is none, NaN where it is no number. */
export const versionIn = (metadata: unknown): number => {
  if (typeof metadata !== 'object' || metadata === null || !('version' in metadata)) return 1;
  return typeof metadata.version === 'number' ? metadata.version : Number.NaN;
};

/** `metadata.time` of a stored event, RFC 3339; empty where there is none. */
export const timeIn = (metadata: unknown): string =>
  typeof metadata === 'object' && metadata !== null && 'time' in metadata && typeof metadata.time === 'string'
    ? metadata.time
    : '';
