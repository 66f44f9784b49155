import type { Session } from './session.ts';
import type { DatabaseSettings } from './settings.ts';

/** Opens a connection; a dialect's module is loaded when it is first needed. Rejects with the driver's error, its message naming the database. */
export const connect = async (
  settings: DatabaseSettings,
  options: { readonly readOnly?: boolean } = {},
): Promise<Session> => {
  try {
    return await open(settings, options.readOnly ?? false);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    // Of several addresses of one name the first one's error says most; the errors together have no message.
    const [first] = error instanceof AggregateError ? error.errors : [error];
    error.message = `${settings.shown} cannot be used: ${first instanceof Error ? first.message : String(first)}`;
    throw error;
  }
};

const open = async (settings: DatabaseSettings, readOnly: boolean): Promise<Session> => {
  switch (settings.dialect) {
    case 'sqlite':
      return (await import('./sqlite.ts')).connectSqlite(settings.file, readOnly);
    case 'mysql':
      return (await import('./mysql.ts')).connectMysql(settings);
    case 'postgres':
      return (await import('./postgres.ts')).connectPostgres(settings);
  }
};
