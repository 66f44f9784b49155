export interface Ids {
  /** A UUID that is made once; those of one node grow with the time (version 7), or need not. */
  readonly uuid: () => string;
  /** At least 64 bits of chance, as lower-case letters and digits: tags, branches, Call-IDs. */
  readonly token: () => string;
  /** From 0 up to, and without, 1: jitter. */
  readonly chance: () => number;
}
