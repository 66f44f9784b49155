import * as E from 'fp-ts/lib/Either.js';
import { asText, type Kind, kind } from './kinds.ts';
import { Secret, withoutPassword } from './secret.ts';

/** Where the log is. `url` is what EventStoreDB's client takes; `shown` the same for people, without the password. */
export type StoreUrl =
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'memory' }
  | { readonly kind: 'esdb'; readonly url: Secret; readonly shown: string };

/** Where the mirror is. `options` are the URL's query (`ssl=...`), for the dialect to read. */
export type DbUrl =
  | { readonly kind: 'none' }
  | { readonly kind: 'sqlite'; readonly file: string }
  | {
      readonly kind: 'mysql' | 'postgres';
      readonly host: string;
      readonly port: number;
      readonly user: string;
      readonly password: Secret | undefined;
      readonly database: string;
      readonly options: Readonly<Record<string, string>>;
      /** The whole of it, password included. */
      readonly url: Secret;
      readonly shown: string;
    };

const sqliteFile = (input: string): string | undefined => {
  const file = /^sqlite:(?:\/\/)?(.+)$/i.exec(input)?.[1];
  return file === undefined || file.includes('\0') ? undefined : file;
};

// kurrentdb:// is the newer name of the same protocol; the client knows only the older one.
const esdb = /^(?:esdb|kurrentdb|kurrent|kdb)(\+discover)?:\/\/(\S+)$/i;

export const storeUrl: Kind<StoreUrl> = kind({
  name: 'store_url',
  allowed: 'sqlite:FILE, esdb://..., esdb+discover://..., kurrentdb://... or memory:',
  schema: { type: 'string', pattern: '^(sqlite|esdb|esdb\\+discover|kurrentdb|kurrentdb\\+discover|memory):' },
  read: (input) => {
    const given = asText(input) ?? '';
    const file = sqliteFile(given);
    if (file !== undefined) return E.right({ kind: 'sqlite', file });
    if (given === 'memory:') return E.right({ kind: 'memory' });
    const match = esdb.exec(given);
    if (match === null) return E.left('');
    const url = `esdb${match[1] ?? ''}://${match[2]}`;
    return E.right({ kind: 'esdb', url: new Secret(url), shown: withoutPassword(url) });
  },
  show: (value) => (value.kind === 'esdb' ? value.shown : value.kind === 'sqlite' ? `sqlite:${value.file}` : 'memory:'),
});

const ports = { mysql: 3306, postgres: 5432 } as const;

export const dbUrl: Kind<DbUrl> = kind({
  name: 'db_url',
  allowed: 'sqlite:FILE, mysql://USER:PASSWORD@HOST/DATABASE, postgres://USER:PASSWORD@HOST/DATABASE or none',
  schema: { type: 'string', pattern: '^(none$|sqlite:|mysql://|mariadb://|postgres://|postgresql://)' },
  read: (input) => {
    const given = asText(input) ?? (input === null ? 'none' : '');
    if (given === 'none') return E.right({ kind: 'none' });
    const file = sqliteFile(given);
    if (file !== undefined) return E.right({ kind: 'sqlite', file });
    const scheme = /^(mysql|mariadb|postgres|postgresql):\/\//i.exec(given)?.[1]?.toLowerCase();
    if (scheme === undefined) return E.left('');
    return server(scheme.startsWith('p') ? 'postgres' : 'mysql', given);
  },
  show: (value) => ('shown' in value ? value.shown : value.kind === 'sqlite' ? `sqlite:${value.file}` : 'none'),
});

const server = (kindOf: 'mysql' | 'postgres', given: string): E.Either<string, DbUrl> => {
  const parsed = parsedUrl(given);
  const database = parsed?.pathname.slice(1) ?? '';
  if (parsed === undefined || parsed.hostname === '')
    return E.left('it cannot be read as a URL; escape special characters of the password as %XX');
  if (database === '' || database.includes('/')) return E.left('it names no database after the host');
  const plain = decodedParts([parsed.username, parsed.password, database]);
  if (plain === undefined) return E.left('it has a % that is no escape');
  const [user = '', password = '', name = ''] = plain;
  return E.right({
    kind: kindOf,
    host: parsed.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: parsed.port === '' ? ports[kindOf] : Number(parsed.port),
    user,
    password: password === '' ? undefined : new Secret(password),
    database: name,
    options: Object.fromEntries(parsed.searchParams),
    url: new Secret(given),
    shown: withoutPassword(parsed.href),
  });
};

const parsedUrl = (given: string): URL | undefined => (URL.canParse(given) ? new URL(given) : undefined);

const decodedParts = (parts: readonly string[]): readonly string[] | undefined => {
  try {
    return parts.map(decodeURIComponent);
  } catch {
    return undefined; // a URIError: the caller says so
  }
};

/** The same URL with the password that stood in an option or file of its own, where the URL has none. */
export const withPassword = (url: string, password: Secret): string => {
  const match = /^([a-z+]+:\/\/)([^:@/]+)@(.*)$/i.exec(url);
  return match === null ? url : `${match[1]}${match[2]}:${encodeURIComponent(password.reveal())}@${match[3]}`;
};
