import * as E from 'fp-ts/lib/Either.js';
import type { StoreFailure } from '../../ports/event-store.ts';

/** Where EventStoreDB is, as `config/urls.ts` reads it from `store_url`; and whether what answers there will do. */

export interface EventStoreDbAddress {
  /** The client's connection string, with its password: `esdb://USER:PASSWORD@HOST:PORT?tls=...`. */
  readonly url: { readonly reveal: () => string };
  /** Names of the settings in it: in lower case, without `_` and `-`. */
  readonly settings: ReadonlySet<string>;
  /** It has a user whom the client will not tell the server: it does so over TLS only, and says nothing. */
  readonly unsentUser: boolean;
}

/** The connection string with imcd's own settings where it has none. */
export const connectionString = ({ url, settings }: EventStoreDbAddress, node: string | undefined): string => {
  const own: string[] = [];
  if (!settings.has('connectionname') && node !== undefined)
    own.push(`connectionName=${encodeURIComponent(`imcd-${node}`)}`);
  // A peer that is gone without a word is noticed after 10 + 5 s where nothing else asks it.
  if (!settings.has('keepalivetimeout')) own.push('keepAliveTimeout=5000');
  const given = url.reveal();
  return own.length === 0 ? given : `${given}${given.includes('?') ? '&' : '?'}${own.join('&')}`;
};

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
