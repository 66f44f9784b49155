import * as E from 'fp-ts/lib/Either.js';
import type { StoreFailure } from '../../ports/event-store.ts';

/**
 * The connection string as the client takes it: `kurrentdb://` under its older name, the password put in where the URL names
 * only a user, and imcd's own settings where the URL has none. A URL that the client would misread is refused.
 */
export const connectionString = (
  url: string,
  password: string | undefined,
  node: string | undefined,
): E.Either<StoreFailure, string> => {
  const refuse = (what: string): E.Either<StoreFailure, never> =>
    E.left({ kind: 'StoreRefused', message: `store_url ${what}` });
  const [, scheme, rest] = /^([a-z+]+):\/\/(.*)$/is.exec(url.trim()) ?? [];
  if (scheme === undefined || rest === undefined) return refuse('is not of the form esdb://HOST:PORT?tls=...');
  const newer = /^(?:esdb|kurrentdb|kurrent|kdb)(\+discover)?$/i.exec(scheme);
  if (newer === null) return refuse(`begins with ${scheme}://; imcd knows esdb://, esdb+discover:// and kurrentdb://`);
  const [authority = '', query = ''] = rest.split('?', 2).map((part) => part.replace(/\/+$/, ''));
  const at = authority.lastIndexOf('@');
  const credentials = at < 0 ? undefined : authority.slice(0, at);
  const hosts = authority.slice(at + 1);
  if (hosts === '') return refuse('names no host: esdb://HOST:PORT?tls=...');
  for (const host of hosts.split(',')) {
    if (!/^(?:[\w.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i.test(host))
      return refuse(`has a host that cannot be read: ${host}`);
  }
  let user = '';
  if (credentials !== undefined) {
    const [name = '', given] = credentials.split(':', 2);
    const secret = given ?? (password === undefined ? undefined : encodeURIComponent(password));
    if (name === '' || secret === undefined || secret === '')
      return refuse('names a user without a password; add it, or set store_password_file');
    user = `${name}:${secret}@`;
  }
  const names = new Set(query.split('&').map((pair) => (pair.split('=')[0] ?? '').toLowerCase().replace(/[_-]/g, '')));
  const settings = query === '' ? [] : [query];
  if (!names.has('connectionname') && node !== undefined)
    settings.push(`connectionName=${encodeURIComponent(`imcd-${node}`)}`);
  // A peer that is gone without a word is noticed after 10 + 5 s where nothing else asks it.
  if (!names.has('keepalivetimeout')) settings.push('keepAliveTimeout=5000');
  const tail = settings.length === 0 ? '' : `?${settings.join('&')}`;
  return E.right(`esdb${(newer[1] ?? '').toLowerCase()}://${user}${hosts}${tail}`);
};

/** Whether credentials are given that will not be sent: the client sends them over TLS only, and says nothing. */
export const ignoresCredentials = (connection: string): boolean =>
  /^[^?]*@/.test(connection) && /[?&]tls=false\b/i.test(connection);

/** The oldest server that says when a subscription has caught up. */
const oldest = [23, 10] as const;

/** The version, where it is one that imcd works with. @param version as the server tells it: `24.10.0`, `unknown` where it cannot */
export const supportedVersion = (version: string): E.Either<StoreFailure, string> => {
  const refuse = (message: string): E.Either<StoreFailure, never> => E.left({ kind: 'StoreRefused', message });
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(version) ?? [];
  if (major === undefined || minor === undefined)
    return refuse(
      'what answers at store_url is no EventStoreDB, or one older than 21.10: it cannot say its version; imcd needs 23.10 or newer',
    );
  const tooOld = Number(major) < oldest[0] || (Number(major) === oldest[0] && Number(minor) < oldest[1]);
  return tooOld
    ? refuse(`EventStoreDB ${version} is too old; imcd needs 23.10 or newer (24.10 is what it is tested with)`)
    : E.right(version);
};
