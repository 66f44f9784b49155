import * as E from 'fp-ts/lib/Either.js';
import { Secret } from '../../src/config/secret.ts';
import {
  type DatabaseUrl,
  type EventStoreDbUrl,
  parseDatabaseUrl,
  parseStoreUrl,
  withPassword,
} from '../../src/config/urls.ts';
import type { StoreFailure } from '../../src/ports/event-store.ts';

/** URLs as the configuration reads them, for tests that give them to an adapter. */

/** Throws where the URL cannot be used. */
export const databaseAt = (url: string): DatabaseUrl => {
  const read = parseDatabaseUrl(url);
  if (E.isRight(read)) return read.right;
  throw new Error(read.left);
};

/** `password`: as of `store_password`. A URL that cannot be used is refused as the adapter refuses a server. */
export const eventStoreDbAt = (url: string, password?: string): E.Either<StoreFailure, EventStoreDbUrl> => {
  const read = parseStoreUrl(password === undefined ? url : withPassword(url, new Secret(password)));
  if (E.isLeft(read)) return E.left({ kind: 'StoreRefused', message: read.left });
  return read.right.kind === 'esdb'
    ? E.right(read.right)
    : E.left({ kind: 'StoreRefused', message: `${url} is not EventStoreDB` });
};
