import type { Clock, Timer } from '../../ports/clock.ts';
import type { MemberKey } from '../../room/address.ts';
import type { Binding } from './binding.ts';
import type { BindingsFile } from './bindings-file.ts';

/**
 * Changes of bindings on their way to the file. They are written in groups: a commit costs what it costs, however many are
 * in it.
 */

export interface GroupedWritesOptions {
  readonly clock: Clock;
  /** Undefined: nothing is written, and that at once. */
  readonly file: BindingsFile | undefined;
  /** A user's present bindings. */
  readonly bindingsOf: (key: MemberKey) => readonly Binding[];
  /** The file did not take a group. `before`: what these users' bindings were before it, to be put back. */
  readonly failed: (error: unknown, before: ReadonlyMap<MemberKey, readonly Binding[]>) => void;
}

interface Change {
  readonly before: readonly Binding[];
  readonly done: ((written: boolean) => void)[];
}

/** A group is written so many milliseconds after its first change, or when so many users wait. */
const groupMs = 20;
const groupSize = 500;

export class GroupedWrites {
  readonly #options: GroupedWritesOptions;
  #group = new Map<MemberKey, Change>();
  #timer: Timer | undefined;

  constructor(options: GroupedWritesOptions) {
    this.#options = options;
  }

  /**
   * A user's bindings have changed.
   *
   * @param before what they were
   * @param done called once they would survive a kill of the process, or could not be written
   */
  add(key: MemberKey, before: readonly Binding[], done?: (written: boolean) => void): void {
    const change = this.#group.get(key) ?? { before, done: [] };
    if (done !== undefined) change.done.push(done);
    this.#group.set(key, change);
    const { clock, file } = this.#options;
    if (file === undefined || this.#group.size >= groupSize) this.flush();
    else this.#timer ??= clock.after(groupMs, () => this.flush());
  }

  /** Writes what waits. */
  flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#group.size === 0) return;
    const group = this.#group;
    this.#group = new Map();
    const written = this.#write(group);
    for (const { done } of group.values()) for (const tell of done) tell(written);
  }

  #write(group: ReadonlyMap<MemberKey, Change>): boolean {
    const { file, bindingsOf, failed } = this.#options;
    try {
      file?.write(new Map([...group.keys()].map((key) => [key, bindingsOf(key)])));
      return true;
    } catch (error) {
      failed(error, new Map([...group].map(([key, { before }]) => [key, before])));
      return false;
    }
  }
}
