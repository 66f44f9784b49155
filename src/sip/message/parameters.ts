/**
 * The parameters of a header's value, `;name=value` each (RFC 3261 25.1: generic-param). Everything that has some is read by
 * this: Via, From, To, Contact, Route, Content-Type.
 */

export interface HeaderParameter {
  /** Lower case. */
  readonly name: string;
  /** Without its quotes; undefined where there is none. */
  readonly value: string | undefined;
  /** As it came, without the semicolon and the blanks around `=`. */
  readonly text: string;
}

// Linear: no two neighbours can take the same character. Brackets and colons are an IPv6 address (`received`), the other
// two come in values of contact parameters that ought to be quoted.
const one = /;\s*([A-Za-z0-9\-.!%*_+`'~]+)(?:\s*=\s*([A-Za-z0-9\-.!%*_+`'~[\]:@/]+|"(?:[^"\\]|\\.)*"))?\s*/y;

/** The parameters of a header's value from place `at` to its end (RFC 3261 25.1); undefined where they cannot be read. */
export const readParameters = (value: string, at: number): readonly HeaderParameter[] | undefined => {
  const parameters: HeaderParameter[] = [];
  let next = at;
  while (next < value.length) {
    one.lastIndex = next;
    const found = one.exec(value);
    if (found === null) return undefined;
    next = one.lastIndex;
    const name = found[1] ?? '';
    const text = found[2] === undefined ? name : `${name}=${found[2]}`;
    parameters.push({ name: name.toLowerCase(), value: unquoted(found[2]), text });
  }
  return parameters;
};

/** What stands between quotes, its escapes undone; other text as it is. */
export const unquoted = <T extends string | undefined>(text: T): T | string =>
  text !== undefined && text.length > 1 && text.startsWith('"') && text.endsWith('"')
    ? text.slice(1, -1).replace(/\\(.)/g, '$1')
    : text;
