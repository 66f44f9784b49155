import { createCensus } from '../../../src/read-models/census.ts';
import { roomMetrics } from '../../../src/read-models/metrics.ts';
import { createRooms, type Rooms } from '../../../src/read-models/rooms.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { readerOf, type Story, story } from '../story.ts';
import type { Place } from './place.ts';

/** Stories of the rooms, on a running server. */
export const roomStories = ({ read, user, room }: Place): readonly Story[] => [
  story('rooms', 'a room is created', async () => {
    const ann = await user('ann');
    return { read, act: () => ann.say(room(), '#join') };
  }),
  story('members', 'a user joins', async () => {
    const [ann, bob, chat] = [await user('ann'), await user('bob'), room()];
    await ann.say(chat, '#join');
    return { read, act: () => bob.say(chat, '#join') };
  }),
  story('invitations', 'a user is invited', async () => {
    const [ann, bob, chat] = [await user('ann'), await user('bob'), room()];
    await ann.say(chat, '#join');
    return { read, act: () => ann.say(chat, `#invite ${bob.aor}`) };
  }),
  story('room_buckets', 'hash_size is one more', () => {
    let rooms: Rooms = createRooms(4);
    const counted = {
      get rooms() {
        return rooms;
      },
      census: createCensus(rooms, systemClock),
    };
    return {
      read: readerOf(roomMetrics, counted),
      act: () => {
        rooms = createRooms(5);
      },
    };
  }),
];
