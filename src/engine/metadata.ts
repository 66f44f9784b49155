import type { Actor } from '../room/actor.ts';
import { roomEvents } from '../room/events.ts';
import type { EventMetadata } from '../room/metadata.ts';
import { transcriptEvents } from '../room/transcript.ts';
import type { Origin } from './conference.ts';

const written = { ...roomEvents, ...transcriptEvents };

/** What an event's metadata is made of besides its origin. */
export interface MetadataParts {
  /** The event's type. */
  readonly type: keyof typeof written;
  readonly actor: Actor;
  /** This node's name. */
  readonly node: string;
  /** RFC 3339, UTC, milliseconds. */
  readonly time: string;
  /** Id of the event that led to this one; the request itself where there is none. */
  readonly causationId?: string | undefined;
}

/** The metadata of an event, or of a recorded message, that a request led to. */
export const metadataOf = (origin: Origin, { type, actor, node, time, causationId }: MetadataParts): EventMetadata => ({
  $correlationId: origin.correlationId,
  $causationId: causationId ?? origin.correlationId,
  version: written[type].version,
  actor,
  source: origin.source,
  node,
  time,
  ...origin.request,
  ...(origin.importedFrom === undefined ? {} : { origin: origin.importedFrom }),
});
