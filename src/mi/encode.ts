import { setImmediate } from 'node:timers/promises';

/** A long list within a result: encoded while it is read, so that 100,000 rooms never stand in memory as one text. */
export interface LongList {
  readonly items: Iterable<unknown> | AsyncIterable<unknown>;
}

export const longList = (items: LongList['items']): LongList => ({ items: new Items(items) });

/** Tells a long list from data that happens to have `items`. */
class Items implements AsyncIterable<unknown> {
  readonly #source: Iterable<unknown> | AsyncIterable<unknown>;
  constructor(source: Iterable<unknown> | AsyncIterable<unknown>) {
    this.#source = source;
  }
  async *[Symbol.asyncIterator](): AsyncIterator<unknown> {
    yield* this.#source;
  }
  sync(): Iterable<unknown> | undefined {
    return Symbol.iterator in this.#source ? this.#source : undefined;
  }
}

const isLong = (value: unknown): value is { readonly items: Items } =>
  typeof value === 'object' && value !== null && 'items' in value && value.items instanceof Items;

/** 64 KiB take about 0.3 ms to encode; between two pieces SIP has its turn. */
const pieceLength = 65_536;

/**
 * JSON of a value in pieces of some 64 KiB. Long lists may stand as the value, or as members of objects within it. The event
 * loop gets its turn before each piece; nothing goes on while nobody asks for the next one.
 */
export async function* encode(value: unknown): AsyncGenerator<string, void, undefined> {
  let pending = '';
  for await (const part of parts(value)) {
    pending += part;
    if (pending.length < pieceLength) continue;
    yield pending;
    pending = '';
    await setImmediate();
  }
  if (pending !== '') yield pending;
}

async function* parts(value: unknown): AsyncGenerator<string, void, undefined> {
  if (isLong(value)) yield* list(value.items);
  else if (hasLong(value)) {
    let separator = '{';
    for (const [name, member] of Object.entries(value)) {
      if (member === undefined) continue;
      yield `${separator}${JSON.stringify(name)}:`;
      yield* parts(member);
      separator = ',';
    }
    yield separator === '{' ? '{}' : '}';
  } else yield JSON.stringify(value) ?? 'null';
}

async function* list(items: Items): AsyncGenerator<string, void, undefined> {
  let text = '[';
  let separator = '';
  const sync = items.sync();
  if (sync !== undefined) {
    for (const item of sync) {
      text += separator + (JSON.stringify(item) ?? 'null');
      separator = ',';
      if (text.length < pieceLength) continue;
      yield text;
      text = '';
    }
  } else {
    for await (const item of items) {
      text += separator + (JSON.stringify(item) ?? 'null');
      separator = ',';
      if (text.length < pieceLength) continue;
      yield text;
      text = '';
    }
  }
  yield `${text}]`;
}

const hasLong = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).some(isLong);

/** The whole JSON text, where it has at most `most` characters; undefined beyond. */
export const encodeWhole = async (pieces: AsyncIterable<string>, most: number): Promise<string | undefined> => {
  let text = '';
  for await (const piece of pieces) {
    text += piece;
    if (text.length > most) return undefined;
  }
  return text;
};
