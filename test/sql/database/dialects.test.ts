import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { serverDialects } from '../../../src/sql/database/settings.ts';
import { statementsOf } from '../../../src/sql/mirror/tables.ts';
import { databaseAt } from '../../support/urls.ts';

const tests = globSync('*.test.ts', { cwd: import.meta.dirname }).map((file) =>
  readFileSync(join(import.meta.dirname, file), 'utf8'),
);

describe('every dialect of SQL', () => {
  for (const dialect of ['sqlite', ...serverDialects] as const) {
    it(`${dialect}: has tables, and is held by the contract`, () => {
      const names = { rooms: 'r_x', members: 'm_x', checkpoint: 'c_x' };
      const made = statementsOf(dialect, names).join(';');
      for (const name of Object.values(names)) assert.match(made, new RegExp(`CREATE TABLE.{0,20}["\`]${name}["\`]`));
      assert.ok(
        tests.some((text) => text.includes(`sqlDialectContract('${dialect}',`)),
        `no test calls sqlDialectContract('${dialect}', ...)`,
      );
    });
  }
  for (const dialect of serverDialects)
    it(`${dialect}: can be named by a URL`, () =>
      assert.equal(databaseAt(`${dialect}://user@host/database`).kind, dialect));
});
