import type { StoreFailure } from '../../ports/event-store.ts';
import { StoreError } from '../../ports/event-store.ts';

/**
 * What SQLite and the file system say, as failures of the port: a sentence that names the file, and what to do.
 * Nothing else looks at their codes.
 */

/** Primary result codes of SQLite (https://www.sqlite.org/rescode.html); the low byte of an extended code. */
const code = { busy: 5, locked: 6, readOnly: 8, ioError: 10, corrupt: 11, full: 13, cantOpen: 14, notADatabase: 26 };

const codeOf = (cause: unknown): number | undefined =>
  typeof cause === 'object' && cause !== null && 'errcode' in cause && typeof cause.errcode === 'number'
    ? cause.errcode & 0xff
    : undefined;

const systemCodeOf = (cause: unknown): string | undefined =>
  typeof cause === 'object' && cause !== null && 'code' in cause && typeof cause.code === 'string'
    ? cause.code
    : undefined;

const textOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

/** Whether an error says that a row breaks a unique index. */
export const isConstraint = (cause: unknown): boolean => codeOf(cause) === 19;

/** Whether an error says that another process holds a lock. */
export const isBusy = (cause: unknown): boolean => codeOf(cause) === code.busy || codeOf(cause) === code.locked;

/** Whether an error says that something beside the file cannot be made, for want of rights. */
export const isUnwritable = (cause: unknown): boolean =>
  codeOf(cause) === code.cantOpen || codeOf(cause) === code.readOnly;

/**
 * The failure behind an error of SQLite or of the file system, as a sentence that names the file.
 *
 * @param doing what was tried, e.g. `read the log`
 */
export const sqliteFailure = (file: string, doing: string, cause: unknown): StoreFailure => {
  if (cause instanceof StoreError) return cause.failure;
  const text = textOf(cause);
  const system = systemCodeOf(cause);
  if (system === 'EACCES' || system === 'EROFS' || system === 'EPERM')
    return { kind: 'StoreRefused', message: `could not ${doing} ${file}: no right to write there (${text})`, cause };
  if (system === 'ENOSPC' || system === 'EDQUOT')
    return { kind: 'StoreFull', message: `could not ${doing} ${file}: the disk is full; make room`, cause };
  switch (codeOf(cause)) {
    case code.full:
      return {
        kind: 'StoreFull',
        message: `could not ${doing} ${file}: the disk or its quota is full; make room, and it goes on`,
        cause,
      };
    case code.corrupt:
      return {
        kind: 'StoreDamaged',
        message: `the log ${file} is damaged (${text}): nothing was changed; restore it from a backup, or save what \`sqlite3 ${file} .recover\` finds`,
        cause,
      };
    case code.notADatabase:
      return {
        kind: 'StoreDamaged',
        message: `${file} is not a log of imcd, or its first page is damaged (${text}): nothing was changed; name another file in store_url, or restore a backup`,
        cause,
      };
    case code.readOnly:
      return {
        kind: 'StoreRefused',
        message: `could not ${doing} ${file}: the file or its folder may not be written (${text}); the log needs both`,
        cause,
      };
    case code.cantOpen:
      return {
        kind: 'StoreRefused',
        message: `could not ${doing} ${file}: it cannot be opened (${text}); check the path, and the rights of the file and of its folder`,
        cause,
      };
    case code.busy:
    case code.locked:
      return { kind: 'StoreUnavailable', message: `could not ${doing} ${file}: it is locked (${text})`, cause };
    case code.ioError:
      return {
        kind: 'StoreUnavailable',
        message: `could not ${doing} ${file}: the disk failed (${text}); see the kernel's log`,
        cause,
      };
    default:
      return { kind: 'StoreUnavailable', message: `could not ${doing} ${file}: ${text}`, cause };
  }
};
