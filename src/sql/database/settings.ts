import { readFileSync } from 'node:fs';

/** Where a database is and how to get in: as it comes from the configuration, and as a driver takes it. */

/** Databases that are servers; a file of SQLite is the other one. How to add one: docs/contributing/how-to-add-a-sql-dialect.md. */
export const serverDialects = ['mysql', 'postgres'] as const;
type ServerDialect = (typeof serverDialects)[number];
export type SqlDialect = 'sqlite' | ServerDialect;

/** As read from a URL, by `config/urls.ts`; files are named, not read. */
export type DatabaseAddress =
  | { readonly kind: 'sqlite'; readonly file: string }
  | {
      readonly kind: ServerDialect;
      readonly host: string;
      readonly port: number;
      /** Unix socket (PostgreSQL: its folder) instead of host and port. */
      readonly socket: string | undefined;
      readonly user: string;
      readonly password: { readonly reveal: () => string } | undefined;
      /** A file whose text is the password; goes before `password`. */
      readonly passwordFile: string | undefined;
      readonly database: string;
      /** Undefined: in the clear. `verify: false`: encrypted, but to whom is not checked. The others are files. */
      readonly tls:
        | {
            readonly verify: boolean;
            readonly ca: string | undefined;
            readonly cert: string | undefined;
            readonly key: string | undefined;
          }
        | undefined;
      /** All of it that may stand in a log. */
      readonly shown: string;
    };

/** What a driver takes. `shown` is all of it that may stand in a log. */
export type DatabaseSettings =
  | { readonly dialect: 'sqlite'; readonly file: string; readonly shown: string }
  | {
      readonly dialect: ServerDialect;
      readonly host: string;
      readonly port: number;
      readonly socket?: string;
      readonly user: string;
      readonly password?: string;
      readonly database: string;
      readonly tls?: TlsSettings;
      readonly shown: string;
    };

export interface TlsSettings {
  readonly rejectUnauthorized: boolean;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** A file that a database's URL names cannot be read. */
export class UnreadableFile extends Error {
  override readonly name = 'UnreadableFile';
}

/** Reads the files that the address names. Throws `UnreadableFile`. */
export const databaseSettings = (address: DatabaseAddress): DatabaseSettings => {
  if (address.kind === 'sqlite') return { dialect: 'sqlite', file: address.file, shown: `sqlite:${address.file}` };
  const { kind: dialect, host, port, user, database, socket, shown, passwordFile, tls } = address;
  const textOf = (name: string, file: string | undefined): string | undefined =>
    file === undefined ? undefined : read(file, `${shown}: ${name}=${file}`);
  const password = textOf('password_file', passwordFile)?.replace(/\r?\n$/, '') ?? address.password?.reveal();
  return {
    dialect,
    host,
    port,
    user,
    database,
    shown,
    ...given({ socket, password }),
    ...(tls && {
      tls: {
        rejectUnauthorized: tls.verify,
        ...given({ ca: textOf('ca', tls.ca), cert: textOf('cert', tls.cert), key: textOf('key', tls.key) }),
      },
    }),
  };
};

/** The texts that are there. */
const given = <K extends string>(texts: Record<K, string | undefined>): Partial<Record<K, string>> =>
  Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== undefined)) as Partial<Record<K, string>>;

const read = (file: string, what: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new UnreadableFile(`${what} cannot be read.`, { cause });
  }
};
