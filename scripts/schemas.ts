/** `npm run schemas`: writes `schemas/events/<Type>.v1.json` from the codecs. A test holds the files and the codecs equal. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { operatorName } from '../src/room/actor.ts';
import { canonicalUri, mostMemberUri, mostRoomUri } from '../src/room/address.ts';
import { EventMetadata, type EventType, eventCodecs } from '../src/room/events.ts';
import { MessageSent } from '../src/room/transcript.ts';
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

const meanings: Readonly<Record<EventType, string>> = {
  RoomCreated: 'A room was made; its owner is its first member.',
  MemberJoined: 'A user who was not invited became a member by joining.',
  MemberInvited: 'A user was invited.',
  InvitationAccepted: 'An invited user became a member.',
  InvitationDenied: 'An invited user declined.',
  InvitationWithdrawn: 'An invitation ended without the invited user: removed, or not deliverable at any device.',
  MemberRemoved: 'A member was removed.',
  MemberExited: 'A member left.',
  MemberAdded: 'A user was made a member at once; an invitation, if there was one, ended so.',
  RoleChanged: 'A member has another role; with the role owner the owner until then became admin.',
  RoomDestroyed: 'The room, its members and its invitations are gone; the name is free, and its stream goes on.',
};

const render = (title: string, description: string, codec: Parameters<typeof schemaOf>[0]): string => {
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

/** File name to text: one for each event's data, one for the metadata that stands beside each. */
export const rendered = (): ReadonlyMap<string, string> => {
  const files = new Map<string, string>();
  const add = (name: string, description: string, codec: Parameters<typeof schemaOf>[0]): void => {
    files.set(`${name}.v1.json`, render(`${name}.v1`, description, codec));
  };
  for (const [type, { type: codec }] of Object.entries(eventCodecs)) {
    add(type, meanings[codec.props.type.value], codec.props.data);
  }
  add('MessageSent', 'A chat message was recorded (record_messages).', MessageSent.type.props.data);
  add('EventMetadata', 'What stands beside an event: who asked, from where, and what it belongs to.', EventMetadata);
  return files;
};

if (import.meta.main) {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of rendered()) writeFileSync(join(folder, name), text);
  console.log(`${rendered().size} schemas written to ${folder}`);
}
