export interface Timer {
  readonly cancel: () => void;
}

export interface Clock {
  /** Wall clock, milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds from an arbitrary start, never going back. */
  readonly monotonic: () => number;
  readonly after: (ms: number, run: () => void) => Timer;
}
