import type { Clock, Timer } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { MemberKey } from '../../room/address.ts';
import type { Binding } from '../fan-out/recipients.ts';
import type { Flow, Target } from '../transport/transport.ts';
import { transports } from '../transport/transports.ts';

/** Who is reachable where: the bindings of registered users, in memory, and in a file that outlives the process. */

/** A binding of an address of record to a contact (RFC 3261 10.3). Never changed, only replaced. */
export interface Registered {
  /** The Contact's URI as it came. */
  readonly contact: string;
  /** What contacts are compared by. */
  readonly identity: string;
  readonly callId: string;
  readonly cseq: number;
  /** Wall clock, milliseconds. */
  readonly expires: number;
  /** The contact's `q`, as it came. */
  readonly q: string | undefined;
  /** Where copies go: over a stream with the flow it registered over. */
  readonly target: Target;
  /** Where they go once that flow is closed; undefined: nowhere. */
  readonly fallback: Target | undefined;
}

/** Keeps bindings on disk. Throws what the disk says. */
export interface BindingsFile {
  readonly load: () => Iterable<{ readonly key: MemberKey; readonly binding: Registered }>;
  /** All bindings of each of these users, the ones before forgotten: all of it or nothing, and out of this process's hands. */
  readonly write: (changes: ReadonlyMap<MemberKey, readonly Registered[]>) => void;
  readonly close: () => void;
}

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
  /** A user's devices; the same array for as long as they are the same. */
  readonly bindingsOf: (key: MemberKey) => readonly Binding[];
  /** A user's bindings, in the order of registering, none of them expired. */
  readonly registered: (key: MemberKey) => readonly Registered[];
  /** Users with bindings, in the order of their first one. */
  readonly users: () => Iterable<MemberKey>;
  /** Puts these in the place of all of a user's bindings; `done` once they would survive a kill, or could not be written. */
  readonly replace: (key: MemberKey, bindings: readonly Registered[], done: (written: boolean) => void) => void;
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

interface User {
  readonly bindings: readonly Registered[];
  readonly devices: readonly Binding[];
  /** Flows that `devices` count on. */
  readonly flows: readonly { readonly open: boolean }[];
}

interface Change {
  /** What stood there before the group, to be put back where the file does not take it. */
  readonly before: readonly Registered[];
  readonly done: ((written: boolean) => void)[];
}

/** A group of changes is written together, this many milliseconds after the first or when so many wait. */
const groupMs = 20;
const groupSize = 500;
const sweepMs = 1_000;
const none: readonly Binding[] = [];

