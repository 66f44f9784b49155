/** Milliseconds: the longest wait before the second try, and before any. */
export interface Backoff {
  readonly firstMs: number;
  readonly mostMs: number;
}

/**
 * Milliseconds to wait before try number `attempt` (0-based): doubling from `firstMs` to `mostMs`, the upper half by chance,
 * so that many who lost the same thing at once do not come back at once. Never more than `mostMs`, jitter included.
 */
export const backoff = ({ firstMs, mostMs }: Backoff, attempt: number, chance: () => number): number => {
  const whole = Math.min(mostMs, firstMs * 2 ** Math.min(attempt, 10));
  return whole / 2 + (whole / 2) * chance();
};
