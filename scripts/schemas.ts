/**
 * `npm run schemas`: writes `schemas/events/<Type>.v<version>.json`, the newest version of each event, from the codecs; what is
 * there of older versions stays. A test holds files and codecs equal.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type * as t from 'io-ts';
import { operatorName } from '../src/room/actor.ts';
import { canonicalUri, mostMemberUri, mostRoomUri } from '../src/room/address.ts';
import type { EventTable } from '../src/room/event-definition.ts';
import { roomEvents } from '../src/room/events.ts';
import { EventMetadata } from '../src/room/metadata.ts';
import { transcriptEvents } from '../src/room/transcript.ts';
import { type Brands, type Schema, schemaOf } from './json-schema.ts';

export const folder = join(import.meta.dirname, '..', 'schemas', 'events');

const brands: Brands = {
  RoomUri: {
    type: 'string',
    maxLength: mostRoomUri,
    pattern: canonicalUri.source,
    description: 'canonical URI of a room, in the case first seen: sip:chat-001@example.org',
  },
  MemberUri: {
    type: 'string',
    maxLength: mostMemberUri,
    pattern: canonicalUri.source,
    description: 'canonical URI of a user, in the case first seen: sip:alice@example.org',
  },
  Operator: {
    type: 'string',
    pattern: operatorName.source,
    description: 'somebody with access to the management interface, or imcd itself: operator:imcd',
  },
};

const render = (title: string, description: string, codec: t.Mixed): string => {
  const defs = new Map<string, Schema>();
  const schema = schemaOf(codec, brands, defs);
  const head = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: `urn:imcd:${title}`,
    title,
    description,
  };
  const whole = { ...head, ...schema, ...(defs.size === 0 ? {} : { $defs: Object.fromEntries(defs) }) };
  return `${JSON.stringify(whole, undefined, 2)}\n`;
};

/** File name to text: the newest version of each event's data, and the metadata that stands beside each. */
export const rendered = (): ReadonlyMap<string, string> => {
  const files = new Map<string, string>();
  const add = (type: string, version: number, meaning: string, codec: t.Mixed): void => {
    const name = `${type}.v${version}`;
    files.set(`${name}.json`, render(name, meaning, codec));
  };
  const events: EventTable = { ...roomEvents, ...transcriptEvents };
  for (const [type, { version, meaning, data }] of Object.entries(events)) add(type, version, meaning, data);
  add('EventMetadata', 1, 'What stands beside an event: who asked, from where, and what it belongs to.', EventMetadata);
  return files;
};

if (import.meta.main) {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of rendered()) writeFileSync(join(folder, name), text);
  console.log(`${rendered().size} schemas written to ${folder}`);
}
