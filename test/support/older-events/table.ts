import { define } from '../../../src/room/event-definition.ts';
import { roomEvents as real } from '../../../src/room/events.ts';

/**
 * The table of events as if `MemberJoined` had had two versions before today's: version 1 `{ room, user }`, version 2
 * `{ room, member, secure }`. `preload.ts` puts it in the place of the real one.
 */
export * from '../../../src/room/events.ts';

export const roomEvents = {
  ...real,
  MemberJoined: define({
    meaning: real.MemberJoined.meaning,
    data: real.MemberJoined.data,
    upcasts: [
      ({ user, ...rest }) => ({ ...rest, member: user, secure: false }),
      ({ secure, ...rest }) => (secure === true ? { ...rest, scheme: 'sips' } : rest),
    ],
  }),
};
