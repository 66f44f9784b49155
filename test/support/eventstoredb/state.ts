import type { MemoryLog } from './log.ts';

/** How one server of the double is at the moment: what its handlers ask before they do anything. */
export interface NodeState {
  readonly log: MemoryLog;
  port: number;
  /** False from a kill to the next start. */
  up: boolean;
  /** `not-ready`: starting, or electing. `draining`: SIGTERM has come. */
  health: 'ready' | 'not-ready' | 'draining';
  /** Appends that have arrived and are not executed; undefined while appends are executed as they come. */
  held: (() => void)[] | undefined;
  /** Called whenever an append is held. */
  onHeld: () => void;
  /** Streams that are open at this server: reads, subscriptions, batch appends. */
  open: number;
  /** Most that were ever open at once. */
  mostOpen: number;
  /** What arrived, for tests that count. */
  readonly counted: {
    appends: number;
    batchStreams: number;
    reads: number;
    subscriptions: number;
    overlapping: number;
  };
  /** `user:password` that calls must carry; undefined: insecure, everybody may. */
  readonly credentials: string | undefined;
  readonly version: string;
  /** Others of the cluster, this one included. */
  cluster: readonly NodeState[];
  role: 'leader' | 'follower';
}
