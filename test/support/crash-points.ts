/** Where `crashing-server.ts` can kill itself. */
export const crashPoints = [
  'before the append',
  'between fsync and answer',
  'between answer and announcement',
  'in replay',
] as const;
export type CrashPoint = (typeof crashPoints)[number];
