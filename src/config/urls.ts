import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { splitHostPort, withoutBrackets } from '../net/address.ts';
import { asText, type Kind, kind } from './kinds.ts';
import { Secret, withoutPassword } from './secret.ts';

/**
 * URLs of logs and databases: the one place that reads them. What comes out is what the adapters take, each of which says in
 * words of its own what it needs. A Left says what is wrong, as a sentence's end; it never holds a password.
 */

/** An embedded log or database: a file of SQLite. */
export interface SqliteFile {
  readonly kind: 'sqlite';
  readonly file: string;
}

/** EventStoreDB, as its client and the adapter take it. */
export interface EventStoreDbUrl {
  readonly kind: 'esdb';
  /** The connection string: `esdb[+discover]://[USER:PASSWORD@]HOST[:PORT][,HOST...][?SETTINGS]`. */
  readonly url: Secret;
  /** Names of the settings in it as the client compares them: in lower case, without `_` and `-`. */
  readonly settings: ReadonlySet<string>;
  /** It has a user whom the client will not tell the server: it does so over TLS only, and says nothing. */
  readonly unsentUser: boolean;
  readonly shown: string;
}

/** Where the log is. */
export type StoreUrl = SqliteFile | { readonly kind: 'memory' } | EventStoreDbUrl;

