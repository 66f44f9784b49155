import type { MemberKey } from '../../room/address.ts';
import type { Flow } from '../transport/transport.ts';
import { type Binding, connectionOf, type Reachable, reachOf } from './binding.ts';

/**
 * The table of registered users: their bindings, and where those lead. Where a connection has closed, the way changes to the
 * contact's own address.
 */

interface User {
  readonly bindings: readonly Binding[];
  readonly reachable: readonly Reachable[];
  /** The connections that `reachable` counts on. */
  readonly connections: readonly Flow[];
}

const noBindings: readonly Binding[] = [];
const nowhere: readonly Reachable[] = [];

export class Users {
  readonly #users = new Map<MemberKey, User>();
  /** Number of bindings by the connection that they registered over. */
  readonly #connections = new Map<number, number>();

  get size(): number {
    return this.#users.size;
  }

  /** Users with bindings, in the order of their first one. */
  keys(): Iterable<MemberKey> {
    return this.#users.keys();
  }

  bindingsOf(key: MemberKey): readonly Binding[] {
    return this.#users.get(key)?.bindings ?? noBindings;
  }

  /** Asked once a copy. The same array for as long as it holds the same. */
  reachable(key: MemberKey): readonly Reachable[] {
    const user = this.#users.get(key);
    if (user === undefined) return nowhere;
    for (const { open } of user.connections) {
      if (open) continue;
      const renewed = userOf(user.bindings);
      this.#users.set(key, renewed);
      return renewed.reachable;
    }
    return user.reachable;
  }

  /** Is a binding registered over this connection? */
  holds({ id }: Flow): boolean {
    return this.#connections.has(id);
  }

  /** Puts these in the place of all of a user's bindings. */
  put(key: MemberKey, bindings: readonly Binding[]): void {
    this.#count(bindings, 1);
    this.#count(this.bindingsOf(key), -1);
    if (bindings.length === 0) this.#users.delete(key);
    else this.#users.set(key, userOf(bindings));
  }

  #count(bindings: readonly Binding[], by: 1 | -1): void {
    for (const binding of bindings) {
      const id = connectionOf(binding)?.id;
      if (id === undefined) continue;
      const number = (this.#connections.get(id) ?? 0) + by;
      if (number > 0) this.#connections.set(id, number);
      else this.#connections.delete(id);
    }
  }
}

const userOf = (bindings: readonly Binding[]): User => {
  const reachable = bindings.map(reachOf).filter((one) => one !== undefined);
  return { bindings, reachable, connections: reachable.map(connectionOf).filter((flow) => flow !== undefined) };
};
