/** What goes into a projection and what comes out of it, as all who run one have it. */

/** An event as a log has it. */
export interface ProjectionEvent {
  readonly id: string;
  readonly type: string;
  readonly stream: string;
  readonly revision: number;
  /** JSON texts, as they were written. */
  readonly data: string;
  readonly metadata: string;
}

/** What a projection writes: an event of its own, or a link to one (`$>`, its data is `3@room-x`). */
export interface Emitted {
  readonly stream: string;
  readonly type: string;
  readonly data: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** State and result of one partition; the partition of all that is not partitioned is ''. */
export interface PartitionOutcome {
  readonly partition: string;
  readonly state: unknown;
  readonly result: unknown;
}

export interface InterpreterLimits {
  /** Most partitions. */
  readonly partitions: number;
  /** Most characters of one state. */
  readonly state: number;
  /** Most events and links that one event may write. */
  readonly emitted: number;
}

/** What a projection's text says it wants. */
export interface Definition {
  readonly source: { readonly kind: 'all' | 'category' | 'stream'; readonly names: readonly string[] };
  readonly partitioned: boolean;
  readonly outputsState: boolean;
}
