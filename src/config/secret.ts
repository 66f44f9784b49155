import * as E from 'fp-ts/lib/Either.js';
import { type Kind, kind } from './kinds.ts';

const hidden = '***';

/** A password or token: whatever prints, logs or serialises it gets `***`. */
export class Secret {
  readonly #value: string;
  constructor(value: string) {
    this.#value = value;
  }
  reveal(): string {
    return this.#value;
  }
  toString(): string {
    return hidden;
  }
  toJSON(): string {
    return hidden;
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return hidden;
  }
}

export const secret = (least: number): Kind<Secret> =>
  kind({
    name: 'secret',
    allowed: `${least} to 512 visible ASCII characters`,
    schema: { type: 'string', minLength: least, maxLength: 512 },
    read: (input) =>
      typeof input === 'string' && input.length >= least && /^[\x21-\x7e]{1,512}$/.test(input)
        ? E.right(new Secret(input))
        : E.left(''),
    show: () => hidden,
  });

/** A URL for people: its password replaced by `***`. */
export const withoutPassword = (url: string): string => url.replace(/^([^:]+:\/\/[^:@/]*):.*@/, `$1:${hidden}@`);
