/** What a projection may use: bounds for a program that somebody else has written. */
export interface ProjectionLimits {
  /** Most partitions, and characters of one state. */
  readonly partitions: number;
  readonly state: number;
  /** Most events and links that it may write, by one event and in all. */
  readonly emittedByOne: number;
  readonly emitted: number;
  /** Most bytes that it may give back, states and what it writes together. */
  readonly bytes: number;
  /** Heap, in MiB; the process may be twice as large and 100 MiB, with all that is no heap. */
  readonly memoryMiB: number;
  /** Milliseconds for one batch of events. */
  readonly batchMs: number;
}

export const projectionLimits: ProjectionLimits = {
  partitions: 200_000,
  state: 16 * 1024 * 1024,
  emittedByOne: 1_000,
  emitted: 5_000_000,
  bytes: 2 * 1024 * 1024 * 1024,
  memoryMiB: 256,
  batchMs: 10_000,
};

/** The projection is wrong, or wants too much; `message` is a sentence. */
export class ProjectionFault extends Error {}
