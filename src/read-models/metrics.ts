import { gauge, type Metric } from '../ports/metric.ts';
import type { Census } from './census.ts';
import type { Rooms } from './rooms.ts';

export interface CountedRooms {
  readonly rooms: Pick<Rooms, 'size' | 'buckets'>;
  readonly census: () => Promise<Census>;
}

/** The rooms as they are. */
export const roomMetrics: readonly Metric<CountedRooms>[] = [
  gauge('rooms', ['imc', 'active_rooms'], 'Living rooms.', ({ rooms }) => rooms.size),
  gauge(
    'room_buckets',
    ['imc', 'room_buckets'],
    'Buckets of the room table (hash_size).',
    ({ rooms }) => rooms.buckets,
  ),
  gauge(
    'members',
    ['imc', 'members'],
    'Members over all rooms, invited ones not counted.',
    async ({ census }) => (await census()).members,
  ),
  gauge(
    'invitations',
    ['imc', 'invitations'],
    'Pending invitations over all rooms.',
    async ({ census }) => (await census()).invitations,
  ),
];
