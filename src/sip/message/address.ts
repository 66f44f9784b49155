import { readParameters } from './parameters.ts';
import { longestUri } from './uri.ts';

/**
 * The value of From, To, Contact and Route: a URI in angle brackets behind a name, or bare, and parameters of the header
 * (RFC 3261 20.10, 25.1: name-addr, addr-spec). The URI is cut out and not looked into.
 */

/** A From, To, Contact or Route value. */
export interface Address {
  /** As it came, escapes and all: of any scheme. */
  readonly uri: string;
  /** The parameters behind the URI, names in lower case, quoted values without their quotes, empty where there is no value. */
  readonly params: ReadonlyMap<string, string>;
}

/** `"Alice" <sip:alice@host>;tag=x` or `sip:alice@host;tag=x` (there the parameters are the header's, RFC 3261 20). */
export const parseAddress = (value: string): Address | undefined => {
  const open = bracketAt(value);
  if (open === -2) return undefined;
  const close = open === -1 ? -1 : value.indexOf('>', open);
  if (open !== -1 && close === -1) return undefined;
  const semicolon = open === -1 ? value.indexOf(';') : -1;
  const uri = (
    open === -1 ? value.slice(0, semicolon === -1 ? undefined : semicolon) : value.slice(open + 1, close)
  ).trim();
  if (uri === '' || uri.length > longestUri || /[\s<>"]/.test(uri) || !/^[A-Za-z]/.test(uri)) return undefined;
  const parameters = readParameters(
    value,
    open === -1 ? (semicolon === -1 ? value.length : semicolon) : afterBlanks(value, close + 1),
  );
  if (parameters === undefined) return undefined;
  return { uri, params: new Map(parameters.map((parameter) => [parameter.name, parameter.value ?? ''])) };
};

const afterBlanks = (value: string, from: number): number => {
  let at = from;
  while (value[at] === ' ' || value[at] === '\t') at += 1;
  return at;
};

/** Place of the `<` that opens the URI; -1 where there is none, -2 where a quote stays open. */
const bracketAt = (value: string): number => {
  let at = 0;
  if (value.startsWith('"')) {
    at = 1;
    while (at < value.length && value[at] !== '"') at += value[at] === '\\' ? 2 : 1;
    if (at >= value.length) return -2;
  }
  const open = value.indexOf('<', at);
  return at > 0 && open === -1 ? -2 : open;
};
