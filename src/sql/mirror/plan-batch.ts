import { setImmediate } from 'node:timers/promises';
import type { Position, StoredEvent } from '../../ports/event-store.ts';
import { decode, Undecodable } from '../../room/upcast.ts';
import { emptyPlan, planEvent, type RoomPlan } from './plan.ts';

/** Events planned between two looks at the sockets: below 1 ms. */
const slice = 250;

export interface PlannedBatch {
  readonly plans: readonly RoomPlan[];
  /** Of the last event that was planned. */
  readonly position: Position | undefined;
  /** An event that this version does not know; neither it nor what follows was planned. */
  readonly unknown?: string;
}

/** What the events change, room by room. */
export const planBatch = async (events: readonly StoredEvent[]): Promise<PlannedBatch> => {
  const plans = new Map<string, RoomPlan>();
  let position: Position | undefined;
  for (const [n, event] of events.entries()) {
    if (n % slice === slice - 1) await setImmediate();
    const decoded = decode(event);
    if (decoded instanceof Undecodable) {
      const unknown = `event ${event.revision} of ${event.stream} is not known to this version: ${decoded.message}`;
      return { plans: [...plans.values()], position, unknown };
    }
    let plan = plans.get(event.stream);
    if (plan === undefined) {
      plan = emptyPlan(decoded.data.room);
      plans.set(event.stream, plan);
    }
    planEvent(plan, decoded);
    position = event.position;
  }
  return { plans: [...plans.values()], position };
};
