import type { Target } from '../transport/transport.ts';
import { Destination } from './destination.ts';

/** The destinations that copies went to last. One that has been idle is forgotten when many others have come since. */

export interface Destinations {
  readonly of: (target: Target) => Destination;
  readonly all: () => Iterable<Destination>;
}

/** @param limit most destinations remembered; beyond, the oldest idle one is forgotten */
export const createDestinations = (limit = 16_384): Destinations => {
  const table = new Map<string, Destination>();

  const forgetIdle = (): void => {
    for (const [key, { idle }] of table) {
      if (!idle) continue;
      table.delete(key);
      return;
    }
  };

  return {
    of: (target) => {
      const key = keyOf(target);
      const known = table.get(key);
      if (known !== undefined) return known;
      if (table.size >= limit) forgetIdle();
      const made = new Destination(target);
      table.set(key, made);
      return made;
    },
    all: () => table.values(),
  };
};

const keyOf = ({ flow, transport, host, port }: Target): string =>
  flow === undefined ? `${transport}:${host}:${port}` : `${flow.id}:${host}:${port}`;
