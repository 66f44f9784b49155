import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';

/**
 * A kind of option value: how it is read and shown again. Values come as YAML gives them, or as text from the environment
 * and the command line, so every kind reads both.
 */
export interface AnyKind {
  readonly codec: t.Mixed;
  /** What may stand there: the end of a sentence `allowed is ...`. */
  readonly allowed: string;
  /** JSON Schema of what may stand in the YAML file. */
  readonly schema: Readonly<Record<string, unknown>>;
}

export interface Kind<A> extends AnyKind {
  readonly codec: t.Type<A, unknown, unknown>;
}

interface KindParts<A> {
  readonly name: string;
  readonly allowed: string;
  readonly schema: Readonly<Record<string, unknown>>;
  /** Left: what is wrong with it, where `allowed` does not say it already; else an empty string. */
  readonly read: (input: unknown) => E.Either<string, A>;
  readonly show: (value: A) => unknown;
}

export const kind = <A>({ name, allowed, schema, read, show }: KindParts<A>): Kind<A> => ({
  allowed,
  schema,
  codec: new t.Type<A, unknown, unknown>(
    name,
    // `is` tells decoded values from raw ones only where a union needs it; no option is one.
    (_input): _input is A => false,
    (input, context) => {
      const read_ = read(input);
      return E.isLeft(read_) ? t.failure(input, context, read_.left) : t.success(read_.right);
    },
    show,
  ),
});

/** Text as it stands; a number in YAML (`node: 7`) is taken as its digits. */
export const asText = (input: unknown): string | undefined =>
  typeof input === 'string' ? input : typeof input === 'number' ? String(input) : undefined;

export const text = (allowed: string, pattern: RegExp): Kind<string> =>
  kind({
    name: 'text',
    allowed,
    schema: { type: 'string', pattern: pattern.source },
    read: (input) => {
      const value = asText(input);
      return value !== undefined && pattern.test(value) ? E.right(value) : E.left('');
    },
    show: (value) => value,
  });

export const integer = (least: number, most: number): Kind<number> =>
  kind({
    name: 'integer',
    allowed: `a whole number from ${least} to ${most}`,
    schema: { type: 'integer', minimum: least, maximum: most },
    read: (input) => {
      const value = typeof input === 'string' && /^[0-9]{1,15}$/.test(input) ? Number(input) : input;
      return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most
        ? E.right(value)
        : E.left('');
    },
    show: (value) => value,
  });

const truths = new Map<unknown, boolean>([
  [true, true],
  [false, false],
  [1, true],
  [0, false],
  ['1', true],
  ['0', false],
  ['true', true],
  ['false', false],
  ['yes', true],
  ['no', false],
]);

/** Yes or no; shown as `shown` says: the module's own options are 0 and 1. */
export const flag = (shown: 'true or false' | '1 or 0'): Kind<boolean> =>
  kind({
    name: 'flag',
    allowed: shown,
    schema: { enum: [true, false, 1, 0] },
    read: (input) => {
      const value = truths.get(input);
      return value === undefined ? E.left('') : E.right(value);
    },
    show: (value) => (shown === '1 or 0' ? Number(value) : value),
  });

export const oneOf = <T extends string | number>(...values: readonly T[]): Kind<T> =>
  kind({
    name: 'oneOf',
    allowed: values.join(' or '),
    schema: { enum: values },
    read: (input) => {
      const found = values.find((value) => value === input || String(value) === input);
      return found === undefined ? E.left('') : E.right(found);
    },
    show: (value) => value,
  });

/** A list in YAML; in one text its items are separated by commas. At least one item. */
export const listOf = <A>(item: Kind<A>): Kind<readonly A[]> =>
  kind({
    name: 'list',
    allowed: `a list (in the environment and on the command line separated by commas) of ${item.allowed}`,
    schema: { type: 'array', items: item.schema, minItems: 1 },
    read: (input) => {
      const items: unknown = typeof input === 'string' ? input.split(',').map((part) => part.trim()) : input;
      if (!Array.isArray(items) || items.length === 0) return E.left('');
      const values: A[] = [];
      for (const [index, raw] of items.entries()) {
        const value = item.codec.decode(raw);
        if (E.isLeft(value)) {
          const why = value.left[0]?.message ?? '';
          return E.left(`item ${index + 1}, ${JSON.stringify(raw)}, is wrong${why === '' ? '' : `: ${why}`}`);
        }
        values.push(value.right);
      }
      return E.right(values);
    },
    show: (values) => values.map((value) => item.codec.encode(value)),
  });

/** `none`, an empty text or YAML's null: undefined. */
export const orNone = <A>(some: Kind<A>): Kind<A | undefined> =>
  kind({
    name: 'orNone',
    allowed: `${some.allowed}, or none`,
    schema: { anyOf: [{ enum: ['none', '', null] }, some.schema] },
    read: (input) => {
      if (input === null || input === undefined || input === '' || input === 'none') return E.right(undefined);
      const value = some.codec.decode(input);
      return E.isLeft(value) ? E.left(value.left[0]?.message ?? '') : value;
    },
    show: (value) => (value === undefined ? 'none' : some.codec.encode(value)),
  });