/** Reads the file. @throws what the file says */
export const openLocation = ({ clock, log, file }: LocationOptions): Location => {
  const users = new Map<MemberKey, User>();
  /** Users by the second in which a binding of theirs ends. */
  const ends = new Map<number, Set<MemberKey>>();
  /** Bindings by the connection they were registered over. */
  const flows = new Map<number, number>();
  let swept = Math.floor(clock.now() / sweepMs);
  let group = new Map<MemberKey, Change>();
  let groupTimer: Timer | undefined;
  let sweepTimer: Timer | undefined;
  let closed = false;
  const counters: LocationCounters = { bindings: 0, changes: 0, expired: 0, failures: 0 };

  const countFlows = (bindings: readonly Registered[], by: number): void => {
    for (const { target } of bindings) {
      if (target.flow === undefined || !transports[target.transport].connected) continue;
      const number = (flows.get(target.flow.id) ?? 0) + by;
      if (number > 0) flows.set(target.flow.id, number);
      else flows.delete(target.flow.id);
    }
  };

  const put = (key: MemberKey, bindings: readonly Registered[]): void => {
    countFlows(bindings, 1);
    countFlows(users.get(key)?.bindings ?? [], -1);
    counters.bindings += bindings.length - (users.get(key)?.bindings.length ?? 0);
    if (bindings.length === 0) {
      users.delete(key);
      return;
    }
    users.set(key, userOf(bindings));
    for (const { expires } of bindings) {
      // Rounded up: what has not ended in this second ends in the next sweep.
      const second = Math.max(Math.ceil(expires / sweepMs), swept + 1);
      const those = ends.get(second);
      if (those === undefined) ends.set(second, new Set([key]));
      else those.add(key);
    }
    if (sweepTimer === undefined && !closed) sweepTimer = clock.after(sweepMs, sweep);
  };

  const sweep = (): void => {
    sweepTimer = undefined;
    const now = clock.now();
    const last = Math.floor(now / sweepMs);
    // After a jump of the clock there are more seconds than entries.
    const due =
      last - swept > ends.size
        ? [...ends.keys()].filter((second) => second <= last)
        : Array.from({ length: Math.max(0, last - swept) }, (_, i) => swept + 1 + i);
    swept = Math.max(swept, last);
    for (const second of due) {
      const keys = ends.get(second);
      ends.delete(second);
      for (const key of keys ?? []) {
        const user = users.get(key);
        const left = user?.bindings.filter(({ expires }) => expires > now) ?? [];
        if (user === undefined || left.length === user.bindings.length) continue;
        counters.expired += user.bindings.length - left.length;
        change(key, left);
      }
    }
    if (users.size > 0 && sweepTimer === undefined && !closed) sweepTimer = clock.after(sweepMs, sweep);
  };

  const change = (key: MemberKey, bindings: readonly Registered[], done?: (written: boolean) => void): void => {
    const waiting = group.get(key) ?? { before: users.get(key)?.bindings ?? [], done: [] };
    if (done !== undefined) waiting.done.push(done);
    group.set(key, waiting);
    put(key, bindings);
    if (file === undefined || group.size >= groupSize) write();
    else groupTimer ??= clock.after(groupMs, write);
  };

  const write = (): void => {
    groupTimer?.cancel();
    groupTimer = undefined;
    if (group.size === 0) return;
    const written = group;
    group = new Map();
    let taken = true;
    try {
      file?.write(new Map([...written.keys()].map((key) => [key, users.get(key)?.bindings ?? []])));
    } catch (error) {
      taken = false;
      counters.failures += written.size;
      log.error({ error: String(error), users: written.size }, 'registrations could not be written');
      for (const [key, { before }] of written) put(key, before);
    }
    for (const { done } of written.values()) for (const call of done) call(taken);
  };

  for (const [key, bindings] of loaded(file, clock.now())) put(key, bindings);

  return {
    counters,
    bindingsOf: (key) => {
      const user = users.get(key);
      if (user === undefined) return none;
      for (const flow of user.flows) {
        if (flow.open) continue;
        const renewed = userOf(user.bindings);
        users.set(key, renewed);
        return renewed.devices;
      }
      return user.devices;
    },
    registered: (key) => {
      const now = clock.now();
      return (users.get(key)?.bindings ?? []).filter(({ expires }) => expires > now);
    },
    users: () => users.keys(),
    replace: (key, bindings, done) => {
      counters.changes += 1;
      change(key, bindings, done);
    },
    holds: ({ id }) => flows.has(id),
    flush: write,
    close: () => {
      closed = true;
      write();
      sweepTimer?.cancel();
      file?.close();
    },
  };
};

const userOf = (bindings: readonly Registered[]): User => {
  const devices: Binding[] = [];
  const flows: { readonly open: boolean }[] = [];
  for (const { contact, target, fallback } of bindings) {
    if (target.flow === undefined || target.flow.open) {
      devices.push({ contact, target });
      if (target.flow !== undefined && transports[target.transport].connected) flows.push(target.flow);
    } else if (fallback !== undefined) devices.push({ contact, target: fallback });
  }
  return { bindings, devices, flows };
};

const loaded = (file: BindingsFile | undefined, now: number): ReadonlyMap<MemberKey, readonly Registered[]> => {
  const users = new Map<MemberKey, Registered[]>();
  for (const { key, binding } of file?.load() ?? []) {
    if (binding.expires <= now) continue;
    const bindings = users.get(key);
    if (bindings === undefined) users.set(key, [binding]);
    else bindings.push(binding);
  }
  return users;
};
