import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { systemClock } from '../../../src/runtime/clock.ts';
import { randomIds } from '../../../src/runtime/ids.ts';
import {
  openSqliteReader,
  openSqliteStore,
  type SqliteLog,
  type SqliteStoreOptions,
} from '../../../src/store/sqlite/open.ts';
import { atEnd } from '../../support/at-end.ts';

/** A folder of a test's own. */
export const temporaryFolder = (): { readonly folder: string; readonly remove: () => void } => {
  const folder = mkdtempSync(join(tmpdir(), 'imcd-log-'));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
};

export const storeOptions = (file: string, more: Partial<SqliteStoreOptions> = {}): SqliteStoreOptions => ({
  file,
  ids: randomIds(),
  clock: systemClock,
  ...more,
});

/** Opens a log; fails the test where it does not open. */
export const openLog = async (file: string, more: Partial<SqliteStoreOptions> = {}): Promise<SqliteLog> => {
  const opened = await openSqliteStore(storeOptions(file, more))();
  assert.ok(E.isRight(opened), E.isLeft(opened) ? opened.left.message : '');
  atEnd(() => opened.right.close());
  return opened.right;
};

export const openReader = async (file: string): Promise<SqliteLog> => {
  const opened = await openSqliteReader({ file, clock: systemClock })();
  assert.ok(E.isRight(opened), E.isLeft(opened) ? opened.left.message : '');
  atEnd(() => opened.right.close());
  return opened.right;
};

/** Runs a test as a user without rights: the superuser may write everything, and would see no refusal. */
export const asNobody = async (run: () => Promise<void>): Promise<void> => {
  if (process.geteuid?.() !== 0) return run();
  process.seteuid?.(65_534);
  try {
    await run();
  } finally {
    process.seteuid?.(0);
  }
};
