import * as E from 'fp-ts/lib/Either.js';
import type { Config } from '../../config/config.ts';
import { snapshotFile } from '../../engine/snapshots.ts';
import type { EventStore } from '../../ports/event-store.ts';
import { CliError, type Invocation, type Run } from '../invocation.ts';
import { miClient, NoServer } from '../mi/client.ts';
import { openReader } from '../read/open-log.ts';
import { roomsAt } from '../read/state-at.ts';
import { progress } from '../terminal/progress.ts';
import { printable } from '../terminal/show.ts';
import { compareServer, type ServerComparison } from '../verify/compare-server.ts';
import { compareSnapshot } from '../verify/compare-snapshot.ts';

/** Tells one difference. */
type Tell = (difference: string) => Promise<void>;

/**
 * `imcd verify`: the log, replayed from 0, against the snapshot, the running server's rooms and the mirror's rows. Each difference is a
 * line on stdout; exit 1 where there is one, or where something could not be compared that should be.
 */
export const run: Run = async (invocation) => {
  const { out, err } = invocation;
  const config = await invocation.config();
  const store = await openReader(config);
  let differences = 0;
  const tell: Tell = async (difference) => {
    differences += 1;
    await out(printable(difference));
  };
  try {
    const bar = progress('replaying the log', 'events');
    const rooms = await roomsAt(store, {}, bar.update).finally(bar.end);
    err(`log: ${rooms.size} rooms`);
    const identity = right(await store.identity());
    const end = right(await store.end());
    const file = snapshotFile(config.data);
    err(`snapshot: ${await compareSnapshot({ file, store, identity, end, rooms, tell })}`);
    await againstServer(config, { store, identity, rooms, tell }, invocation);
    await againstMirror(config, store, tell, invocation);
  } finally {
    await store.close();
  }
  err(differences === 0 ? 'no difference' : `${differences} differences`);
  return differences === 0 ? 0 : 1;
};

const right = <A>(outcome: E.Either<{ readonly message: string }, A>): A => {
  if (E.isLeft(outcome)) throw new CliError(outcome.left.message);
  return outcome.right;
};

const againstServer = async (
  config: Config,
  given: Omit<ServerComparison, 'client'>,
  { err }: Invocation,
): Promise<void> => {
  if (config.mi.http === undefined) {
    err('server: not compared, mi.http is none');
    return;
  }
  const client = miClient(config);
  try {
    const compared = await compareServer({ ...given, client });
    if (compared === 'another log') err(`server: not compared, the one at ${client.url} uses another log`);
    else err(`server: ${compared} rooms compared at ${client.url}`);
  } catch (error) {
    if (!(error instanceof NoServer)) throw error;
    err(`server: not compared, none runs at ${client.url}`);
  }
};

const againstMirror = async (config: Config, store: EventStore, tell: Tell, { err }: Invocation): Promise<void> => {
  const url = config.db_url;
  if (url.kind === 'none') {
    err('mirror: not compared, db_url is none');
    return;
  }
  const { compareMirror } = await import('../../sql/mirror/compare.ts');
  const bar = progress('comparing the mirror', 'events');
  const compared = await compareMirror({
    store,
    database: url,
    roomsTable: config.rooms_table,
    membersTable: config.members_table,
    onProgress: bar.update,
  })();
  bar.end();
  if (E.isLeft(compared)) return tell(`mirror: it cannot be compared: ${compared.left.message}`);
  const { rooms, members, differences, behind } = compared.right;
  for (const difference of differences) await tell(`mirror: ${difference}`);
  const where = behind ? ', as of its checkpoint: the log has newer events' : '';
  err(`mirror: ${rooms} rooms and ${members} members compared${where}`);
};
