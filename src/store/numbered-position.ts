import { type Position, StoreError } from '../ports/event-store.ts';

/** Positions of the logs that number their events, as text: 16 digits, so that they also sort as text. */

const width = 16;

/** The position of the event with this number. */
export const numberedPosition = (number: number): Position => String(number).padStart(width, '0') as Position;

/** The number in a position. Throws `StoreError` for one that no such log has given. */
export const positionNumber = (position: Position): number => {
  if (/^\d{16}$/.test(position)) return Number(position);
  throw new StoreError({
    kind: 'StoreRefused',
    message: `${position} is not a position of this log: positions have 16 digits`,
  });
};
