import type { Ids } from '../../ports/ids.ts';

/**
 * The unique part of a client transaction's branch, Call-ID and tag: 24 characters
 *
 *     PPPPPPPP SSSS CCCCCC RRRRRR
 *
 * the process's own token, the transaction's slot, a count of all transactions, and a keyed hash of that count. The slot
 * finds the transaction without a table; the count tells that it is still the same one; the hash keeps others from guessing
 * it: somebody who receives one copy must not be able to answer another's.
 */
export const branchLength = 24;
/** RFC 3261 8.1.1.7. */
export const branchCookie = 'z9hG4bK';

const alphabet = Buffer.from('abcdefghijklmnopqrstuvwxyz234567', 'latin1');
const values = new Int8Array(256).fill(-1);
for (const [value, code] of alphabet.entries()) values[code] = value;

export interface Branches {
  /** How each of this process's branches begins: a request that bears one has come back to us. */
  readonly prefix: string;
  /** Writes the unique part of transaction `count` in `slot` into `bytes`. `slot`: 20 bits; `count`: 30 bits. */
  readonly write: (bytes: Uint8Array, offset: number, slot: number, count: number) => void;
  /** Place of the unique part of this process's branch in a response; -1 where it is not an answer to us. */
  readonly find: (response: Buffer) => number;
  /** Slot that a unique part names; -1 where it names none. */
  readonly slotAt: (bytes: Uint8Array, offset: number) => number;
  /** Is the unique part, hash and all, the one of transaction `count`? */
  readonly isOf: (bytes: Uint8Array, offset: number, count: number) => boolean;
}

const tokenLength = 8;
const countAt = 12;
const hashAt = 18;
const slotDigits = 4;
const countDigits = 6;

const digits = (bytes: Uint8Array, offset: number, length: number): number => {
  let value = 0;
  for (let i = 0; i < length; i += 1) {
    const digit = values[bytes[offset + i] ?? 0] ?? -1;
    if (digit < 0) return -1;
    value = (value << 5) | digit;
  }
  return value;
};

const putDigits = (bytes: Uint8Array, offset: number, length: number, value: number): void => {
  let rest = value;
  for (let i = length - 1; i >= 0; i -= 1) {
    bytes[offset + i] = alphabet[rest & 31] ?? 0;
    rest >>>= 5;
  }
};

const rotate = (word: number, by: number): number => (word << by) | (word >>> (32 - by));

/** HalfSipHash-2-4 of one 32-bit word, 30 bits of it: a keyed hash at 20 ns. */
const hash = (word: number, key0: number, key1: number): number => {
  let v0 = key0;
  let v1 = key1;
  let v2 = 0x6c796765 ^ key0;
  let v3 = 0x74656462 ^ key1;
  const rounds = (n: number): void => {
    for (let i = 0; i < n; i += 1) {
      v0 = (v0 + v1) | 0;
      v1 = rotate(v1, 5) ^ v0;
      v0 = rotate(v0, 16);
      v2 = (v2 + v3) | 0;
      v3 = rotate(v3, 8) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = rotate(v3, 7) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = rotate(v1, 13) ^ v2;
      v2 = rotate(v2, 16);
    }
  };
  for (const block of [word, 4 << 24]) {
    v3 ^= block;
    rounds(2);
    v0 ^= block;
  }
  v2 ^= 0xff;
  rounds(4);
  return (v1 ^ v3) & 0x3fffffff;
};

/** 32 bits out of a token's characters (FNV-1a). */
const wordOf = (token: string): number => {
  let word = 0x811c9dc5;
  for (let i = 0; i < token.length; i += 1) word = Math.imul(word ^ token.charCodeAt(i), 0x01000193);
  return word;
};

export const createBranches = (ids: Ids): Branches => {
  const token = Buffer.from(ids.token().padEnd(tokenLength, 'a').slice(0, tokenLength).toLowerCase(), 'latin1');
  const needle = Buffer.concat([Buffer.from(branchCookie, 'latin1'), token]);
  const key0 = wordOf(ids.token());
  const key1 = wordOf(ids.token());

  const matches = (bytes: Buffer, at: number): boolean => {
    for (let i = 0; i < needle.length; i += 1) if (bytes[at + i] !== needle[i]) return false;
    return true;
  };

  // Most answers come from the same few programs, which put the branch at the same place each time.
  let usual = 0;

  return {
    prefix: needle.toString('latin1'),
    write: (bytes, offset, slot, count) => {
      for (let i = 0; i < tokenLength; i += 1) bytes[offset + i] = token[i] ?? 0;
      putDigits(bytes, offset + tokenLength, slotDigits, slot);
      putDigits(bytes, offset + countAt, countDigits, count);
      putDigits(bytes, offset + hashAt, countDigits, hash(count, key0, key1));
    },
    find: (response) => {
      if (!matches(response, usual)) {
        const found = response.indexOf(needle);
        if (found === -1) return -1;
        usual = found;
      }
      const at = usual + branchCookie.length;
      return at + branchLength <= response.length ? at : -1;
    },
    slotAt: (bytes, offset) => digits(bytes, offset + tokenLength, slotDigits),
    isOf: (bytes, offset, count) =>
      digits(bytes, offset + countAt, countDigits) === count &&
      digits(bytes, offset + hashAt, countDigits) === hash(count, key0, key1),
  };
};
