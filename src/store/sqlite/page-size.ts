/** How large a page of events is: bounded by what it weighs and not only by how many it holds. */

/** Events in a page at most; fewer where they are large, so that a page stays near 1 MB. */
const mostEvents = 1_000;
const wantedBytes = 1_000_000;

/**
 * How many events the next page of one reading asks for: grows and shrinks with what they weigh.
 * Starts small, for most readings are of one room's few events.
 */
export class PageSize {
  #events = 64;

  get events(): number {
    return this.#events;
  }

  /** Tells what the last page was. `bytes`: of data and metadata. */
  took(events: number, bytes: number): void {
    const fitting = bytes === 0 ? mostEvents : Math.floor((events * wantedBytes) / bytes);
    this.#events = Math.max(1, Math.min(mostEvents, fitting, this.#events * 2));
  }
}
