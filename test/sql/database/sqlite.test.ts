import { describe } from 'node:test';
import { sqlDialectContract } from '../../contract/sql-dialect.ts';
import { startSqlite } from '../../support/sqlite-file.ts';

describe('the mirror in SQLite', () => {
  sqlDialectContract('sqlite', startSqlite);
});
