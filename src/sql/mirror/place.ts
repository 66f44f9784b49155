import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { connect } from '../database/connect.ts';
import type { Session, Tables } from '../database/session.ts';
import { type DatabaseAddress, type DatabaseSettings, databaseSettings } from '../database/settings.ts';
import { type MirrorFailure, mirrorFailure, step } from './failure.ts';
import { tablesOf } from './tables.ts';

/** Where a mirror is kept, read from the options once for all who work on it; and sessions there. */

/** Where a mirror is, as options say it. */
export interface PlaceOptions {
  /** `db_url`; not `none`. */
  readonly database: DatabaseAddress;
  readonly roomsTable: string;
  readonly membersTable: string;
}

/** Where a mirror is: its database, and its tables there. */
export interface MirrorPlace {
  readonly settings: DatabaseSettings;
  readonly tables: Tables;
}

/** Reads the options; a Left of kind `UnusableOption` where they name no place that a mirror could be kept in. */
export const mirrorPlace = (options: PlaceOptions): E.Either<MirrorFailure, MirrorPlace> =>
  pipe(
    E.Do,
    E.bind('tables', () => tablesOf(options.roomsTable, options.membersTable)),
    E.bind('settings', () => E.tryCatch(() => databaseSettings(options.database), mirrorFailure)),
  );

/** Works in a session with the database, which is closed afterwards. */
export const inSession = <A>(
  settings: DatabaseSettings,
  options: { readonly readOnly: boolean },
  work: (session: Session) => TE.TaskEither<MirrorFailure, A>,
): TE.TaskEither<MirrorFailure, A> =>
  TE.bracket(
    step(() => connect(settings, options)),
    work,
    (session) => step(() => session.close()),
  );
