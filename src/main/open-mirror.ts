import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from '../config/config.ts';
import type { Clock, EventStore, Ids, Log } from '../engine/ports.ts';
import type { Mirror } from '../sql/mirror.ts';

export interface MirrorPorts {
  readonly store: EventStore;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
}

/** The mirror that `db_url` names; undefined for `none`. Its drivers are imported only where they are used. */
export const openMirror = async (config: Config, ports: MirrorPorts): Promise<Mirror | undefined> => {
  const url = config.db_url;
  if (url.kind === 'none') return undefined;
  const { createMirror } = await import('../sql/mirror.ts');
  if (url.kind === 'sqlite') mkdirSync(dirname(url.file), { recursive: true, mode: 0o700 });
  return createMirror({
    ...ports,
    url: url.kind === 'sqlite' ? `sqlite:${url.file}` : url.url.reveal(),
    roomsTable: config.rooms_table,
    membersTable: config.members_table,
    tableVersion: config.table_version,
  });
};
