/**
 * A timer wheel for slots numbered from 0: any number of timers behind one. Setting and cancelling cost a few stores into
 * typed arrays and leave no garbage; a timer a copy through setTimeout would cost more than sending the copy.
 */
export interface TimerWheel {
  /** Sets the slot's only timer, `ticks` (1 to `size - 1`) from now; replaces the one that was set. */
  readonly set: (slot: number, ticks: number) => void;
  readonly cancel: (slot: number) => void;
  /** Moves on by one tick and calls `due` for each slot whose time has come; `due` may set timers again. */
  readonly tick: (due: (slot: number) => void) => void;
  /** Timers that are set. */
  readonly pending: () => number;
}

/**
 * @param slots number of slots
 * @param size ticks that the wheel is round; a power of two, larger than the longest timer
 */
export const createTimerWheel = (slots: number, size: number): TimerWheel => {
  // Doubly linked lists: entries 0..slots-1 are the slots, slots.. are the buckets' heads.
  const next = new Int32Array(slots + size);
  const previous = new Int32Array(slots + size);
  next.fill(-1, 0, slots);
  for (let bucket = slots; bucket < slots + size; bucket += 1) {
    next[bucket] = bucket;
    previous[bucket] = bucket;
  }
  let now = 0;
  let set = 0;

  const at = (list: Int32Array, index: number): number => list[index] ?? -1;

  const cancel = (slot: number): void => {
    const after = at(next, slot);
    if (after === -1) return;
    const before = at(previous, slot);
    next[before] = after;
    previous[after] = before;
    next[slot] = -1;
    set -= 1;
  };

  return {
    set: (slot, ticks) => {
      if (at(next, slot) !== -1) cancel(slot);
      const bucket = slots + ((now + ticks) & (size - 1));
      const last = at(previous, bucket);
      next[last] = slot;
      previous[slot] = last;
      next[slot] = bucket;
      previous[bucket] = slot;
      set += 1;
    },
    cancel,
    tick: (due) => {
      now += 1;
      const bucket = slots + (now & (size - 1));
      // One at a time from the front: `due` may cancel others of this bucket, and never adds to it (ticks < size).
      for (let slot = at(next, bucket); slot !== bucket; slot = at(next, bucket)) {
        cancel(slot);
        due(slot);
      }
    },
    pending: () => set,
  };
};
