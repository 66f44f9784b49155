import type { Clock } from '../ports/clock.ts';
import type { Rooms } from './rooms.ts';

/** What is counted over all rooms, in slices: 100,000 rooms of 10 are 1,000,000 members. */
export interface Census {
  readonly members: number;
  readonly invitations: number;
}

const sliceOf = 20_000;
/** Whoever asks again within this gets the last count. */
const freshMs = 1_000;

/** Counts members and invited ones, at most once a second whoever asks; the event loop gets its turn every 20,000. */
export const createCensus = (rooms: Pick<Rooms, 'all'>, clock: Pick<Clock, 'monotonic'>): (() => Promise<Census>) => {
  let last: Census = { members: 0, invitations: 0 };
  let freshUntil = Number.NEGATIVE_INFINITY;
  let counting: Promise<Census> | undefined;
  return () => {
    if (clock.monotonic() < freshUntil) return Promise.resolve(last);
    counting ??= count(rooms).then((census) => {
      last = census;
      freshUntil = clock.monotonic() + freshMs;
      counting = undefined;
      return census;
    });
    return counting;
  };
};

const count = async (rooms: Pick<Rooms, 'all'>): Promise<Census> => {
  let members = 0;
  let invitations = 0;
  let slice = 0;
  for (const room of rooms.all()) {
    for (const { role } of room.members.values()) {
      if (role === 'invited') invitations += 1;
      else members += 1;
    }
    slice += room.members.size;
    if (slice < sliceOf) continue;
    slice = 0;
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  return { members, invitations };
};
