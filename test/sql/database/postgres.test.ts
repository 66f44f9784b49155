import { describe } from 'node:test';
import { sqlDialectContract } from '../../contract/sql-dialect.ts';
import { component } from '../../support/component.ts';
import { startPostgres } from '../../support/postgres.ts';

describe('the mirror in PostgreSQL', component('postgres', 'postgresql'), () => {
  sqlDialectContract('postgres', () => startPostgres());
});
