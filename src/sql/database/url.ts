import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Where a database is and how to get in, read from a URL. `shown` is all of it that may stand in a log. */
export type DatabaseSettings =
  | { readonly dialect: 'sqlite'; readonly file: string; readonly shown: string }
  | {
      readonly dialect: 'mysql' | 'postgres';
      readonly host: string;
      readonly port: number;
      /** Unix socket (PostgreSQL: its folder) instead of host and port. */
      readonly socket?: string;
      readonly user: string;
      readonly password?: string;
      readonly database: string;
      /** Absent: in the clear. */
      readonly tls?: TlsSettings;
      readonly shown: string;
    };

export interface TlsSettings {
  /** False: encrypted, but to whom is not checked. */
  readonly rejectUnauthorized: boolean;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** A URL that cannot be used; the message never holds its password. */
export class DatabaseUrlError extends Error {
  override readonly name = 'DatabaseUrlError';
}

const parameters = ['tls', 'ca', 'cert', 'key', 'socket', 'password_file'];

/**
 * Reads `mysql://USER:PASSWORD@HOST:PORT/DATABASE`, `postgres://...` (also `postgresql:`, `mariadb:`) or `sqlite:FILE`
 * (also `sqlite:///FILE` as OpenSIPS and Kamailio write it).
 * Parameters: `tls=verify` (the server's certificate must be good: for the system, or for `ca=FILE`), `tls=unverified`,
 * `tls=off` (default); `cert=FILE` and `key=FILE` of the client; `socket=PATH`; `password_file=FILE`.
 * `password` is used where the URL has none. Throws `DatabaseUrlError`.
 */
export const databaseSettings = (url: string, password?: string): DatabaseSettings => {
  if (url.startsWith('sqlite:')) return sqliteSettings(url.slice('sqlite:'.length));
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const dialect = dialects[parsed?.protocol ?? ''];
  if (parsed === undefined || dialect === undefined) {
    throw new DatabaseUrlError('A database URL starts with mysql://, postgres:// or sqlite:, and this one does not.');
  }
  const host = parsed.hostname.replace(/^\[|\]$/g, '') || 'localhost';
  const port = Number(parsed.port) || (dialect === 'mysql' ? 3306 : 5432);
  const user = decodeURIComponent(parsed.username);
  const database = decodeURIComponent(parsed.pathname.slice(1));
  const socket = parsed.searchParams.get('socket') ?? undefined;
  const shown = `${dialect}://${socket ?? `${parsed.hostname || 'localhost'}:${port}`}/${database}`;
  for (const name of parsed.searchParams.keys()) {
    if (!parameters.includes(name)) {
      throw new DatabaseUrlError(`${shown}: unknown parameter ${name}; possible are ${parameters.join(', ')}.`);
    }
  }
  if (database === '')
    throw new DatabaseUrlError(`${shown}: no database is named; write it after the host, as in HOST/opensips.`);
  if (user === '') throw new DatabaseUrlError(`${shown}: no user is named; write it before the host, as in USER@HOST.`);
  const passwordFile = parsed.searchParams.get('password_file');
  const secret =
    passwordFile !== null
      ? fileOf(passwordFile, shown, 'password_file').replace(/\r?\n$/, '')
      : parsed.password !== ''
        ? decodeURIComponent(parsed.password)
        : password;
  const tls = tlsOf(parsed.searchParams, shown);
  return {
    dialect,
    host,
    port,
    user,
    database,
    shown,
    ...(socket === undefined ? {} : { socket }),
    ...(secret === undefined ? {} : { password: secret }),
    ...(tls === undefined ? {} : { tls }),
  };
};

const dialects: Readonly<Record<string, 'mysql' | 'postgres'>> = {
  'mysql:': 'mysql',
  'mariadb:': 'mysql',
  'postgres:': 'postgres',
  'postgresql:': 'postgres',
};

const sqliteSettings = (rest: string): DatabaseSettings => {
  const file = rest.startsWith('///') ? fileURLToPath(`file://${rest.slice(2)}`) : rest.replace(/^\/\/(?=[^/])/, '');
  if (file === '') throw new DatabaseUrlError('sqlite: names no file; write sqlite:FILE.');
  return { dialect: 'sqlite', file, shown: `sqlite:${file}` };
};

const tlsOf = (given: URLSearchParams, shown: string): TlsSettings | undefined => {
  const mode = given.get('tls') ?? (given.has('ca') ? 'verify' : 'off');
  if (mode === 'off') return undefined;
  if (mode !== 'verify' && mode !== 'unverified') {
    throw new DatabaseUrlError(`${shown}: tls=${mode}; possible are verify, unverified and off.`);
  }
  const files = ['ca', 'cert', 'key'].flatMap((name) => {
    const file = given.get(name);
    return file === null ? [] : [[name, fileOf(file, shown, name)] as const];
  });
  return { rejectUnauthorized: mode === 'verify', ...Object.fromEntries(files) };
};

const fileOf = (file: string, shown: string, name: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new DatabaseUrlError(`${shown}: ${name}=${file} cannot be read.`, { cause });
  }
};
