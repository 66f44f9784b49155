import * as t from 'io-ts';
import { MemberUri, RoomUri } from './address.ts';
import { define, type EventOf } from './event-definition.ts';

/** Recorded chat messages (`record_messages`): a stream of their own beside the room's (`stream.ts`). */
export const transcriptEvents = {
  /** Body as text where it is UTF-8, else in base64. */
  MessageSent: define({
    meaning: 'A chat message was recorded (record_messages).',
    data: t.intersection([
      t.type({ room: RoomUri, member: MemberUri, contentType: t.string }),
      t.partial({ body: t.string, bodyBase64: t.string }),
    ]),
  }),
};

export type MessageSent = EventOf<typeof transcriptEvents>;
