import { describe } from 'node:test';
import { sqlDialectContract } from '../../contract/sql-dialect.ts';
import { component } from '../../support/component.ts';
import { startMariadb } from '../../support/mariadb.ts';

describe('the mirror in MariaDB', component('mariadbd', 'mariadb-server'), () => {
  sqlDialectContract('mysql', () => startMariadb());
});
