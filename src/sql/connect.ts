import type { DatabaseSettings } from './database-url.ts';
import type { Session } from './session.ts';

/** Opens a connection; a dialect's module is loaded when it is first needed. Rejects as the driver does. */
export const connect = async (
  settings: DatabaseSettings,
  options: { readonly readOnly?: boolean } = {},
): Promise<Session> => {
  switch (settings.dialect) {
    case 'sqlite':
      return (await import('./sqlite.ts')).connectSqlite(settings.file, options.readOnly ?? false);
    case 'mysql':
      return (await import('./mysql.ts')).connectMysql(settings);
    case 'postgres':
      return (await import('./postgres.ts')).connectPostgres(settings);
  }
};
