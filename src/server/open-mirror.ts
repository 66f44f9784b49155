import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import type { Config } from '../config/config.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventStore } from '../ports/event-store.ts';
import type { Ids } from '../ports/ids.ts';
import type { Log } from '../ports/log.ts';
import type { Mirror } from '../sql/mirror/mirror.ts';

export interface MirrorPorts {
  readonly store: EventStore;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
}

/**
 * The mirror that `db_url` names; undefined for `none`. Its drivers are imported only where they are used. Left: a sentence, for
 * options that no mirror can be kept with.
 */
export const openMirror = async (config: Config, ports: MirrorPorts): Promise<E.Either<string, Mirror | undefined>> => {
  const url = config.db_url;
  if (url.kind === 'none') return E.right(undefined);
  const { createMirror, isMirrorOption } = await import('../sql/mirror/mirror.ts');
  if (url.kind === 'sqlite') mkdirSync(dirname(url.file), { recursive: true, mode: 0o700 });
  try {
    return E.right(
      createMirror({
        ...ports,
        url: url.kind === 'sqlite' ? `sqlite:${url.file}` : url.url.reveal(),
        roomsTable: config.rooms_table,
        membersTable: config.members_table,
        tableVersion: config.table_version,
      }),
    );
  } catch (error) {
    if (isMirrorOption(error)) return E.left(error.message);
    throw error;
  }
};
