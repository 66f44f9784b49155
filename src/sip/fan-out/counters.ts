/** What the fan-out counts. They are plain numbers that `metrics.ts` shows. */

export interface FanOutCounters {
  messages: number;
  /** First transmissions. */
  copies: number;
  delivered: number;
  /** Copies that failed, by status or reason. */
  readonly failures: Record<string, number>;
  /** Copies over 1,300 bytes that a UDP destination was sent by TCP. */
  largeOverTcp: number;
  /** Copies over 1,300 bytes that went by UDP all the same. */
  largeOverUdp: number;
  /** Timer E repetitions kept back from silent or dead destinations. */
  repetitionsSpared: number;
}

export const newFanOutCounters = (): FanOutCounters => ({
  messages: 0,
  copies: 0,
  delivered: 0,
  failures: {},
  largeOverTcp: 0,
  largeOverUdp: 0,
  repetitionsSpared: 0,
});
