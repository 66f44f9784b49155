import * as t from 'io-ts';
import { MemberUri, RoomUri } from './address.ts';

/** Recorded chat messages (`record_messages`): a stream of their own beside the room's (`stream.ts`). */

/** Body as text where it is UTF-8, else in base64. */
export const MessageSent = t.strict(
  {
    type: t.literal('MessageSent'),
    data: t.intersection([
      t.type({ room: RoomUri, member: MemberUri, contentType: t.string }),
      t.partial({ body: t.string, bodyBase64: t.string }),
    ]),
  },
  'MessageSent',
);
export type MessageSent = t.TypeOf<typeof MessageSent>;
