import type { Clock, Timer } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { MemberKey } from '../../room/address.ts';
import type { Flow } from '../transport/transport.ts';
import type { Binding, Reachable } from './binding.ts';
import type { BindingsFile } from './bindings-file.ts';
import { Expiry, sweepMs } from './expiry.ts';
import { GroupedWrites } from './grouped-writes.ts';
import { Users } from './users.ts';

/**
 * The location service (RFC 3261 10): who is reachable where. Bindings are in memory, end when their time is over, and are
 * kept in a file that outlives the process.
 */

export interface LocationCounters {
  /** Bindings at present. */
  bindings: number;
  /** REGISTER requests that changed something. */
  changes: number;
  expired: number;
  /** Users whose changes the file did not take. */
  failures: number;
}

export interface Location {
  readonly counters: LocationCounters;
  /** Where a user can be reached; the same array for as long as it holds the same. */
  readonly reachable: (key: MemberKey) => readonly Reachable[];
  /** A user's bindings, in the order of registering, none of them expired. */
  readonly bindingsOf: (key: MemberKey) => readonly Binding[];
  /** Users with bindings, in the order of their first one. */
  readonly users: () => Iterable<MemberKey>;
  /** Puts these in the place of all of a user's bindings; `done` once they would survive a kill, or could not be written. */
  readonly replace: (key: MemberKey, bindings: readonly Binding[], done: (written: boolean) => void) => void;
  /** Is a binding registered over this connection? */
  readonly holds: (flow: Flow) => boolean;
  /** Writes what waits. */
  readonly flush: () => void;
  /** Writes what waits, and lets go of the file. */
  readonly close: () => void;
}

export interface LocationOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Undefined: bindings end with the process. */
  readonly file: BindingsFile | undefined;
}

/** Reads the file. @throws what the file says */
export const openLocation = ({ clock, log, file }: LocationOptions): Location => {
  const counters: LocationCounters = { bindings: 0, changes: 0, expired: 0, failures: 0 };
  const users = new Users();
  const expiry = new Expiry(clock.now());
  let sweeper: Timer | undefined;
  let closed = false;

  const put = (key: MemberKey, bindings: readonly Binding[]): void => {
    counters.bindings += bindings.length - users.bindingsOf(key).length;
    users.put(key, bindings);
    expiry.note(key, bindings);
    sweepLater();
  };
  const writes = new GroupedWrites({
    clock,
    file,
    bindingsOf: (key) => users.bindingsOf(key),
    failed: (error, before) => {
      counters.failures += before.size;
      log.error({ error: String(error), users: before.size }, 'registrations could not be written');
      for (const [key, bindings] of before) put(key, bindings);
    },
  });
  const change = (key: MemberKey, bindings: readonly Binding[], done?: (written: boolean) => void): void => {
    const before = users.bindingsOf(key);
    put(key, bindings);
    writes.add(key, before, done);
  };
  const sweep = (): void => {
    sweeper = undefined;
    const now = clock.now();
    for (const key of expiry.due(now)) {
      const bindings = users.bindingsOf(key);
      const left = bindings.filter(({ expires }) => expires > now);
      if (left.length === bindings.length) continue;
      counters.expired += bindings.length - left.length;
      change(key, left);
    }
    sweepLater();
  };
  const sweepLater = (): void => {
    if (users.size > 0 && !closed) sweeper ??= clock.after(sweepMs, sweep);
  };

  for (const [key, bindings] of bindingsIn(file, clock.now())) put(key, bindings);
  return {
    counters,
    reachable: (key) => users.reachable(key),
    bindingsOf: (key) => {
      const now = clock.now();
      return users.bindingsOf(key).filter(({ expires }) => expires > now);
    },
    users: () => users.keys(),
    replace: (key, bindings, done) => {
      counters.changes += 1;
      change(key, bindings, done);
    },
    holds: (flow) => users.holds(flow),
    flush: () => writes.flush(),
    close: () => {
      closed = true;
      writes.flush();
      sweeper?.cancel();
      file?.close();
    },
  };
};

/** What a file holds that has not expired. */
const bindingsIn = (file: BindingsFile | undefined, now: number): ReadonlyMap<MemberKey, readonly Binding[]> => {
  const users = new Map<MemberKey, Binding[]>();
  for (const { key, binding } of file?.load() ?? []) {
    if (binding.expires <= now) continue;
    const bindings = users.get(key);
    if (bindings === undefined) users.set(key, [binding]);
    else bindings.push(binding);
  }
  return users;
};