/** How a database's server is spoken to over TLS; files are named, not read. */
export interface TlsFiles {
  /** The server's certificate must be good: for the system, or for `ca`. */
  readonly verify: boolean;
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/** Databases that are servers: how else a URL may begin, and the port where it names none. A test compares with `sql/database`. */
const servers = {
  mysql: { alias: ['mariadb'], port: 3306 },
  postgres: { alias: ['postgresql'], port: 5432 },
} as const;
type ServerDialect = keyof typeof servers;
const serverDialects = Object.keys(servers) as ServerDialect[];

/** A database on a server. */
export interface DatabaseServer {
  readonly kind: ServerDialect;
  readonly host: string;
  readonly port: number;
  /** Unix socket (PostgreSQL: its folder) instead of host and port. */
  readonly socket: string | undefined;
  readonly user: string;
  readonly password: Secret | undefined;
  /** Goes before `password`. */
  readonly passwordFile: string | undefined;
  readonly database: string;
  /** Undefined: in the clear. */
  readonly tls: TlsFiles | undefined;
  /** `mysql://HOST:PORT/DATABASE`: what of it stands in logs, and in the origins of imported events. */
  readonly shown: string;
  /** The whole URL, with the password; `written` is it without. */
  readonly url: Secret;
  readonly written: string;
}

export type DatabaseUrl = SqliteFile | DatabaseServer;

/** Where the mirror is. */
export type DbUrl = DatabaseUrl | { readonly kind: 'none' };

type Read<A> = E.Either<string, A>;

// ---------------------------------------------------------------- sqlite

/** `sqlite:FILE`, `sqlite://FILE`, and `sqlite:///FILE` as OpenSIPS and Kamailio write it; a `%` is a `%`. */
const sqliteFile = (text: string): Read<SqliteFile> => {
  const file = text.replace(/^sqlite:(?:\/\/)?/i, '');
  return file === '' || file.includes('\0')
    ? E.left('it names no file; write sqlite:FILE')
    : E.right({ kind: 'sqlite', file });
};

const isSqlite = (text: string): boolean => /^sqlite:/i.test(text);

// ---------------------------------------------------------- EventStoreDB

/** `store_url`: `sqlite:`, `memory:`, or EventStoreDB. */
export const parseStoreUrl = (text: string): Read<StoreUrl> => {
  if (isSqlite(text)) return sqliteFile(text);
  return text === 'memory:' ? E.right({ kind: 'memory' }) : eventStoreDb(text.trim());
};

/** `kurrentdb://` is the newer name of the same protocol; the client knows only the older one. */
const eventStoreDb = (text: string): Read<EventStoreDbUrl> => {
  const [, scheme = '', rest] = /^([a-z+]+):(?:\/\/(.*))?/is.exec(text) ?? [];
  const [known, discover = ''] = /^(?:esdb|kurrentdb|kurrent|kdb)(\+discover)?$/i.exec(scheme) ?? [];
  if (known === undefined) return E.left(scheme === '' ? '' : `it begins with ${scheme}:`);
  if (rest === undefined) return E.left('it is not of the form esdb://HOST:PORT?tls=...');
  const [authority = '', query = ''] = rest.split('?', 2).map((part) => part.replace(/\/+$/, ''));
  const at = authority.lastIndexOf('@');
  const settings = settingsIn(query);
  return pipe(
    E.Do,
    E.bind('hosts', () => hostsIn(authority.slice(at + 1))),
    E.bind('user', () => (at < 0 ? E.right('') : userIn(authority.slice(0, at)))),
    E.filterOrElse(
      () => !/\s/.test(query),
      () => 'it has white space in its settings',
    ),
    E.map(({ hosts, user }) => `esdb${discover.toLowerCase()}://${user}${hosts}${query === '' ? '' : `?${query}`}`),
    E.map((url) => ({
      kind: 'esdb',
      url: new Secret(url),
      settings: new Set(settings.keys()),
      unsentUser: at >= 0 && settings.get('tls') === 'false',
      shown: withoutPassword(url),
    })),
  );
};

const hostsIn = (hosts: string): Read<string> => {
  if (hosts === '') return E.left('it names no host: esdb://HOST:PORT?tls=...');
  const wrong = hosts.split(',').find((host) => splitHostPort(host) === undefined);
  return wrong === undefined ? E.right(hosts) : E.left(`it has a host that cannot be read: ${wrong}`);
};

const userIn = (credentials: string): Read<string> =>
  /^[^\s:]+:\S+$/.test(credentials)
    ? E.right(`${credentials}@`)
    : E.left('it names a user without a password; add it, or set store_password_file');

const settingsIn = (query: string): ReadonlyMap<string, string> =>
  new Map(
    query
      .split('&')
      .filter(Boolean)
      .map((pair) => {
        const [name = '', value = ''] = pair.toLowerCase().split('=', 2);
        return [name.replace(/[_-]/g, ''), value] as const;
      }),
  );

// ------------------------------------------------------------- databases

const dialectOf: ReadonlyMap<string, ServerDialect> = new Map(
  serverDialects.flatMap((dialect) => [dialect, ...servers[dialect].alias].map((scheme) => [scheme, dialect] as const)),
);
const parameters = ['tls', 'ca', 'cert', 'key', 'socket', 'password_file'];

/**
 * `mysql://USER:PASSWORD@HOST:PORT/DATABASE`, `postgres://...` (also `postgresql:`, `mariadb:`), or `sqlite:FILE`. Parameters:
 * `tls=verify`, `tls=unverified` (encrypted, but to whom is not checked), `tls=off` (default); `ca=FILE` (then verify is the
 * default); `cert=FILE` and `key=FILE` of the client; `socket=PATH`; `password_file=FILE`.
 */
export const parseDatabaseUrl = (text: string): Read<DatabaseUrl> => {
  if (isSqlite(text)) return sqliteFile(text);
  const dialect = dialectOf.get(/^([a-z]+):\/\//i.exec(text)?.[1]?.toLowerCase() ?? '');
  return dialect === undefined
    ? E.left(
        `a database URL starts with ${serverDialects.map((name) => `${name}://`).join(', ')} or sqlite:, and this one does not`,
      )
    : databaseServer(dialect, text);
};

const databaseServer = (dialect: ServerDialect, text: string): Read<DatabaseServer> =>
  pipe(
    urlIn(text),
    E.chainFirst(({ searchParams }) => onlyKnown(searchParams)),
    E.bindTo('read'),
    E.bind('tls', ({ read }) => tlsIn(read.searchParams)),
    E.bind('names', ({ read }) => namesIn(read)),
    E.map(({ read, tls, names }) => {
      const socket = read.searchParams.get('socket') ?? undefined;
      const port = Number(read.port) || servers[dialect].port;
      return {
        ...names,
        kind: dialect,
        host: withoutBrackets(read.hostname),
        port,
        socket,
        passwordFile: read.searchParams.get('password_file') ?? undefined,
        tls,
        shown: `${dialect}://${socket ?? `${read.hostname}:${port}`}/${names.database}`,
        url: new Secret(text),
        written: withoutPassword(read.href),
      };
    }),
  );

const urlIn = (text: string): Read<URL> => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url === undefined || url.hostname === ''
    ? E.left('it cannot be read as a URL; escape special characters of the password as %XX')
    : E.right(url);
};

/** User, password and database: what stands percent-encoded in the URL. */
const namesIn = (url: URL): Read<Pick<DatabaseServer, 'user' | 'password' | 'database'>> => {
  const encoded = url.pathname.slice(1);
  if (encoded === '' || encoded.includes('/'))
    return E.left('no database is named; write it after the host, as in HOST/opensips');
  if (url.username === '') return E.left('no user is named; write it before the host, as in USER@HOST');
  return E.tryCatch(
    () => {
      const password = url.password === '' ? undefined : new Secret(decodeURIComponent(url.password));
      return { user: decodeURIComponent(url.username), password, database: decodeURIComponent(encoded) };
    },
    () => 'it has a % that is no escape',
  );
};

const onlyKnown = (given: URLSearchParams): Read<void> => {
  const unknown = [...given.keys()].find((name) => !parameters.includes(name));
  return unknown === undefined
    ? E.right(undefined)
    : E.left(`unknown parameter ${unknown}; possible are ${parameters.join(', ')}`);
};

const tlsIn = (given: URLSearchParams): Read<TlsFiles | undefined> => {
  const mode = given.get('tls') ?? (given.has('ca') ? 'verify' : 'off');
  if (mode === 'off') return E.right(undefined);
  if (mode !== 'verify' && mode !== 'unverified') return E.left(`tls=${mode}; possible are verify, unverified and off`);
  const [ca, cert, key] = ['ca', 'cert', 'key'].map((name) => given.get(name) ?? undefined);
  return E.right({ verify: mode === 'verify', ca, cert, key });
};

/** The same URL with the password that stood in an option or file of its own, where the URL has none. */
export const withPassword = (url: string, password: Secret): string => {
  const match = /^([a-z+]+:\/\/)([^:@/]+)@(.*)$/i.exec(url);
  return match === null ? url : `${match[1]}${match[2]}:${encodeURIComponent(password.reveal())}@${match[3]}`;
};

// --------------------------------------------------------------- options

export const storeUrl: Kind<StoreUrl> = kind<StoreUrl>({
  name: 'store_url',
  allowed: 'sqlite:FILE, esdb://..., esdb+discover://..., kurrentdb://... or memory:',
  schema: { type: 'string', pattern: '^(sqlite|esdb|esdb\\+discover|kurrentdb|kurrentdb\\+discover|memory):' },
  read: (input) => parseStoreUrl(asText(input) ?? ''),
  show: (value) => (value.kind === 'esdb' ? value.shown : value.kind === 'sqlite' ? `sqlite:${value.file}` : 'memory:'),
});

export const dbUrl: Kind<DbUrl> = kind<DbUrl>({
  name: 'db_url',
  allowed: `sqlite:FILE, ${serverDialects.map((name) => `${name}://USER:PASSWORD@HOST/DATABASE`).join(', ')} or none`,
  schema: {
    type: 'string',
    pattern: `^(none$|sqlite:|${[...dialectOf.keys()].map((scheme) => `${scheme}://`).join('|')})`,
  },
  read: (input) => {
    const given = asText(input) ?? (input === null ? 'none' : '');
    return given === 'none' ? E.right({ kind: 'none' }) : parseDatabaseUrl(given);
  },
  show: (value) => ('written' in value ? value.written : value.kind === 'sqlite' ? `sqlite:${value.file}` : 'none'),
});
