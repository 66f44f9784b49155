import { hash } from 'node:crypto';
import { unquoted } from './parameters.ts';

/**
 * Digest authentication (RFC 3261 22, RFC 7616; SHA-256: RFC 8760), the client's half. npm `sip`'s own is not used: it
 * answers every algorithm with MD5, and takes its nonce from Math.random.
 */

export interface Credentials {
  readonly user: string;
  readonly password: string;
  readonly method: string;
  /** The Request-URI. */
  readonly uri: string;
  /** Chance, as `Ids.token` gives it. */
  readonly cnonce: string;
}

const algorithms: ReadonlyMap<string, string> = new Map([
  ['md5', 'md5'],
  ['sha-256', 'sha256'],
]);

/**
 * The value of Authorization or Proxy-Authorization that answers the first challenge that can be answered (RFC 8760 2.4: the
 * server puts the one it likes best first). Undefined where there is none: another scheme, algorithm or quality of protection.
 */
export const digestAnswer = (challenges: readonly string[], credentials: Credentials): string | undefined => {
  for (const challenge of challenges) {
    const parameters = parametersOf(challenge);
    const algorithm = parameters?.get('algorithm') ?? 'MD5';
    const digest = algorithms.get(algorithm.toLowerCase());
    const qops = parameters
      ?.get('qop')
      ?.split(',')
      .map((qop) => qop.trim().toLowerCase());
    if (parameters === undefined || digest === undefined || (qops !== undefined && !qops.includes('auth'))) continue;
    return answer(
      parameters,
      algorithm,
      (text) => hash(digest, Buffer.from(text, 'utf8')),
      qops !== undefined,
      credentials,
    );
  }
  return undefined;
};

const answer = (
  parameters: ReadonlyMap<string, string>,
  algorithm: string,
  digest: (text: string) => string,
  withQop: boolean,
  { user, password, method, uri, cnonce }: Credentials,
): string => {
  const realm = parameters.get('realm') ?? '';
  const nonce = parameters.get('nonce') ?? '';
  const opaque = parameters.get('opaque');
  const secret = digest(`${user}:${realm}:${password}`);
  const request = digest(`${method}:${uri}`);
  const response = withQop
    ? digest(`${secret}:${nonce}:00000001:${cnonce}:auth:${request}`)
    : digest(`${secret}:${nonce}:${request}`);
  return [
    `Digest username=${quoted(user)}`,
    `realm=${quoted(realm)}`,
    `nonce=${quoted(nonce)}`,
    `uri=${quoted(uri)}`,
    `response="${response}"`,
    `algorithm=${algorithm}`,
    ...(withQop ? ['qop=auth', 'nc=00000001', `cnonce="${cnonce}"`] : []),
    ...(opaque === undefined ? [] : [`opaque=${quoted(opaque)}`]),
  ].join(', ');
};

const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;

const parameter = /\s*([A-Za-z0-9\-.!%*_+`'~]+)\s*=\s*([^\s",]+|"(?:[^"\\]|\\.)*")\s*(?:,|$)/y;

/** What stands behind `Digest` in a challenge; undefined where it is another scheme or cannot be read. */
const parametersOf = (challenge: string): ReadonlyMap<string, string> | undefined => {
  const scheme = /^Digest\s+/i.exec(challenge);
  if (scheme === null) return undefined;
  const found = new Map<string, string>();
  for (let at = scheme[0].length; at < challenge.length; at = parameter.lastIndex) {
    parameter.lastIndex = at;
    const match = parameter.exec(challenge);
    if (match === null) return undefined;
    found.set((match[1] ?? '').toLowerCase(), unquoted(match[2] ?? ''));
  }
  return found;
};
