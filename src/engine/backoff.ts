/**
 * Milliseconds to wait before try number `attempt` (0-based): doubling from 25 ms to a cap of 800 ms, the upper half of it
 * by chance. The cap stays below 1 s, jitter included, so that all resumes within a second of the store's return.
 */
export const backoff = (attempt: number, chance: () => number): number => {
  const whole = Math.min(800, 25 * 2 ** Math.min(attempt, 10));
  return whole / 2 + (whole / 2) * chance();
};
